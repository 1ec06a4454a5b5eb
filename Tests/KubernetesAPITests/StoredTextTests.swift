import Documents
import Foundation
import KubernetesAPI
import Logging
import ResourceStore
import Resources
import Synchronization
import Testing

/// What is answered from stored texts, without reading them.
@Suite("Answers from stored texts")
struct StoredTextTests {
  private static let gadgets = "/apis/example.dev/v1/namespaces/default/gadgets"

  /// The same objects without their texts.
  private struct WithoutTexts: ForwardingBackend {
    let base: any ResourceBackend
  }

  private func withStore(_ body: (EmbeddedResourceStore) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "texts-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try EmbeddedResourceStore.open(directory: directory, definitions: [Fixtures.gadget, Fixtures.station])
    try await body(store)
  }

  private func api(_ backend: any ResourceBackend) -> KubernetesAPI {
    KubernetesAPI(backends: [backend], now: { Fixtures.noon }, version: "0.1.0", logger: Logger(label: "test"))
  }

  private func make(_ store: EmbeddedResourceStore, _ name: String, _ spec: JSONValue) async throws {
    var object: JSONValue = ["spec": spec]
    object.metadata.name = name
    object.metadata.annotations = ["note": "a \"quote\", a \\ and }]{[ \n ü \u{1}"]
    _ = try await store.create(
      Fixtures.gadget.name, namespace: "default", object, WriteOptions(fieldManager: "test"))
  }

  @Test(
    "are byte for byte what the objects give",
    arguments: [
      "application/json", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
      "application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io",
      "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    ], ["", "?includeObject=None", "?includeObject=Object", "?limit=2", "?pretty=true", "?labelSelector=a!%3Db"])
  func equality(accept: String, query: String) async throws {
    try await withStore { store in
      try await make(store, "a", ["size": 4, "free": ["deep": [["x": [1, [2.5, nil, true]]], "]"]]])
      try await make(store, "b", ["size": -7, "map": ["metadata": 1]])
      try await make(store, "c", ["size": 0, "names": ["metadata", "\"", "{"]])
      let texts = try await api(store).send(.get, Self.gadgets + query, accept: accept)
      let objects = try await api(WithoutTexts(base: store)).send(.get, Self.gadgets + query, accept: accept)
      #expect(texts.code == 200)
      #expect(texts.text == objects.text)
      #expect(texts.json["items"]?.array?.count ?? texts.json["rows"]?.array?.count == (query == "?limit=2" ? 2 : 3))
    }
  }

  @Test("an event is made into bytes once for each form, however many watch")
  func sharedEvents() async throws {
    try await withStore { store in
      let version = await store.currentVersion
      let api = api(store)
      var watches: [WatchBody] = []
      for index in 0..<60 {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
        let call = APICall(
          method: .get, path: Self.gadgets, query: APIQuery("watch=1&resourceVersion=\(version)"),
          accept: index % 3 == 0 ? table : "application/json", contentType: "", userAgent: "", authority: "localhost",
          ifNoneMatch: "", body: [])
        guard case .watch(let watch) = await api.reply(to: call).body else { throw Missed(what: "a watch") }
        watches.append(watch)
      }
      let stream = try await store.watch(Fixtures.gadget.name, ListOptions(), since: version)
      try await make(store, "a", ["size": 4])
      var lines: Set<[UInt8]> = []
      for watch in watches {
        var reader = watch.makeLines()
        lines.insert(try #require(await reader.next()))
      }
      #expect(lines.count == 2)
      var events = stream.makeAsyncIterator()
      #expect(try #require(await events.next()).renderings.count == 2)
    }
  }

  @Test("a rendering is made by the first who asks")
  func renderings() {
    let renderings = SharedRenderings()
    #expect(renderings.bytes("a") { [1] } == [1])
    #expect(renderings.bytes("a") { [2] } == [1])
    #expect(renderings.bytes("b") { [3] } == [3])
    #expect(renderings.count == 2)
  }
}
