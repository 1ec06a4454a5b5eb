import Documents
import Resources
import Testing
import YAML

@Suite("Formats and structure")
struct FormatTests {
  @Test(
    "formats of strings",
    arguments: [
      ("date", ["2026-11-21"], ["2026-13-01", "x", "2026-11-21T00:00:00Z"]),
      ("duration", ["1h30m", "1.5s", "-3ms"], ["", "1d", "x", "5"]),
      ("byte", ["", "aGk=", "aGkh"], ["a", "a===", "%%%%"]),
      ("ipv4", ["10.0.0.1"], ["10.0.0", "256.0.0.1", "01.0.0.1", "::1"]),
      (
        "ipv6", ["::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1"],
        ["1:2:3", ":::", "1:2:3:4:5:6:7:8:9", "10.0.0.1"]
      ),
      ("cidr", ["10.0.0.0/8", "fe80::/10"], ["10.0.0.0", "10.0.0.0/33", "::/129"]),
      ("mac", ["00:1a:2b:3c:4d:5e"], ["00:1a"]),
      ("uri", ["http://a/b", "urn:x"], ["a", "http://a b"]),
      ("hostname", ["a.example", "gw-1"], ["-a", "a..b", "a_b"]),
      ("email", ["a@b.example"], ["a", "a@", "@b"]), ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567"]),
      ("unknown-format", ["anything"], []),
    ] as [(String, [String], [String])])
  func formats(_ format: String, _ good: [String], _ bad: [String]) throws {
    let schema = try Schema(["type": "string", "format": .string(format)])
    for text in good { #expect(schema.faults(in: .string(text)).isEmpty, "\(text)") }
    for text in bad {
      let fault = schema.faults(in: .string(text), at: "v").first?.message ?? ""
      #expect(fault == "Invalid value: \"\(text)\": v in body must be of type \(format): \"\(text)\"")
    }
  }

  @Test(
    "schemas that Kubernetes would not take as structural are refused",
    arguments: [
      "{type: array, items: {type: string}, uniqueItems: true}", "{type: string, anyOf: [{type: string}]}",
      "{type: string, x-kubernetes-int-or-string: true}", "{type: object, x-kubernetes-preserve-unknown-fields: false}",
      "{type: string, x-kubernetes-list-type: set}",
      "{type: array, items: {type: string}, x-kubernetes-map-type: atomic}",
      "{type: array, items: {type: string}, x-kubernetes-list-type: bag}", "{type: string, oneOf: [{default: a}]}",
      "{type: object, allOf: [{additionalProperties: {minimum: 1}}]}",
      "{type: string, x-kubernetes-embedded-resource: true}",
      "{type: object, not: {x-kubernetes-validations: [{rule: 'true'}]}}", "{type: number, multipleOf: 0}",
    ])
  func structural(_ text: String) {
    #expect(throws: SchemaError.self) { try Schema(try YAMLDocument.one(in: text)) }
  }

  @Test("the one pair of types that may stand beside int-or-string is taken")
  func pair() throws {
    let schema = try Schema(
      try YAMLDocument.one(in: "{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}"))
    #expect(schema.faults(in: "a").isEmpty && schema.faults(in: 1).isEmpty && !schema.faults(in: true).isEmpty)
  }

  @Test("numbers among the allowed values are shown in quotes, as Kubernetes shows them")
  func enumeration() throws {
    let schema = try Schema(["type": "integer", "enum": [1, 2]])
    #expect(
      schema.faults(in: 3, at: "v").map(\.message) == ["Unsupported value: 3: supported values: \"1\", \"2\""])
  }

  @Test("an embedded resource needs its own apiVersion and kind")
  func embedded() throws {
    let schema = try Schema([
      "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
    ])
    #expect(schema.faults(in: ["metadata": 1], at: "v").map(\.field) == ["v.apiVersion", "v.kind", "v.metadata"])
    #expect(schema.faults(in: ["apiVersion": "v1", "kind": "A", "metadata": [:]]) == [])
  }

  @Test("list-map keys that defaults fill in are compared with the defaults")
  func defaultedKeys() throws {
    let schema = try Schema(
      try YAMLDocument.one(
        in: """
          type: array
          x-kubernetes-list-type: map
          x-kubernetes-list-map-keys: [name, port]
          items: {type: object, required: [name], properties: {name: {type: string}, port: {type: integer, default: 502}}}
          """))
    let value = schema.defaulting([["name": "x"], ["name": "x", "port": 502], ["name": "x", "port": 503]])
    let faults = schema.faults(in: value, at: "v")
    #expect(faults.map { "\($0.field): \($0.message)" } == ["v[1]: Duplicate value: {\"name\":\"x\",\"port\":502}"])
  }

  @Test("many faults and huge values make a bounded answer")
  func bounded() throws {
    let schema = try Schema(["type": "array", "items": ["type": "string", "pattern": "^a$"]])
    let huge = JSONValue.string(String(repeating: "b", count: 100_000))
    let faults = schema.faults(in: .array(Array(repeating: huge, count: 100)))
    #expect(faults.count == 65)
    #expect(faults.allSatisfy { $0.message.utf8.count < 500 })
    #expect(faults.last?.message.contains("36 further faults") == true)
  }
}
