import Documents
import Testing
import YAML

@Suite("YAML as Kubernetes reads it")
struct YAMLDocumentTests {
  static let scalars: [(String, JSONValue)] = [
    ("y", true), ("n", false), ("yes", true), ("No", false), ("on", true), ("OFF", false), ("true", true),
    ("~", nil), ("null", nil), ("\"yes\"", "yes"), ("'1'", "1"), ("1", 1), ("-7", -7), ("+7", 7), ("0x1F", 31),
    ("0o17", 15), ("017", 15), ("0b101", 5), ("1_000", 1000), ("-0x10", -16), ("08", .double(8)),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("18446744073709551615", .unsigned(.max)), ("1.5", 1.5), (".5", 0.5), ("1e3", .double(1000)), ("1.", .double(1)),
    ("1:30", "1:30"), ("2026-11-21", "2026-11-21"), ("10.20.0.0/28", "10.20.0.0/28"), ("1s", "1s"), ("-", [nil]),
    ("!!str 1", "1"), ("!!int \"3\"", 3), ("!!float 3", .double(3)), ("! 3", "3"), ("0x", "0x"), ("1e", "1e"),
    ("+-1", "+-1"),
  ]
  @Test("a plain scalar is resolved by YAML 1.1, a quoted one is a string", arguments: scalars)
  func scalar(text: String, value: JSONValue) throws {
    #expect(try YAMLDocument.one(in: "a: " + (text == "-" ? "\n- " : text)) == ["a": value])
  }

  @Test("a stream gives its documents in order, without the empty ones and the comments")
  func stream() throws {
    let text = "# head\n---\na: 1 # one\n---\n---\n# nothing\n---\n- {b: [1, x], c: {}}\n...\n"
    #expect(try YAMLDocument.all(in: text) == [["a": 1], [["b": [1, "x"], "c": [:]]]])
    #expect(try YAMLDocument.all(in: "") == [])
  }

  @Test("anchors, aliases and merge keys are resolved; the mapping's own keys win")
  func merging() throws {
    let text = "base: &b {x: 1, y2: 2}\nother: &o {x: 9, z: 3}\nc: {<<: [*b, *o], y2: 5}\nd: *b\n"
    let value = try YAMLDocument.one(in: text)
    #expect(value["c"] == ["x": 1, "y2": 5, "z": 3])
    #expect(value["d"] == ["x": 1, "y2": 2])
  }

  @Test("boolean and number keys become text")
  func keys() throws {
    #expect(try YAMLDocument.one(in: "on: 1\n2: b\n") == ["true": 1, "2": "b"])
  }

  static let faults: [(String, line: Int, column: Int, part: String)] = [
    ("a: 1\nb: 2\na: 3\n", 3, 1, "occurs twice"), ("a: [1, 2\nb: 3\n", 2, 2, ""), ("a: *x\n", 1, 4, "no anchor"),
    ("a: .inf\n", 1, 4, "JSON"), ("a:\n  - b\n c: 1\n", 3, 2, ""), ("a: !thing 1\n", 1, 4, "not supported"),
    ("a:\tb: c\n\tx: 1\n", 1, 5, ""), ("? [a]\n: 1\n", 1, 3, "key must be a string"), ("a: {<<: 1}\n", 1, 9, "mapping"),
    ("a: !!int x\n", 1, 4, "does not fit"),
  ]
  @Test("a fault says line and column", arguments: faults)
  func fault(text: String, line: Int, column: Int, part: String) {
    #expect { try YAMLDocument.all(in: text) } throws: { error in
      guard let error = error as? YAMLError else { return false }
      return error.line == line && error.column == column && (part.isEmpty || error.message.contains(part))
    }
  }

  @Test("bytes that are not UTF-8 are refused at their place")
  func badUTF8() {
    #expect { try YAMLDocument.all(in: Array("a: 1\nb: ".utf8) + [0xFF, 0x0A]) } throws: { error in
      (error as? YAMLError)?.line == 2
    }
  }

  @Test("aliases that expand beyond the bound are refused")
  func expansion() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }
    #expect { try YAMLDocument.all(in: text) } throws: { "\($0)".contains("expand") }
  }

  @Test("nesting beyond the bound is refused")
  func depth() {
    #expect { try YAMLDocument.all(in: String(repeating: "[", count: 5000)) } throws: { "\($0)".contains("deep") }
  }

  static let values: [JSONValue] = [
    ["a": "yes"], ["a": "1"], ["a": "null"], ["a": ""], ["a": " x"], ["a": "x: y"], ["a": "x #y"], ["a": "- x"],
    ["a": "1:30"],
    ["a": "2026-11-21"], ["a": "two\nlines"], ["a": "two\nlines\n"], ["a": "two\n\n  lines\n"], ["a": "\n"],
    ["a": " x\ny"],
    ["a": "x\n\n"], ["a": "tab\there"], ["a": "bell\u{7}\u{85}\u{2028}\u{FEFF}é"], ["a": "üñ 漢 😀"],
    ["a": [[1, [2]], [:], []]],
    ["a": [["b": 1, "c": [["d": 2]]]]], ["a": .unsigned(.max)], ["a": 0.1], ["a": -0.0], ["a": 1e300], ["y": 1],
    ["a b": 1],
    ["": 1], ["a": "<<"], ["a": "="], ["a": "0x"], ["a": "x:"], ["a": "~"], ["a": "..."], ["a": "---"], "text", [],
    [1, "b"], nil,
    ["a": "\"q\""], ["a": "back\\slash"], ["a": "10.20.0.0/28"], ["a": "12e3"], ["a": "1_0"], ["a": "{x}"],
    ["a": "trail "],
  ]
  @Test("what is written reads back as the same value", arguments: values)
  func roundTrip(value: JSONValue) throws {
    let text = YAMLDocument.text(of: value)
    let read = try YAMLDocument.all(in: text)
    #expect(value.isNull ? read.isEmpty : read == [value], "\(text)")
  }

  @Test("the emitter's style: known keys first, lists at their key's level, quotes where they are needed")
  func style() {
    let value: JSONValue = [
      "spec": ["b": ["x", "on"], "a": ["c": [["name": "m", "v": 1]]]], "metadata": ["name": "m"], "kind": "K",
      "apiVersion": "v1", "status": [:],
    ]
    #expect(
      YAMLDocument.text(of: value)
        == "apiVersion: v1\nkind: K\nmetadata:\n  name: m\nspec:\n  a:\n    c:\n    - name: m\n      v: 1\n  b:\n  - x\n  - \"on\"\nstatus: {}\n"
    )
  }

  @Test("a line in flow style reads back as the same value", arguments: values)
  func lineRoundTrip(value: JSONValue) throws {
    let line = YAMLDocument.line(of: ["a": value, "b": [value]])
    #expect(!line.contains("\n"))
    #expect(try YAMLDocument.all(in: "- \(line)\n") == [[["a": value, "b": [value]]]], "\(line)")
  }

  @Test("a line has the leading keys first and quotes where flow style needs them")
  func lineStyle() {
    let line = YAMLDocument.line(of: ["b": 1, "name": "x, y", "a": ["on", "kW.h", "40011"]], leading: ["name"])
    #expect(line == #"{name: "x, y", a: ["on", kW.h, "40011"], b: 1}"#)
  }
}
