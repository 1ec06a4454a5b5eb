import Documents
import Resources
import Testing

@Suite("JSON Patch")
struct JSONPatchTests {
  static let cases: [(document: JSONValue, patch: JSONValue, result: JSONValue)] = [
    (["a": 1], [["op": "add", "path": "/b", "value": 2]], ["a": 1, "b": 2]),
    (["a": [1, 3]], [["op": "add", "path": "/a/1", "value": 2]], ["a": [1, 2, 3]]),
    (["a": [1]], [["op": "add", "path": "/a/-", "value": 2]], ["a": [1, 2]]),
    (["a": ["b": 1]], [["op": "remove", "path": "/a/b"]], ["a": [:]]),
    (["a": [1, 2]], [["op": "replace", "path": "/a/0", "value": 9]], ["a": [9, 2]]),
    (["a": 1], [["op": "move", "from": "/a", "path": "/b"]], ["b": 1]),
    (["a": ["x": 1]], [["op": "copy", "from": "/a", "path": "/b"]], ["a": ["x": 1], "b": ["x": 1]]),
    (
      ["a/b": 1, "m~n": 2], [["op": "replace", "path": "/a~1b", "value": 3], ["op": "remove", "path": "/m~0n"]],
      ["a/b": 3]
    ),
    (["a": 1], [["op": "test", "path": "/a", "value": 1.0]], ["a": 1]),
    (["a": 1], [["op": "add", "path": "", "value": [:]]], [:]),
    (["a": nil], [["op": "replace", "path": "/a", "value": 1]], ["a": 1]),
  ]
  @Test("operations", arguments: cases)
  func apply(document: JSONValue, patch: JSONValue, result: JSONValue) throws {
    #expect(try JSONPatch.applying(patch, to: document) == result)
  }

  static let refused: [(JSONValue, Int)] = [
    ([["op": "remove", "path": "/zz"]], 422), ([["op": "replace", "path": "/l/9", "value": 1]], 422),
    ([["op": "add", "path": "/l/01", "value": 1]], 422), ([["op": "test", "path": "/a", "value": 2]], 422),
    ([["op": "move", "from": "/o", "path": "/o/p/q"]], 422), ([["op": "jump", "path": "/a"]], 400),
    (["op": "add"], 400),
    ([["op": "add", "path": "/a"]], 400), ([["op": "add", "path": "a", "value": 1]], 400), ([["path": "/a"]], 400),
  ]
  @Test("what cannot be carried out is refused", arguments: refused)
  func refuse(patch: JSONValue, code: Int) {
    #expect { try JSONPatch.applying(patch, to: ["a": 1, "l": [1], "o": ["p": [:]]]) } throws: {
      ($0 as? APIStatus)?.code == code
    }
  }
}

@Suite("Conditions")
struct ConditionsTests {
  @Test("the time of transition moves only when the status flips")
  func transitions() {
    let (first, later) = (Timestamp(seconds: 100), Timestamp(seconds: 200))
    var editor = Conditions.Editor(now: first)
    editor.set("Ready", .false, "A")
    editor = Conditions.Editor(editor.conditions, generation: 2, now: later)
    editor.set("Ready", .false, "B", "m")
    #expect(editor.conditions["Ready"]?.lastTransitionTime == first && editor.conditions["Ready"]?.reason == "B")
    editor.set("Ready", .true)
    let conditions = editor.conditions
    #expect(conditions["Ready"]?.reason == "Ready" && conditions["Ready"]?.observedGeneration == 2)
    #expect(conditions["Ready"]?.lastTransitionTime == later && conditions.isTrue("Ready"))
    #expect(Conditions(conditions.json) == conditions)
  }

  @Test("an abnormal condition stands only while it is true")
  func abnormal() {
    var editor = Conditions.Editor(now: Timestamp(seconds: 1))
    editor.set("Stalled", .true, "BadModel")
    #expect(editor.conditions.isTrue("Stalled"))
    editor.set("Stalled", nil)
    #expect(editor.conditions.all.isEmpty)
  }
}

@Suite("Metadata")
struct MetadataTests {
  @Test("setting empty values removes the members")
  func clearing() {
    var object: JSONValue = [
      "metadata": ["finalizers": ["a"], "labels": ["a": "b"], "ownerReferences": [[:]], "name": "n"]
    ]
    object.metadata.finalizers = []
    object.metadata.labels = [:]
    object.metadata.ownerReferences = []
    object.metadata.name = ""
    #expect(object == ["metadata": [:]])
  }

  static let names: [(String, Bool)] = [
    ("a", true), ("a-1.b", true), ("A", false), ("-a", false), ("a-", false), ("a..b", false), ("", false),
    ("a_b", false),
    (String(repeating: "a", count: 253), true), (String(repeating: "a", count: 254), false),
  ]
  @Test("object names follow RFC 1123", arguments: names)
  func name(text: String, isLegal: Bool) { #expect((NameRule.fault(inSubdomain: text) == nil) == isLegal) }

  @Test(
    "label keys and values",
    arguments: [
      ("a", true), ("example.com/a", true), ("/a", false), ("a/", false), ("a/b/c", false), ("A_b.c", true),
      ("_a", false),
      ("Example.com/a", false),
    ])
  func labelKey(text: String, isLegal: Bool) { #expect((NameRule.fault(inLabelKey: text) == nil) == isLegal) }
}
