import Documents
import Resources
import Testing
import YAML

@Suite("Validation rules")
struct RuleTests {
  private static let value = #"""
    {i: 7, d: 2.5, s: "héllo", b: true, span: 1h30m, list: [1, 2, 3], words: [a, b], empty: [], map: {x: 1, w: 2},
     items: [{name: a, n: 1}, {name: b, n: 2}], namespace: ns, a-b: dash, any: 5, inner: {x: 1}, whole: 3,
     time: "2026-01-02T03:04:05Z"}
    """#
  private static let schema = #"""
    type: object
    properties:
      i: {type: integer}
      d: {type: number}
      whole: {type: number}
      s: {type: string}
      b: {type: boolean}
      span: {type: string, format: duration}
      time: {type: string, format: date-time}
      list: {type: array, items: {type: integer}}
      words: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      empty: {type: array, items: {type: integer}}
      map: {type: object, additionalProperties: {type: integer}}
      items: {type: array, items: {type: object, properties: {name: {type: string}, n: {type: integer}, m: {type: integer}}}}
      namespace: {type: string}
      a-b: {type: string}
      any: {x-kubernetes-int-or-string: true}
      inner: {type: object, properties: {x: {type: integer}, w: {type: integer}}}
      absent: {type: integer}
      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
    """#

  private static func faults(_ rule: String, more: [String: JSONValue] = [:]) throws -> [APIStatus.Cause] {
    var schema = try YAMLDocument.one(in: schema)
    schema["x-kubernetes-validations"] = [.object(["rule": .string(rule)].merging(more) { $1 })]
    return try Schema(schema).violations(in: try YAMLDocument.one(in: value), at: "spec")
  }

  @Test(
    "expressions that hold",
    arguments: [
      "self.i == 7 && self.d == 2.5 && self.b", "self.i * 2 - 4 / 2 % 3 == 12", "-self.i < 0", "!(self.i > 7)",
      "self.whole == 3.0", "self.whole / 2.0 == 1.5", "self.i + 0x10 == 23", "self.s == 'h\\u00e9llo'",
      "self.s.size() == 5",
      "size(self.s) == 5", "self.s.startsWith('h') && self.s.endsWith('lo') && self.s.contains('él')",
      "self.s.matches('^h.l+o$') && !self.s.matches('^x')", "matches(self.s, 'l{2}')", "self.list[1] == 2",
      "self.list.size() == 3", "2 in self.list && !(9 in self.list)", "'x' in self.map && !('z' in self.map)",
      "self.map['x'] == 1 && self.map.w == 2", "self.map.all(k, self.map[k] > 0)", "has(self.i) && !has(self.absent)",
      "has(self.inner.x) && !has(self.inner.w)", "self.list.all(x, x > 0)", "self.list.exists(x, x == 3)",
      "self.list.exists_one(x, x > 2)", "!self.list.exists_one(x, x > 1)", "self.list.map(x, x * 2) == [2, 4, 6]",
      "self.list.map(x, x > 1, x * 2) == [4, 6]", "self.list.filter(x, x > 1).size() == 2", "self.empty.all(x, false)",
      "self.items.all(i, self.items.exists(j, i.name == j.name))",
      "self.words == ['b', 'a'] || self.words == ['a', 'b']",
      "self.__namespace__ == 'ns' && self.a__dash__b == 'dash'", "self.b ? true : false",
      "has(self.absent) ? self.absent > 0 : true", "self.span == duration('90m')", "self.span < duration('2h')",
      "self.span + duration('30m') == duration('2h')", "string(self.span) == '5400s'",
      "self.time > timestamp('2025-01-01T00:00:00Z')",
      "int(self.d) == 2 && double(self.i) == 7.0 && string(self.i) == '7'", "int('12') == 12 && uint(3) == 3u",
      "self.any == 5", "'a' + 'b' == 'ab'", "[1] + [2] == [1, 2]", "{'a': 1}['a'] == 1", "r'\\d' == '\\\\d'",
      "'''a'b''' == \"a'b\"", "// a remark\n self.b", "self.absent > 0 || self.b", "self.b || self.absent > 0",
      "!(self.absent > 0 && !self.b)", "!(!self.b && self.absent > 0)",
      "self.list.exists(x, x / (x - 1) > 1 || x == 3)",
      "'a' < 'b' && false < true", "self.i >= 7 && self.i <= 7 && self.i != 8",
    ])
  func holds(_ rule: String) throws {
    #expect(try Self.faults(rule, more: ["message": "m"]) == [])
  }

  @Test(
    "expressions without a value say why",
    arguments: [
      ("self.absent > 0", "no such key: absent"), ("self.list[5] == 1", "index out of bounds: 5"),
      ("self.i / 0 == 1", "division by zero"), ("self.map['q'] == 1", "no such key: q"),
      ("9223372036854775807 + self.i > 0", "integer overflow"), ("int(self.s) == 1", "cannot convert"),
      ("duration(self.s) > duration('1s')", "invalid duration"), ("self.absent > 0 && self.b", "no such key: absent"),
      ("self.list.all(x, x / (x - 1) > 0)", "division by zero"), ("self.any.startsWith('a')", "no such overload"),
    ])
  func failure(_ rule: String, _ part: String) throws {
    let faults = try Self.faults(rule)
    #expect(faults.count == 1)
    #expect(faults.first?.message.contains(part) == true, "\(faults)")
    #expect(faults.first?.message.contains(rule) == true)
  }

  @Test(
    "what cannot be compiled is refused with the schema",
    arguments: [
      ("self.", "ends too early"), ("self.i ==", "ends too early"), ("self.i == 1)", "unexpected ')'"),
      ("'a", "without an end"),
      ("self.nothing == 1", "undefined field 'nothing'"), ("self.free.x == 1", "undefined field 'x'"),
      ("this.i == 1", "undeclared reference"),
      ("self.i == 'a'", "no matching overload"), ("self.i + 1.5 > 2.0", "no matching overload"),
      ("self.i", "must be of type bool"),
      ("self.list.all(x)", "takes a variable"), ("has(self)", "has()"), ("self.s.trim() == ''", "undeclared reference"),
      ("self.s.matches('(?=a)')", "is served"), ("self.i.all(x, true)", "cannot be range"),
      ("package == 1", "reserved"),
      ("self.d % 2.0 == 0.0", "no matching overload"), ("self.i < self.d", "no matching overload"),
    ])
  func refusal(_ rule: String, _ part: String) {
    #expect { try Self.faults(rule) } throws: { "\($0)".contains(part) }
  }

  @Test("an entry's other members are checked, too")
  func entries() {
    for entry: [String: JSONValue] in [
      ["reason": "Sad"], ["fieldPath": ".nothing"], ["fieldPath": "i"], ["messageExpression": "1"], ["message": ""],
      ["colour": "red"], ["optionalOldSelf": true],
    ] {
      #expect(throws: SchemaError.self) { try Self.faults("self.b", more: entry) }
    }
  }

  @Test("messages have Kubernetes' shapes")
  func messages() throws {
    #expect(
      try Self.faults("self.i > 9").map { "\($0.field): \($0.message)" } == [
        "spec: Invalid value: \"object\": failed rule: self.i > 9"
      ])
    #expect(
      try Self.faults("self.i > 9", more: ["message": "too small", "fieldPath": ".i"]).map {
        "\($0.field): \($0.message)"
      }
        == ["spec.i: Invalid value: \"object\": too small"])
    #expect(
      try Self.faults("self.i > 9", more: ["message": "m", "messageExpression": "'i is ' + string(self.i)"]).first?
        .message
        == "Invalid value: \"object\": i is 7")
    #expect(
      try Self.faults("self.i > 9", more: ["message": "m", "messageExpression": "'i is ' + string(self.absent)"]).first?
        .message == "Invalid value: \"object\": m")
    let forbidden = try Self.faults("self.i > 9", more: ["message": "no", "reason": "FieldValueForbidden"])
    #expect(forbidden.first?.message == "Forbidden: no" && forbidden.first?.reason == "FieldValueForbidden")
  }

  private static let transitions = #"""
    type: object
    properties:
      name: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: is immutable}]}
      list:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [k]
        items:
          type: object
          required: [k]
          properties: {k: {type: string}, v: {type: integer}}
          x-kubernetes-validations: [{rule: self.v >= oldSelf.v, message: must not fall}]
      once:
        type: integer
        x-kubernetes-validations: [{rule: 'oldSelf.hasValue() ? self == oldSelf.value() : self > 0', optionalOldSelf: true, message: once}]
    """#

  @Test("a rule with oldSelf compares with the same thing before, by name and by key")
  func transition() throws {
    let schema = try Schema(try YAMLDocument.one(in: Self.transitions))
    func fields(_ new: String, _ old: String?) throws -> [String] {
      let old = try old.map { try YAMLDocument.one(in: $0) }
      return schema.violations(in: try YAMLDocument.one(in: new), replacing: old).map(\.field)
    }
    #expect(try fields("{name: a}", nil) == [])
    #expect(try fields("{name: a}", "{}") == [])
    #expect(try fields("{name: a}", "{name: b}") == ["name"])
    #expect(try fields("{list: [{k: b, v: 1}, {k: a, v: 1}]}", "{list: [{k: a, v: 2}, {k: b, v: 1}]}") == ["list[1]"])
    #expect(try fields("{list: [{k: c, v: 1}]}", "{list: [{k: a, v: 2}]}") == [])
    #expect(try fields("{once: 0}", nil) == ["once"])
    #expect(try fields("{once: 2}", "{once: 1}") == ["once"])
  }

  @Test("oldSelf below a list that knows no keys is refused")
  func uncorrelated() {
    let text = "{type: array, items: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}}"
    #expect { try Schema(try YAMLDocument.one(in: text)) } throws: { "\($0)".contains("oldSelf") }
  }

  @Test("rules wait until the structure fits; the answer says so")
  func blocked() throws {
    let schema = try Schema(
      try YAMLDocument.one(
        in:
          "{type: object, required: [a], properties: {a: {type: integer}}, x-kubernetes-validations: [{rule: self.a > 1}]}"
      ))
    let blocked = schema.refusals(of: [:])
    #expect(blocked.map(\.field) == ["a", "<nil>"])
    #expect(blocked.last?.message.contains("some validation rules were not checked") == true)
    #expect(schema.refusals(of: ["a": 1]).map(\.message) == ["Invalid value: \"object\": failed rule: self.a > 1"])
    #expect(schema.refusals(of: ["a": 2]) == [])
  }

  @Test("a rule that costs too much is ended, and told")
  func cost() throws {
    let schema = try Schema(
      try YAMLDocument.one(
        in:
          "{type: array, items: {type: integer}, x-kubernetes-validations: [{rule: 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))'}]}"
      ))
    let faults = schema.violations(in: .array(Array(repeating: 1, count: 500)))
    #expect(faults.count == 1)
    #expect(faults.first?.message.contains("cost") == true)
  }

  @Test("names are escaped as Kubernetes says")
  func escaping() throws {
    for (property, name) in [
      ("namespace", "__namespace__"), ("a-b", "a__dash__b"), ("a.b", "a__dot__b"), ("a/b", "a__slash__b"),
      ("a__b", "a__underscores__b"), ("in", "__in__"), ("_x", "_x"),
    ] {
      let schema = try Schema([
        "type": "object", "properties": [property: ["type": "integer"]],
        "x-kubernetes-validations": [["rule": .string("self.\(name) == 1")]],
      ])
      #expect(schema.violations(in: .object([property: 1])).isEmpty, "\(name)")
      #expect(schema.violations(in: .object([property: 2])).count == 1)
    }
  }
}
