import Documents
import Gateway
import Resources
import Testing
import YAML

/// The rules of the project's own CRDs: one object that each lets pass, and one that it refuses.
@Suite struct SchemaRuleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var kind: String
    var good: String
    var bad: String
    var words: String
    var testDescription: String { "\(kind): \(words)" }
    init(_ kind: String, _ good: String, _ bad: String, _ words: String) {
      (self.kind, self.good, self.bad, self.words) = (kind, good, bad, words)
    }
  }

  private static func model(_ property: String, protocol name: String = "modbus") -> String {
    "{protocol: \(name), properties: [{name: p, \(property)}]}"
  }
  private static func register(_ text: String, type: String = "integer") -> String {
    model("type: \(type), modbus: {\(text)}")
  }
  private static func topic(_ text: String) -> String { model("type: number, mqtt: {\(text)}", protocol: "mqtt") }
  private static func stage(_ text: String) -> String { "{to: [{name: s}], stages: [{\(text)}]}" }
  private static func window(_ text: String) -> String {
    "{to: [{name: s}], stages: [{aggregate: {window: {\(text)}, functions: [mean]}}]}"
  }

  static let cases: [Case] = [
    Case("DeviceModel", register("table: input, address: 1"), model("type: integer"), "lacks modbus"),
    Case(
      "DeviceModel",
      "{protocol: modbus, identity: {serialNumber: p}, properties: [{name: p, type: integer, modbus: {register: 30001}}]}",
      "{protocol: modbus, identity: {serialNumber: q}, properties: [{name: p, type: integer, modbus: {register: 30001}}]}",
      "names no property of the model"),
    Case(
      "DeviceModel",
      "{protocol: modbus, identity: {}, properties: [{name: p, type: number, modbus: {register: 30001}}]}",
      "{protocol: modbus, identity: {serialNumber: p}, properties: [{name: p, type: number, modbus: {register: 30001}}]}",
      "a string or an integer"),
    Case(
      "DeviceModel", topic("topic: a"),
      model("type: number, mqtt: {topic: a}, modbus: {register: 30001}", protocol: "mqtt"),
      "property p has modbus"),
    Case(
      "DeviceModel", model("type: number, minimum: 1, maximum: 1, modbus: {register: 30001}"),
      model("type: number, minimum: 2, maximum: 1, modbus: {register: 30001}"), "minimum must not be greater"),
    Case(
      "DeviceModel", model("type: integer, maximum: 1, modbus: {register: 30001}"),
      model("type: boolean, maximum: 1, modbus: {register: 1}"), "types integer and number only"),
    Case(
      "DeviceModel", model("type: integer, access: ReadWrite, write: {retries: 1}, modbus: {register: 40001}"),
      model("type: integer, write: {retries: 1}, modbus: {register: 40001}"), "write is for properties"),
    Case(
      "DeviceModel", model("type: integer, poll: {every: 1s}, modbus: {register: 40001}"),
      model("type: integer, poll: {every: 0s}, modbus: {register: 40001}"), "must be longer than 0s"),
    Case(
      "DeviceModel", register("register: 30001, scale: 0.1"), register("register: 30001, scale: 0"), "must not be 0"),
    Case("DeviceModel", register("register: 465536"), register("register: 20001"), "no Modicon number"),
    Case(
      "DeviceModel", register("table: coil, address: 1"), register("table: coil, address: 1, bit: 3"), "single bits"),
    Case(
      "DeviceModel", register("register: 30001, encoding: string, registers: 4", type: "string"),
      register("register: 30001, encoding: string", type: "string"), "needs registers"),
    Case(
      "DeviceModel", register("register: 10001, encoding: bit"), register("register: 30001, encoding: bit"),
      "needs bit, 0 to 15"),
    Case(
      "DeviceModel", register("register: 30001, encoding: uint16, bit: 3"),
      register("register: 30001, encoding: float32, bit: 3"), "integer encoding"),
    Case(
      "DeviceModel", register("register: 30001, bit: 3"), register("register: 30001, bit: 3, offset: 2"), "single bit"),
    Case("DeviceModel", topic("topic: a/b"), topic("topic: a/+"), "without wildcards"),
    Case("DeviceModel", topic("setTopic: a/b"), topic("setTopic: a/#"), "without wildcards"),
    Case(
      "DeviceModel", topic("setTopic: a, setPayload: '{value}'"), topic("setTopic: a, setPayload: x"),
      "must contain {value}"),
    Case("DeviceModel", topic("setTopic: a, retain: true"), topic("retain: true"), "need setTopic"),
    Case("DeviceModel", topic("encoding: json, path: a"), topic("encoding: text, path: a"), "has no paths"),
    Case(
      "DeviceModel", model("type: string, udev: {env: ID}", protocol: "udev"),
      model("type: string, udev: {env: ID, attribute: a}", protocol: "udev"), "either env or attribute"),
    Case(
      "DeviceModel", model("type: string, udev: {attribute: a/b}", protocol: "udev"),
      model("type: string, udev: {attribute: a/../b}", protocol: "udev"), "below the folder"),
    Case(
      "Device", "{connection: {modbus: {serial: {path: /dev/ttyS0}, unitID: 247}}}",
      "{connection: {modbus: {serial: {path: /dev/ttyS0}, unitID: 255}}}", "1 to 247"),
    Case(
      "Device", "{connection: {modbus: {tcp: {host: h}, timeout: 1s}}}",
      "{connection: {modbus: {tcp: {host: h}, timeout: 0s}}}",
      "longer than 0s"),
    Case(
      "Device", "{connection: {modbus: {tcp: {host: h}}}}",
      "{connection: {modbus: {tcp: {host: h}, serial: {path: /dev/ttyS0}}}}", "give exactly one of tcp, serial"),
    Case("Device", "{connection: {udev: {devnode: /dev/a}}}", "{connection: {udev: {}}}", "give devpath or devnode"),
    Case(
      "Discovery", "{modbus: {serial: {paths: [/dev/a]}}}", "{modbus: {serial: {allowActiveScan: true}}}",
      "name the ports"),
    Case(
      "Discovery", "{mqtt: {brokerRef: {name: b}, conventions: [homie]}}", "{mqtt: {brokerRef: {name: b}}}",
      "give topics or conventions"),
    Case(
      "Discovery", "{every: 1s, udev: {rules: [a]}}", "{every: 0s, udev: {rules: [a]}}", "longer than 0s"),
    Case(
      "Discovery", "{udev: {rules: [a]}, nodeSelector: {matchExpressions: [{key: a, operator: Exists}]}}",
      "{udev: {rules: [a]}, nodeSelector: {matchExpressions: [{key: a, operator: In}]}}", "In and NotIn need values"),
    Case("Broker", "{url: 'mqtts://h', tls: {caFile: a}}", "{url: 'mqtt://h', tls: {caFile: a}}", "mqtts:// only"),
    Case(
      "Broker", "{url: 'mqtt://h', credentialsFile: a}",
      "{url: 'mqtt://h', credentialsFile: a, credentialsSecretRef: {name: s}}", "exclude each other"),
    Case(
      "Broker", "{url: 'mqtts://h', tls: {caSecretRef: {name: a}}}",
      "{url: 'mqtts://h', tls: {caFile: a, caSecretRef: {name: a}}}", "exclude each other"),
    Case(
      "Broker", "{url: 'mqtts://h', tls: {certificateFile: a, keyFile: b}}",
      "{url: 'mqtts://h', tls: {certificateFile: a}}", "go together"),
    Case(
      "Broker", "{url: 'mqtts://h', tls: {certificateSecretRef: {name: a}}}",
      "{url: 'mqtts://h', tls: {certificateFile: a, keyFile: b, certificateSecretRef: {name: a}}}", "exclude each other"
    ),
    Case(
      "Sink", "{mqtt: {brokerRef: {name: b}, topic: 'a/{device}'}}", "{mqtt: {brokerRef: {name: b}, topic: 'a/#'}}",
      "without wildcards"),
    Case(
      "Sink", "{http: {url: 'https://h/p?q=1', tls: {caFile: a}}}", "{http: {url: 'http://h', tls: {caFile: a}}}",
      "https:// only"),
    Case(
      "Sink", "{http: {url: 'http://h', headers: {X-Site: a}}}",
      "{http: {url: 'http://h', headers: {Authorization: a}}}",
      "belongs into a Secret"),
    Case(
      "Sink", "{http: {url: 'http://h', format: influx, influx: {database: d}}}",
      "{http: {url: 'http://h', influx: {database: d}}}", "influx only"),
    Case(
      "Sink", "{http: {url: 'http://h', format: influx, influx: {org: o, bucket: b}}}",
      "{http: {url: 'http://h', format: influx, influx: {bucket: b}}}", "go together"),
    Case("Sink", "{otlp: {endpoint: 'http://h:4318'}}", "{otlp: {endpoint: 'http://u:p@h:4318'}}", "match"),
    Case(
      "Sink", "{prometheusRemoteWrite: {url: 'http://h', tokenFile: a}}",
      "{prometheusRemoteWrite: {url: 'http://h', tokenFile: a, credentialsSecretRef: {name: s}}}", "excludes a token"),
    Case("Sink", "{file: {path: a/b}}", "{file: {path: ../b}}", "without .."),
    Case("Sink", "{file: {path: a..b}}", "{file: {path: /b}}", "relative to the folder"),
    Case(
      "Sink", "{file: {path: a, rotate: {maxBytes: 4096}}}", "{file: {path: a, rotate: {maxBytes: 1}}}",
      "greater than or equal to 4096"),
    Case(
      "Pipeline", window("hopping: {size: 10s, every: 5s}"), window("hopping: {size: 5s, every: 10s}"),
      "longer than size"),
    Case("Pipeline", window("tumbling: 10s"), window("tumbling: 0s"), "longer than 0s"),
    Case("Pipeline", window("session: {gap: 1s, max: 1m}"), window("session: {gap: 1m, max: 1s}"), "shorter than gap"),
    Case(
      "Pipeline", "{to: [{name: s}], stages: [{deadband: {absolute: 1}}]}",
      "{to: [{name: s}], stages: [{deadband: {absolute: 1, percent: 1}}]}", "give exactly one of absolute, percent"),
    Case(
      "Pipeline", "{to: [{name: s}], stages: [{dedup: {}}, {aggregate: {window: {tumbling: 1s}, functions: [mean]}}]}",
      "{to: [{name: s}], stages: [{aggregate: {window: {tumbling: 1s}, functions: [mean]}}, {dedup: {}}]}",
      "aggregate must be the last stage"),
    Case("Pipeline", stage("range: {min: 1, max: 2}"), stage("range: {min: 2, max: 1}"), "min must not be greater"),
    Case("Pipeline", stage("dedup: {by: Sample}"), stage("dedup: {by: Sample, heartbeat: 1s}"), "no meaning with by"),
    Case("Pipeline", stage("sample: {every: 2}"), stage("sample: {every: 2, interval: 1s}"), "exactly one of"),
    Case(
      "Pipeline", stage("swingingDoor: {deviation: 1, minInterval: 1s, maxInterval: 1m}"),
      stage("swingingDoor: {deviation: 1, minInterval: 1m, maxInterval: 1s}"), "longer than maxInterval"),
    Case(
      "Pipeline", stage("alarm: {name: a, above: 1, hysteresis: 1}"),
      stage("alarm: {name: a, above: 1, when: value > 1}"), "either when, or above or below"),
    Case(
      "Pipeline", stage("alarm: {name: a, when: value > 1, clear: value < 0}"),
      stage("alarm: {name: a, above: 1, clear: value < 0}"), "clear goes with when"),
    Case(
      "Pipeline", stage("alarm: {name: a, below: 1}"), stage("alarm: {name: a, when: value < 1, hysteresis: 1}"),
      "hysteresis goes with above"),
  ]

  private static func schema(_ kind: String) throws -> Schema {
    let definition = try BuiltInPlugins.definitions().first { $0.kind == kind }
    return try Schema(try #require(definition).schema)
  }

  @Test(arguments: cases) func aRuleLetsThrough(_ entry: Case) throws {
    let schema = try Self.schema(entry.kind)
    #expect(schema.refusals(of: schema.defaulting(["spec": try YAMLDocument.one(in: entry.good)])) == [])
  }

  @Test(arguments: cases) func aRuleRefuses(_ entry: Case) throws {
    let schema = try Self.schema(entry.kind)
    let faults = schema.refusals(of: schema.defaulting(["spec": try YAMLDocument.one(in: entry.bad)]))
    #expect(faults.contains { $0.message.contains(entry.words) }, "\(faults)")
  }

  @Test(
    arguments: [
      Case("DeviceModel", "{protocol: modbus, model: b}", "{protocol: mqtt, model: a}", "another model"),
      Case(
        "Discovery", "{udev: {rules: [b]}}", "{mqtt: {brokerRef: {name: b}, conventions: [homie]}}", "another Discovery"
      ),
      Case("Sink", "{file: {path: b}}", "{mqtt: {brokerRef: {name: b}, topic: a}}", "cannot be changed"),
    ]) func someThingsCannotChange(_ entry: Case) throws
  {
    let old: [String: JSONValue] = [
      "DeviceModel": ["protocol": "modbus", "model": "a"], "Discovery": ["udev": ["rules": ["a"]]],
      "Sink": ["file": ["path": "a"]],
    ]
    let schema = try Self.schema(entry.kind)
    func faults(_ text: String) throws -> [APIStatus.Cause] {
      let new = schema.defaulting(["spec": try YAMLDocument.one(in: text)])
      return schema.refusals(of: new, replacing: schema.defaulting(["spec": old[entry.kind]!]))
    }
    #expect(try faults(entry.good) == [])
    #expect(try faults(entry.bad).contains { $0.message.contains(entry.words) })
  }

  /// What Kubernetes asks of a CustomResourceDefinition beyond its schema, which compiling checks.
  @Test func theDefinitionsAreWhatKubernetesTakes() throws {
    for crd in try BuiltInPlugins.customResourceDefinitions() {
      let names = try #require(crd[path: "spec", "names"])
      for key in ["plural", "singular", "kind", "listKind"] {
        let name = try #require(names[key]?.string)
        #expect((1...63).contains(name.utf8.count))
        #expect(key.lowercased().contains("kind") || name == name.lowercased())
      }
      #expect(crd[path: "metadata", "name"]?.string == "\(names["plural"]?.string ?? "").selvedge.dev")
      let version = try #require(crd[path: "spec", "versions"]?.array?.first)
      let root = try #require(version[path: "schema", "openAPIV3Schema"])
      _ = try Schema(root)
      let metadata = root[path: "properties", "metadata", "properties"]?.object ?? [:]
      #expect(Set(metadata.keys).isSubset(of: ["name", "generateName"]))
      for field in version["selectableFields"]?.array ?? [] {
        var node = root
        for name in (field["jsonPath"]?.string ?? "").split(separator: ".") {
          node = try #require(node[path: "properties", String(name)])
        }
        #expect(["string", "boolean", "integer"].contains(node["type"]?.string ?? ""))
      }
      Self.checkBounds(root, at: crd[path: "spec", "names", "kind"]?.string ?? "")
    }
  }

  /// Kubernetes estimates a rule's cost by the bounds around it: each list, map and text that a rule sees has one.
  private static func checkBounds(_ node: JSONValue, at path: String) {
    let hasRule = holdsRule(node)
    if node["type"] == "array", hasRule { #expect(node["maxItems"] != nil, "\(path) has no maxItems") }
    if node["type"] == "string", node["x-kubernetes-validations"] != nil {
      #expect(node["maxLength"] != nil || node["enum"] != nil, "\(path) has no maxLength")
    }
    for (name, property) in node["properties"]?.object ?? [:] {
      checkBounds(property, at: "\(path).\(name)")
    }
    if let items = node["items"] { checkBounds(items, at: "\(path)[]") }
  }

  private static func holdsRule(_ node: JSONValue) -> Bool {
    node["x-kubernetes-validations"] != nil || node["items"].map(holdsRule) ?? false
      || (node["properties"]?.object ?? [:]).values.contains(where: holdsRule)
  }
}
