import Documents
import KubernetesClient
import Resources
import Testing

/// Answers that come in pieces of any size.
@Suite struct DecoderTests {
  private static let list = """
    {"apiVersion":"v1","items":[{"a":"}]\\"","b":[1,{"items":[2]}]} , {"metadata":{"name":"x"}},{}],\
    "kind":"items","metadata":{"continue":"t[","resourceVersion":"7"}}
    """

  @Test("A list's items are handed out whole, however it is cut", arguments: [1, 2, 3, 7, 64, 4_096])
  func list(size: Int) throws {
    var decoder = ListDecoder(limit: 1_000)
    var items: [JSONValue] = []
    let bytes = Array(Self.list.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      items += try decoder.consume(Array(bytes[start..<min(start + size, bytes.count)]))
    }
    #expect(items == [["a": "}]\"", "b": [1, ["items": [2]]]], ["metadata": ["name": "x"]], [:]])
    let envelope = try decoder.finish()
    #expect(envelope["items"] == [] && envelope["kind"] == "items")
    #expect(envelope[path: "metadata", "continue"] == "t[" && envelope[path: "metadata", "resourceVersion"] == "7")
  }

  @Test("A list without items, or with null for them, is one")
  func empty() throws {
    for text in [#"{"items":null,"metadata":{"resourceVersion":"1"}}"#, #"{"metadata":{"resourceVersion":"1"}}"#] {
      var decoder = ListDecoder(limit: 1_000)
      #expect(try decoder.consume(Array(text.utf8)) == [])
      #expect(try decoder.finish()[path: "metadata", "resourceVersion"] == "1")
    }
  }

  @Test("What is too large, broken off or no list is refused, and never kept")
  func refused() throws {
    var large = ListDecoder(limit: 100)
    #expect(throws: APIStatus.self) {
      try large.consume(Array(#"{"items":[{"a":"\#(String(repeating: "x", count: 200))"}]}"#.utf8))
    }
    var wide = ListDecoder(limit: 100)
    #expect(throws: APIStatus.self) { try wide.consume(Array("{\"a\":\"\(String(repeating: "x", count: 200))".utf8)) }
    var short = ListDecoder(limit: 100)
    _ = try short.consume(Array(#"{"items":[{"a":1}"#.utf8))
    #expect(throws: APIStatus.self) { try short.finish() }
    var odd = ListDecoder(limit: 100)
    #expect(throws: APIStatus.self) { try odd.consume(Array(#"{"items":[5]}"#.utf8)) }
  }

  @Test("Lines are handed out whole, however they are cut", arguments: [1, 2, 5, 100])
  func lines(size: Int) throws {
    var decoder = LineDecoder(limit: 10)
    let bytes = Array("one\n\ntwo\nthree\nrest".utf8)
    var lines: [String] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      let part = Array(bytes[start..<min(start + size, bytes.count)])
      lines += try decoder.consume(part).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(lines == ["one", "two", "three"])
    #expect(throws: APIStatus.self) { try decoder.consume(Array("much too long\n".utf8)) }
  }

  @Test("A schema's members stay, others go with their paths")
  func known() {
    let fields = KnownFields([
      "type": "object",
      "properties": [
        "a": ["type": "string"], "free": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        "map": ["type": "object", "additionalProperties": ["properties": ["x": ["type": "integer"]]]],
        "list": ["type": "array", "items": ["type": "object", "properties": ["x": ["type": "integer"]]]],
      ],
    ])
    var removed: [String] = []
    let trimmed = fields.trimming(
      [
        "a": "1", "b": 2, "free": ["any": [1]], "map": ["k": ["x": 1, "y": 2]],
        "list": [["x": 1], ["x": 2, "z": 3]],
      ], at: "status", removed: &removed)
    #expect(
      trimmed == ["a": "1", "free": ["any": [1]], "map": ["k": ["x": 1]], "list": [["x": 1], ["x": 2]]])
    #expect(removed == ["status.b", "status.list[1].z", "status.map.k.y"])
  }

  @Test("Secrets are found wherever a reference stands, in the object's own namespace")
  func secrets() {
    let object: JSONValue = [
      "metadata": ["name": "b", "namespace": "plant"],
      "spec": [
        "tls": ["caSecretRef": ["name": "ca"], "certificateSecretRef": ["name": ""]],
        "http": [["tokenSecretRef": ["name": "t", "key": "k"]]], "secretRefs": "no",
      ],
    ]
    let found = SecretReferences.of(object)
    #expect(found == [ObjectKey(namespace: "plant", name: "ca"), ObjectKey(namespace: "plant", name: "t")])
  }
}
