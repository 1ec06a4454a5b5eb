import Documents
import Resources
import Testing

@Suite("Selectors as clients send them")
struct SelectorTests {
  static let labels: [(String, [LabelSelector.Requirement])] = [
    ("", []), ("a=b", [.isIn("a", ["b"])]), ("a==b", [.isIn("a", ["b"])]), ("a!=b", [.notIn("a", ["b"])]),
    ("a", [.exists("a")]),
    ("!a", [.absent("a")]), ("a in (x, y)", [.isIn("a", ["x", "y"])]), ("a notin (x)", [.notIn("a", ["x"])]),
    ("a=b , example.com/c in (x),!d", [.isIn("a", ["b"]), .isIn("example.com/c", ["x"]), .absent("d")]),
    ("a=", [.isIn("a", [""])]),
  ]
  @Test("label selectors", arguments: labels)
  func label(text: String, requirements: [LabelSelector.Requirement]) throws {
    let selector = try LabelSelector(parsing: text)
    #expect(selector.requirements == requirements)
    #expect(try LabelSelector(parsing: selector.text) == selector)
  }

  @Test(
    "label selectors that mean nothing are refused with the part",
    arguments: [
      ("a b", "a b"), ("a in x", "a in x"), ("=b", "\"\""), ("a=b c", "b c"), ("a of (x)", "a of (x)"), ("-a", "-a"),
      ("a/b/c=d", "a/b/c"),
    ])
  func badLabel(text: String, part: String) {
    #expect { try LabelSelector(parsing: text) } throws: { error in
      guard let status = error as? APIStatus else { return false }
      return status.code == 400 && status.message.contains(part)
    }
  }

  @Test("field selectors")
  func fields() throws {
    let selector = try FieldSelector(parsing: "metadata.name=a,spec.x!=b\\,c,spec.y==")
    #expect(
      selector.requirements == [
        .init(path: "metadata.name", value: "a", isEqual: true), .init(path: "spec.x", value: "b,c", isEqual: false),
        .init(path: "spec.y", value: "", isEqual: true),
      ])
    #expect(try FieldSelector(parsing: selector.text) == selector)
  }

  @Test("field selectors that mean nothing are refused", arguments: ["a", "=b", "a=b\\x", "a=b\\"])
  func badField(text: String) {
    #expect { try FieldSelector(parsing: text) } throws: { ($0 as? APIStatus)?.code == 400 }
  }
}
