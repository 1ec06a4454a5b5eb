import Documents
import KubernetesAPI
import Resources
import Testing

private let gadgets = "/apis/example.dev/v1/namespaces/n/gadgets"

@Suite("Watches")
struct WatchTests {
  let backend = RecordingBackend()

  /// The events of a watch whose backend has nothing more to say after one object.
  func events(_ query: String, accept: String = "application/json", backend: RecordingBackend? = nil) async throws
    -> [JSONValue]
  {
    let backend = backend ?? self.backend
    let api = Fixtures.api(backend)
    async let reply = api.send(.get, gadgets + "?watch=1" + query, accept: accept)
    // The watch is open once the backend has been asked for it; its stream then ends.
    while !backend.calls.contains(where: { $0.hasPrefix("watch") }) { await Task.yield() }
    backend.finishWatches()
    return try await reply.text.split(separator: "\n").map { try JSONValue(parsing: $0) }
  }

  func putOne() {
    _ = backend.put(
      Fixtures.gadget.name, ObjectKey(namespace: "n", name: "a"),
      ["apiVersion": "example.dev/v1", "kind": "Gadget", "spec": ["size": 4]])
  }

  @Test func bookmarksComeOnlyWhereTheyAreAllowed() async throws {
    putOne()
    #expect(try await events("").map { $0["type"] } == ["ADDED"])
    let marked = try await events("&allowWatchBookmarks=true", backend: RecordingBackend())
    #expect(marked.map { $0["type"] } == ["BOOKMARK"])
    #expect(marked[0][path: "object", "kind"] == "Gadget")
    #expect(marked[0][path: "object", "metadata", "resourceVersion"] == "10")
    #expect(marked[0][path: "object", "metadata", "annotations"] == nil)
  }

  @Test func aStreamedListEndsWithAMark() async throws {
    putOne()
    let all = try await events(
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
    #expect(all.map { $0["type"] } == ["ADDED", "BOOKMARK"])
    #expect(all[1][path: "object", "metadata", "annotations"] == ["k8s.io/initial-events-end": "true"])
  }

  @Test(
    "The version asked for decides where a watch begins",
    arguments: [
      ("", "-"), ("&resourceVersion=0", "-"), ("&resourceVersion=10", "10"),
      ("&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", "10"),
      ("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=10", "-"),
    ])
  func beginning(query: String, since: String) async throws {
    _ = try await events(query)
    #expect(backend.calls == ["watch since=\(since)"])
  }

  @Test func aVersionThatIsCompactedIsToldInTheStream() async throws {
    let reply = try await Fixtures.api(backend).send(.get, gadgets + "?watch=true&resourceVersion=2")
    #expect(reply.code == 200)
    #expect(reply.json["type"] == "ERROR" && reply.json[path: "object", "code"] == 410)
    #expect(reply.json[path: "object", "reason"] == "Expired")
  }

  @Test func eachEventIsATableOfOneRowAndTheFirstHasTheColumns() async throws {
    putOne()
    _ = backend.put(Fixtures.gadget.name, ObjectKey(namespace: "n", name: "b"), ["spec": ["size": 5]])
    let all = try await events(
      "&allowWatchBookmarks=true", accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
    #expect(all.map { $0[path: "object", "kind"] } == ["Table", "Table", "Table"])
    #expect(all[0][path: "object", "columnDefinitions"]?.array?.count == 2)
    #expect(all[1][path: "object", "columnDefinitions"] == .null)
    #expect(all[1][path: "object", "rows"]?.array?.first?["cells"] == ["b", 5])
  }

  @Test func tooManyWatchesAreRefused() async throws {
    let reply = try await Fixtures.api(backend, maximumWatches: 0).send(.get, gadgets + "?watch=1")
    #expect(reply.code == 429 && reply.header("Retry-After") == ["5"])
  }
}
