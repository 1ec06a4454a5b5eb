import Documents
import Resources
import Testing
import YAML

@Suite("Structural schemas")
struct SchemaTests {
  static let faults: [(schema: String, value: String, messages: [String])] = [
    ("{type: integer}", "1.0", []), ("{type: integer}", "1.5", ["v in body must be of type integer: \"number\""]),
    ("{type: number}", "1", []), ("{type: string}", "null", ["v in body must be of type string: \"null\""]),
    ("{type: string, nullable: true}", "null", []),
    (
      "{type: number, minimum: 1, exclusiveMinimum: true}", "1",
      ["Invalid value: 1: v in body should be greater than 1"]
    ),
    (
      "{type: number, maximum: 1, exclusiveMaximum: true}", "1.5",
      ["Invalid value: 1.5: v in body should be less than 1"]
    ),
    (
      "{type: integer, maximum: 9223372036854775807}", "18446744073709551615",
      ["Invalid value: 18446744073709551615: v in body should be less than or equal to 9223372036854775807"]
    ),
    ("{type: integer, format: int32}", "3000000000", ["must be of type int32"]),
    ("{type: number, multipleOf: 0.1}", "0.3", []),
    ("{type: number, multipleOf: 0.5}", "0.3", ["should be a multiple of 0.5"]),
    ("{type: string, minLength: 2}", "x", ["Invalid value: \"x\": v in body should be at least 2 chars long"]),
    ("{type: string, maxLength: 2}", "äöü", ["Too long: may not be more than 2 bytes"]),
    ("{type: string, maxLength: 3}", "äöü", []),
    ("{type: string, format: date-time}", "now", ["must be of type date-time: \"now\""]),
    ("{type: string, format: date-time}", "\"2026-11-21T04:07:00Z\"", []),
    ("{type: array, maxItems: 1, items: {type: string}}", "[a, b]", ["Too many: 2: must have at most 1 items"]),
    ("{type: array, items: {type: string}, x-kubernetes-list-type: set}", "[a, b, a]", ["Duplicate value: \"a\""]),
    (
      "{type: array, items: {type: object, required: [k], properties: {k: {type: string}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]}",
      "[{k: a}, {k: a}]", ["Duplicate value: {\"k\":\"a\"}"]
    ),
    (
      "{type: object, additionalProperties: {type: integer}}", "{a: 1, b: x}",
      ["v.b in body must be of type integer: \"string\""]
    ),
    (
      "{type: object, maxProperties: 1, additionalProperties: {type: integer}}", "{a: 1, b: 2}",
      ["Too many: 2: must have at most 1 items"]
    ),
    ("{x-kubernetes-int-or-string: true}", "a", []), ("{x-kubernetes-int-or-string: true}", "1", []),
    ("{x-kubernetes-int-or-string: true}", "1.5", ["must be of type integer,string: \"number\""]),
    (
      "{type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}",
      "{}",
      ["\"v\" must validate at least one schema (anyOf): give at least one of a, b"]
    ),
    (
      "{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}",
      "{a: x, b: x}",
      ["\"v\" must validate one and only one schema (oneOf). Found 2 valid alternatives: give exactly one of a, b"]
    ),
    ("{type: integer, allOf: [{minimum: 2}, {maximum: 4}]}", "5", ["should be less than or equal to 4"]),
    (
      "{type: object, properties: {a: {type: string}}, not: {required: [a]}}", "{a: x}",
      ["\"v\" must not validate the schema (not)"]
    ),
    (
      "{type: object, properties: {a: {type: string}, b: {type: string}}, required: [a, b]}", "{}",
      ["Required value", "Required value"]
    ),
    ("{type: boolean}", "true", []), ("{type: boolean}", "\"true\"", ["v in body must be of type boolean: \"string\""]),
  ]
  @Test("values are judged in Kubernetes' words", arguments: faults)
  func judge(schema: String, value: String, messages: [String]) throws {
    let schema = try Schema(try YAMLDocument.one(in: schema))
    let value = try YAMLDocument.one(in: "v: \(value)")["v"] ?? .null
    let faults = schema.faults(in: value, at: "v")
    #expect(faults.count == messages.count)
    for (fault, message) in zip(faults, messages) { #expect(fault.message.contains(message), "\(fault)") }
  }

  @Test("unknown members go, with their paths; what is preserved stays whole")
  func pruning() throws {
    let schema = try Schema(
      try YAMLDocument.one(
        in: """
          type: object
          properties:
            spec:
              type: object
              properties:
                list: {type: array, items: {type: object, properties: {a: {type: string}}}}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: object}}}
                map: {type: object, additionalProperties: {type: object, properties: {a: {type: string}}}}
          """))
    let value = try YAMLDocument.one(
      in: """
        apiVersion: a
        metadata: {x: 1}
        odd: 1
        spec:
          list: [{a: x}, {a: x, b: y}]
          free: {any: {thing: 1}, known: {gone: 1}}
          map: {k: {a: x, b: y}}
        """)
    let (pruned, removed) = schema.pruning(value)
    #expect(removed == ["odd", "spec.free.known.gone", "spec.list[1].b", "spec.map.k.b"])
    #expect(
      pruned["spec"] == [
        "list": [["a": "x"], ["a": "x"]], "free": ["any": ["thing": 1], "known": [:]], "map": ["k": ["a": "x"]],
      ])
    #expect(pruned["apiVersion"] == "a" && pruned["metadata"] == ["x": 1])
  }

