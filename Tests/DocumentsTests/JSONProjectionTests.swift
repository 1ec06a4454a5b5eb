import Documents
import Testing

@Suite("Parts of a JSON text")
struct JSONProjectionTests {
  private static let text = #"""
    {"a":{"b":[1,{"x":"]}"}],"c":"\"q\\","e":2},"n":-1.5e3,"metadata":{"name":"m","k":[{}]},"t":true,"z":null}
    """#

  private func read(_ paths: [[String]], noting: StaticString? = nil) throws -> (JSONValue, String?) {
    let bytes = Array(Self.text.utf8)
    var parser = JSONParser(bytes)
    let (value, range) = try parser.parse(only: JSONProjection(paths: paths), noting: noting)
    return (value, range.map { String(decoding: bytes[$0], as: UTF8.self) })
  }

  @Test(
    "only what the paths lead to is read",
    arguments: [
      ([], [:]), ([["n"]], ["n": -1500.0]), ([["a", "b"]], ["a": ["b": [1, ["x": "]}"]]]]),
      ([["a", "c"], ["z"]], ["a": ["c": "\"q\\"], "z": nil]), ([["a", "none"], ["t"]], ["a": [:], "t": true]),
      ([["n", "deeper"]], ["n": -1500.0]),
      ([["metadata", "name"], ["metadata"]], ["metadata": ["name": "m", "k": [[:]]]]),
    ] as [([[String]], JSONValue)])
  func parts(paths: [[String]], expected: JSONValue) throws {
    #expect(try read(paths).0 == expected)
  }

  @Test("the empty path is everything")
  func everything() throws {
    #expect(try read([[]]).0 == JSONValue(parsing: Self.text))
  }

  @Test("a member's place in the text is told, whether it is read or not")
  func place() throws {
    for paths in [[], [["metadata", "name"]], [[]]] {
      #expect(try read(paths, noting: "metadata").1 == #"{"name":"m","k":[{}]}"#)
    }
    #expect(try read([], noting: "n").1 == "-1.5e3")
    #expect(try read([], noting: "z").1 == "null")
    #expect(try read([], noting: "none").1 == nil)
  }

  @Test("a text that breaks off is an error and nothing worse", arguments: 1..<text.utf8.count)
  func brokenOff(length: Int) {
    var parser = JSONParser(Array(Self.text.utf8.prefix(length)))
    #expect(throws: JSONError.self) { try parser.parse(only: JSONProjection(paths: [["t"]]), noting: "a") }
  }
}
