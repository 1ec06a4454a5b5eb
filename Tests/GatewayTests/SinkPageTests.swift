import Documents
import Foundation
import Gateway
import Resources
import Testing
import YAML

@Suite struct SinkPageTests {
  /// The pages' examples pass the CRDs' schemas, as `kubectl apply` would have it.
  @Test(arguments: [
    ("docs/SINKS-MQTT.md", 3), ("docs/SINKS-FILE.md", 2), ("docs/SINKS.md", 5), ("docs/DISCOVERY.md", 3),
    ("docs/QUERY.md", 2), ("docs/MODBUS-SERVER.md", 1),
  ])
  func `every example of the page is valid`(page: String, count: Int) throws {
    let text = try String(contentsOf: repository.appending(path: page), encoding: .utf8)
    let blocks = text.components(separatedBy: "```yaml\n").dropFirst()
    let examples = try blocks.compactMap { $0.components(separatedBy: "```").first }.flatMap {
      try YAMLDocument.all(in: Array($0.utf8))
    }
    #expect(examples.count == count)
    let validator = try ManifestValidator(BuiltInPlugins.definitions())
    for example in examples {
      #expect(validator.validate(example).isEmpty, "\(example[path: "metadata", "name"]?.string ?? "")")
    }
  }
}
