import Documents
import Resources
import Testing
import YAML

@Suite("Manifests checked without a server")
struct ManifestValidatorTests {
  static let cases: [(manifest: String, problems: [String])] = [
    ("{apiVersion: selvedge.dev/v1alpha1, kind: Broker, metadata: {name: b}, spec: {url: \"mqtt://h\"}}", []),
    (
      "{apiVersion: selvedge.dev/v1alpha1, kind: Broker, metadata: {name: b, colour: red}, spec: {url: \"mqtt://h\", port: 1}}",
      ["spec.port: unknown field", "metadata.colour: unknown field"]
    ),
    (
      "{apiVersion: selvedge.dev/v1alpha1, kind: Broker, spec: {url: \"mqtt://h\"}}",
      ["metadata.name: Required value: name or generateName is required"]
    ),
    (
      "{apiVersion: selvedge.dev/v1alpha1, kind: DeviceModel, metadata: {name: m, namespace: x}, spec: {protocol: mqtt}}",
      ["metadata.namespace: DeviceModel is cluster-scoped: leave the namespace out"]
    ),
    ("{kind: Broker}", ["apiVersion: Required value"]), ("[1]", ["a manifest must be a mapping"]),
    ("{apiVersion: selvedge.dev/v1alpha1, kind: Broker, metadata: {name: b}}", ["spec: Required value"]),
  ]
  @Test("every problem is named with its field", arguments: cases)
  func problems(manifest: String, problems: [String]) throws {
    let validator = try ManifestValidator(try TestFragments.definitions())
    #expect(validator.validate(try YAMLDocument.one(in: manifest)).map(\.description) == problems)
  }

  @Test("an unknown kind is answered with the known ones")
  func unknownKind() throws {
    let validator = try ManifestValidator(try TestFragments.definitions())
    let problem = validator.validate(["apiVersion": "v1", "kind": "Pod"]).first
    #expect(
      problem?.message.contains("no kind \"Pod\" in \"v1\"") == true && problem?.message.contains("Broker in") == true)
  }

  @Test("names that YAML 1.1 turns into booleans are refused for objects too")
  func booleanName() throws {
    let validator = try ManifestValidator(try TestFragments.definitions())
    let manifest =
      "{apiVersion: selvedge.dev/v1alpha1, kind: Broker, metadata: {name: \"no\"}, spec: {url: \"mqtt://h\"}}"
    #expect(validator.validate(try YAMLDocument.one(in: manifest)).map(\.field) == ["metadata.name"])
  }
}
