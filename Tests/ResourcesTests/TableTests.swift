import Documents
import Resources
import Testing

@Suite("Tables")
struct TableTests {
  static let now = Timestamp("2026-11-21T12:00:00Z")!
  static func device(_ ready: String?) -> JSONValue {
    var object: JSONValue = [
      "kind": "Device", "metadata": ["name": "boiler-1", "creationTimestamp": "2026-11-21T11:55:00Z"],
      "spec": ["writes": "Enabled"], "status": ["nodeName": "gw-1"],
    ]
    if let ready {
      object["status"]?["conditions"] = [
        ["type": "Synced", "status": "False"], ["type": "Ready", "status": .string(ready)],
      ]
    }
    return object
  }

  @Test("a row has the name, then the columns; conditions are found by type; ages are relative to now")
  func cells() throws {
    let definition = try TestFragments.definition("Device")
    let table = Table.rendered(
      [Self.device("True"), Self.device(nil)], of: definition, include: .metadata, now: Self.now,
      listMetadata: ["resourceVersion": "7"])
    #expect(table[path: "metadata", "resourceVersion"] == "7")
    let names = table["columnDefinitions"]?.array?.compactMap { $0["name"]?.string }
    #expect(names == ["Name", "Model", "Connected", "Synced", "Ready", "Reason", "Node", "Writes", "Message", "Age"])
    #expect(
      table["rows"]?.array?.map { $0["cells"] } == [
        ["boiler-1", nil, nil, "False", "True", nil, "gw-1", "Enabled", nil, "5m"],
        ["boiler-1", nil, nil, nil, nil, nil, "gw-1", "Enabled", nil, "5m"],
      ])
    #expect(table["rows"]?.array?[0][path: "object", "kind"] == "PartialObjectMetadata")
  }

  static let includes: [(Table.IncludeObject, JSONValue?)] = [
    (.none, JSONValue?.none), (.object, device("True")),
    (
      .metadata,
      ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": device(nil)["metadata"]!]
    ),
  ]
  @Test("rows carry as much of the object as was asked for", arguments: includes)
  func include(include: Table.IncludeObject, object: JSONValue?) throws {
    let table = Table.rendered(
      [Self.device("True")], of: try TestFragments.definition("Device"), include: include, now: Self.now,
      listMetadata: [:])
    #expect(table["rows"]?.array?.first?["object"] == object)
  }

  @Test("a kind without columns gets its age")
  func defaults() throws {
    var definition = try TestFragments.definition("Device")
    definition.columns = []
    let table = Table.rendered([Self.device(nil)], of: definition, include: .none, now: Self.now, listMetadata: [:])
    #expect(table["rows"]?.array?.first?["cells"] == ["boiler-1", "5m"])
  }

  static let paths: [(String, String, JSONValue)] = [
    (".a.b", "string", "1"), (".a.b", "integer", 1), ("{.a.b}", "string", "1"), (".a['b']", "string", "1"),
    ("$.a.b", "string", "1"),
    (".l[0].n", "string", "x"), (".l[-1].n", "string", "y"), (".l[*].n", "string", "x,y"),
    (".l[?(@.n==\"y\")].v", "number", 2.5),
    (".l[?(@.n!=\"y\")].v", "number", 1), (".l[?(@.v==1)].n", "string", "x"), (".none.at.all", "string", nil),
    (".a", "string", "{\"b\":1}"), (".t", "boolean", true), (".a.b", "boolean", nil),
    ("{.l[0].n}/{.a.b}", "string", "x/1"),
    (".dot\\.ted", "string", "d"), (".a[", "string", nil), (".a.b", "date", "<invalid>"),
  ]
  @Test("column paths", arguments: paths)
  func path(path: String, type: String, cell: JSONValue) throws {
    let object: JSONValue = [
      "metadata": ["name": "n"], "a": ["b": 1], "t": true, "dot.ted": "d",
      "l": [["n": "x", "v": 1], ["n": "y", "v": 2.5]],
    ]
    var definition = try TestFragments.definition("Device")
    definition.columns = [definition.columns[0]]
    definition.columns[0].jsonPath = path
    definition.columns[0].type = type
    let table = Table.rendered([object], of: definition, include: .none, now: Self.now, listMetadata: [:])
    #expect(table["rows"]?.array?.first?["cells"] == ["n", cell])
  }

  static let ages: [(Duration, String)] = [
    (.seconds(0), "0s"), (.seconds(119), "119s"), (.seconds(120), "2m"), (.seconds(310), "5m10s"),
    (.seconds(600), "10m"),
    (.seconds(10_799), "179m"), (.seconds(10_800), "3h"), (.seconds(11_160), "3h6m"), (.seconds(28_800), "8h"),
    (.seconds(172_799), "47h"), (.seconds(187_200), "2d4h"), (.seconds(691_200), "8d"), (.seconds(63_072_000), "2y"),
    (.seconds(66_096_000), "2y35d"), (.seconds(252_288_000), "8y"), (.seconds(-5), "<invalid>"),
  ]
  @Test("ages read as kubectl prints them", arguments: ages)
  func age(span: Duration, text: String) { #expect(Table.age(span) == text) }
}
