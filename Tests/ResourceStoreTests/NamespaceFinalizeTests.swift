import Documents
import ResourceConformance
import ResourceStore
import Resources
import Testing

/// A namespace that somebody else holds goes when that is over.
@Suite("namespaces/finalize")
struct NamespaceFinalizeTests: StoreTests {
  let directory = ScratchDirectory()
  let clock = HandClock()
  private let namespaces = BuiltInKinds.namespaces.name
  private let held = ObjectKey(name: "held")

  private func namespace(_ finalizers: [String]) -> JSONValue {
    [
      "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "held"],
      "spec": ["finalizers": .array(finalizers.map { .string($0) })],
    ]
  }

  @Test("it stays, terminating, until its last holder has let go") func holding() async throws {
    let store = try open()
    _ = try await store.create(
      namespaces, namespace: "", namespace(["kubernetes", "example.dev/hold"]), WriteOptions())
    let (left, isGone) = try await store.delete(namespaces, held, DeleteOptions())
    #expect(!isGone && left[path: "status", "phase"] == "Terminating")
    // The main part does not change who holds it.
    var plain = try await store.get(namespaces, held)
    plain["spec"] = ["finalizers": []]
    _ = try await store.update(namespaces, held, plain, subresource: nil, WriteOptions())
    #expect(try await store.get(namespaces, held)[path: "spec", "finalizers"]?.array?.count == 2)
    var freed = try await store.get(namespaces, held)
    freed["spec"] = ["finalizers": ["kubernetes"]]
    _ = try await store.update(namespaces, held, freed, subresource: .finalize, WriteOptions())
    let error = await #expect(throws: APIStatus.self) { _ = try await store.get(namespaces, held) }
    #expect(error?.code == 404)
  }

  @Test("nothing else is changed by it, and nothing else has it") func nothingElse() async throws {
    let store = try open()
    _ = try await store.create(namespaces, namespace: "", namespace([]), WriteOptions())
    var other = try await store.get(namespaces, held)
    other["metadata"] = other["metadata"]!.merging(["labels": ["a": "b"]])
    other["spec"] = ["finalizers": ["example.dev/hold"]]
    let result = try await store.update(namespaces, held, other, subresource: .finalize, WriteOptions())
    #expect(result.object[path: "spec", "finalizers"] == ["example.dev/hold"])
    #expect(result.object.metadata.labels["a"] == nil)
    let widget = try await store.create(
      TestKinds.widgets, namespace: "default", TestKinds.widget("a"), WriteOptions()
    ).object
    let error = await #expect(throws: APIStatus.self) {
      _ = try await store.update(TestKinds.widgets, key("a"), widget, subresource: .finalize, WriteOptions())
    }
    #expect(error?.code == 404)
  }
}
