import Documents
import Foundation
import TestSupport
import Testing
import YAML

/// The examples of docs/SINKS.md before a running gateway.
@Suite struct SinkExampleTests {
  private static func examples() throws -> [JSONValue] {
    let page = try String(contentsOf: repository.appending(path: "docs/SINKS.md"), encoding: .utf8)
    let blocks = page.components(separatedBy: "```yaml\n").dropFirst()
    return try blocks.compactMap { $0.components(separatedBy: "```").first }.flatMap {
      try YAMLDocument.all(in: Array($0.utf8))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func `a gateway serves every Sink of the page`() async throws {
    let sinks = try Self.examples().filter { $0["kind"] == "Sink" }
    #expect(sinks.count == 5)
    try await withGateway { gateway in
      for sink in sinks {
        try await gateway.kubectl("apply", "-f", "-", input: String(decoding: sink.serialised(), as: UTF8.self))
      }
      for sink in sinks {
        let name = sink[path: "metadata", "name"]?.string ?? ""
        try await eventually("Sink \(name) is looked at") {
          guard let ready = try await gateway.condition("Ready", of: "sink", name) else { return false }
          #expect(ready["reason"] != "InvalidSpec", "\(name): \(ready)")
          return true
        }
      }
    }
  }
}
