import Documents
import Foundation
import Resources
import Testing
import YAML

@Suite("CRDs composed from the common part and the fragments")
struct CRDComposerTests {
  static let examples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Examples/contract")
  static let files = ["01-models.yaml", "02-devices.yaml", "03-discovery.yaml", "04-telemetry.yaml"]

  @Test("every kind has a definition with status, columns and short name")
  func kinds() throws {
    let definitions = try TestFragments.definitions()
    #expect(definitions.map(\.kind) == ["DeviceModel", "Device", "Discovery", "Broker", "Pipeline", "Sink", "Gateway"])
    for definition in definitions {
      #expect(definition.hasStatus && !definition.columns.isEmpty && definition.shortNames.count == 1)
    }
    #expect(definitions.filter { !$0.isNamespaced }.map(\.kind) == ["DeviceModel", "Gateway"])
  }

  @Test("every manifest of the contract fits, with nothing pruned", arguments: files)
  func contract(file: String) throws {
    let documents = try YAMLDocument.all(in: Array(Data(contentsOf: Self.examples.appending(path: file))))
    #expect(!documents.isEmpty)
    for document in documents {
      let schema = try Schema(try TestFragments.definition(document["kind"]?.string ?? "").schema)
      let (pruned, removed) = schema.pruning(document)
      #expect(removed == [])
      #expect(schema.faults(in: schema.defaulting(pruned)) == [])
    }
  }

  static let refused: [(kind: String, spec: String, field: String, message: String)] = [
    (
      "Device", "{writes: Sometimes}", "spec.writes",
      "Unsupported value: \"Sometimes\": supported values: \"Enabled\", \"Disabled\""
    ),
    (
      "Device", "{connection: {modbus: {unitID: 1, tcp: {host: a, port: 70000}}}}", "spec.connection.modbus.tcp.port",
      "Invalid value: 70000: spec.connection.modbus.tcp.port in body should be less than or equal to 65535"
    ),
    (
      "Device", "{connection: {udev: {}, mqtt: {brokerRef: {name: a}}}}", "spec.connection",
      "Too many: 2: must have at most 1 items"
    ),
    (
      "Device", "{modelRef: {name: 7}}", "spec.modelRef.name",
      "Invalid value: \"integer\": spec.modelRef.name in body must be of type string: \"integer\""
    ),
    ("DeviceModel", "{}", "spec.protocol", "Required value"),
    (
      "DeviceModel", "{protocol: opcua}", "spec.protocol",
      "Unsupported value: \"opcua\": supported values: \"modbus\", \"mqtt\", \"udev\""
    ),
    (
      "DeviceModel", "{protocol: mqtt, properties: [{name: a, type: string}, {name: a, type: string}]}",
      "spec.properties[1]",
      "Duplicate value: {\"name\":\"a\"}"
    ),
    (
      "DeviceModel", "{protocol: mqtt, properties: [{name: \"on\", type: string}]}", "spec.properties[0].name",
      "Invalid value: \"on\": spec.properties[0].name in body must not be one of \"y\", \"n\", \"yes\", \"no\", \"on\", \"off\", \"true\", \"false\", \"null\""
    ),
    (
      "Discovery", "{}", "spec",
      "Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid: give exactly one of modbus, mqtt, udev"
    ),
    (
      "Discovery", "{every: 2d, udev: {rules: [a]}}", "spec.every",
      "Invalid value: \"2d\": spec.every in body should match '^([0-9]{1,5}(h|m|s|ms)){1,4}$'"
    ),
    (
      "Broker", "{url: \"http://x\"}", "spec.url",
      "Invalid value: \"http://x\": spec.url in body should match '^mqtts?://[^/@?#\\s]+/?$'"
    ),
    (
      "Broker", "{url: \"mqtt://user:word@x\"}", "spec.url",
      "Invalid value: \"mqtt://user:word@x\": spec.url in body should match '^mqtts?://[^/@?#\\s]+/?$'"
    ),
    (
      "Sink", "{file: {path: a}, buffer: {maxBytes: many}}", "spec.buffer.maxBytes",
      "Invalid value: \"many\": spec.buffer.maxBytes in body should match '^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$'"
    ),
    ("Pipeline", "{to: []}", "spec.to", "Invalid value: 0: spec.to in body should have at least 1 items"),
    (
      "Pipeline", "{to: [{name: a}], stages: [{deadband: {}}]}", "spec.stages[0].deadband",
      "Invalid value: \"\": \"spec.stages[0].deadband\" must validate one and only one schema (oneOf). Found none valid: give exactly one of absolute, percent"
    ),
  ]

  @Test("what does not fit is refused with its path", arguments: refused)
  func refusals(kind: String, spec: String, field: String, message: String) throws {
    let schema = try Schema(try TestFragments.definition(kind).schema)
    let object: JSONValue = ["metadata": ["name": "x"], "spec": try YAMLDocument.one(in: spec)]
    let faults = schema.faults(in: schema.defaulting(object))
    #expect(faults.map(\.field) == [field])
    #expect(faults.first?.message == message)
  }

  @Test("absent fields get their defaults, also inside absent objects")
  func defaults() throws {
    let schema = try Schema(try TestFragments.definition("Sink").schema)
    let filled = schema.defaulting(["spec": ["file": ["path": "a"]]])
    #expect(filled[path: "spec", "buffer", "maxBytes"] == "256Mi")
    #expect(filled[path: "spec", "batch", "maxSamples"] == 500)
    #expect(filled[path: "spec", "file", "format"] == "ndjson")
  }

  @Test("a Discovery's template takes parts of a Device's spec, and nothing else")
  func template() throws {
    let schema = try Schema(try TestFragments.definition("Discovery").schema)
    let spec = "{udev: {rules: [a]}, template: {spec: {connection: {modbus: {timeout: 2s}}, colour: red}}}"
    let (pruned, removed) = schema.pruning(["spec": try YAMLDocument.one(in: spec)])
    #expect(removed == ["spec.template.spec.colour"])
    let filled = schema.defaulting(pruned)
    #expect(schema.faults(in: filled) == [])
    #expect(filled[path: "spec", "template", "spec", "writes"] == nil)
  }

  @Test("a default inside list items is refused when composing")
  func defaultInItems() {
    #expect(throws: SchemaError.self) {
      try CRDComposer.customResourceDefinitions(
        protocols: [("x", "{type: object}", "{type: object, properties: {a: {type: string, default: b}}}", nil)],
        sinks: [])
    }
  }

  @Test("composing twice gives the same text")
  func deterministic() throws {
    #expect(YAMLDocument.text(of: try TestFragments.crds()) == YAMLDocument.text(of: try TestFragments.crds()))
  }

  @Test("the CRDs survive being written and read as YAML")
  func yamlRoundTrip() throws {
    let crds = try TestFragments.crds()
    #expect(try YAMLDocument.all(in: YAMLDocument.text(of: crds)) == crds)
  }
}