  @Test("a null that may not be null takes the default; one that may stays")
  func nulls() throws {
    let schema = try Schema(
      try YAMLDocument.one(
        in: "{type: object, properties: {a: {type: string, default: d}, b: {type: string, default: d, nullable: true}}}"
      ))
    #expect(schema.defaulting(["a": nil, "b": nil]) == ["a": "d", "b": nil])
  }

  static let unfit: [(String, String)] = [
    ("{}", "type is missing"), ("{type: text}", "unknown type"), ("{type: array}", "items is missing"),
    ("{type: object, $ref: a}", "not supported"), ("{type: string, pattern: '('}", "missing ')'"),
    ("{type: string, default: 1}", "the default does not fit"),
    ("{type: integer, minimum: 1, default: 0}", "the default does not fit"),
    ("{type: object, properties: {a: {type: string}}, additionalProperties: true}", "exclude each other"),
    ("{type: array, items: {type: object}, x-kubernetes-list-type: map}", "list-map-keys"),
    (
      "{type: array, items: {type: object, properties: {k: {type: string}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]}",
      "must be required"
    ),
  ]
  @Test("what is no structural schema is refused", arguments: unfit)
  func refusal(text: String, part: String) {
    #expect { try Schema(try YAMLDocument.one(in: text)) } throws: { "\($0)".contains(part) }
  }

  static let patterns: [(String, String, Bool)] = [
    ("^a$", "a", true), ("^a$", "ab", false), ("a", "bab", true), ("^[a-c]+$", "abcab", true),
    ("^[^/]+$", "a/b", false),
    ("^(ab|cd){2}$", "abcd", true), ("^(ab|cd){2}$", "ab", false), ("^a{2,3}$", "aaaa", false),
    ("^a{2,}$", "aaaa", true),
    ("^\\d+\\.\\d*$", "12.", true), ("^\\d+\\.\\d*$", "12x", false), ("^a?b*$", "", true), ("^[-a.]+$", "-.a", true),
    ("^[]a]$", "]", true),
    ("^[\\w-]+$", "a_-1", true), ("^.$", "é", true), ("^.$", "\n", false), ("(?:a|b)c", "xbc", true), ("^$", "", true),
    ("^$", "a", false),
    ("^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false), ("^([0-9]{1,5}(h|m|s|ms)){1,4}$", "1h30m500ms", true),
    ("^([0-9]{1,5}(h|m|s|ms)){1,4}$", "2d", false), ("^([0-9]{1,5}(h|m|s|ms)){1,4}$", "1s1s1s1s1s", false),
    ("[\\]]", "]", true),
  ]
  @Test("patterns match as RE2's do", arguments: patterns)
  func pattern(pattern: String, text: String, matches: Bool) throws {
    let schema = try Schema(["type": "string", "pattern": .string(pattern)])
    #expect(schema.faults(in: .string(text)).isEmpty == matches)
  }

  @Test("a pattern that would make a backtracking matcher stall is judged at once")
  func linear() throws {
    let schema = try Schema(["type": "string", "pattern": "^(a|a|aa)*(a|aa)*$"])
    #expect(!schema.faults(in: .string(String(repeating: "a", count: 5_000) + "b")).isEmpty)
  }

  @Test(
    "patterns beyond the subset are refused when the schema is read",
    arguments: [
      "(?=a)", "a{2", "[a", "\\p{L}", "*a", "a)", "[b-a]", "a{2000}",
    ])
  func badPattern(pattern: String) {
    #expect(throws: SchemaError.self) { try Schema(["type": "string", "pattern": .string(pattern)]) }
  }
}
