import Documents
import Foundation
import Telemetry
import Testing
import YAML

/// The examples of docs/PIPELINES.md.
@Suite struct StagePageTests {
  private static let blocks: [String] = {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/PIPELINES.md")
    let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
  }()

  @Test func `every stage has an example, and every example is taken`() throws {
    var shown: Set<String> = []
    for block in Self.blocks {
      let document = try YAMLDocument.one(in: block)
      let spec: JSONValue =
        document.array == nil ? try #require(document["spec"]) : ["stages": document, "to": [["name": "s"]]]
      _ = try PipelineSpecification(json: spec)
      for stage in spec["stages"]?.array ?? [] { shown.formUnion(stage.object?.keys.map { $0 } ?? []) }
    }
    #expect(shown == PipelineSpecification.stageKeys)
  }
}
