import Controllers
import DeviceKit
import Documents
import KubernetesClient
import ResourceConformance
import Resources
import TestSupport
import Testing
import TwinAggregation
import TwinStore

/// One gateway's twins in the same process.
private struct LocalHolder: TwinHolder {
  let backend: TwinBackend

  func update(_ key: ObjectKey, _ object: JSONValue, _ options: WriteOptions) async throws(APIStatus) -> WriteResult {
    try await backend.update(TwinPlace.name, key, object, subresource: nil, options)
  }
  func patch(_ key: ObjectKey, _ patch: Patch, _ options: WriteOptions) async throws(APIStatus) -> WriteResult {
    try await backend.patch(TwinPlace.name, key, patch, subresource: nil, options)
  }
  func get(_ key: ObjectKey, _ part: NamedSubresource, _ query: [QueryItem]) async throws(APIStatus) -> JSONValue {
    try await backend.get(TwinPlace.name, key, subresource: part, query)
  }
  func create(_ key: ObjectKey, _ part: NamedSubresource, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await backend.create(TwinPlace.name, key, subresource: part, object, options)
  }
}

@Suite("The twins of a cluster as a resource backend", .timeLimit(.minutes(10)))
struct TwinAggregateConformanceTests {
  /// What holds of one gateway's twins holds of the collection.
  @Test(arguments: BackendConformance.rules(for: [.answers, .promptWatches]))
  func `A collection of twins conforms to what every backend does`(_ rule: ConformanceRule) async throws {
    let place = try TwinPlace(isEmpty: true)
    let namespace = TwinPlace.key.namespace
    let aggregate = TwinAggregate(
      TwinBackend.definition, twins: MergedTwins(startingAt: Timestamp(seconds: 1_800_000_000)))
    aggregate.change { $0.set("gw-1", .live) }
    aggregate.set(LocalHolder(backend: place.backend), of: "gw-1")
    let events = try await place.backend.watch(TwinPlace.name, ListOptions(), since: nil)
    let following = Task {
      for await event in events {
        switch event.change {
        case .added, .modified: aggregate.change { $0.put(event.object, from: "gw-1") }
        case .deleted: aggregate.change { $0.remove(event.object.objectKey, from: "gw-1") }
        case .bookmark, .error: break
        }
      }
    }
    defer { following.cancel() }
    @Sendable func device(_ name: String) -> DeviceKey { DeviceKey(namespace: namespace, name: name) }
    @Sendable func known(_ name: String) -> JSONValue? {
      aggregate.read { $0.object(ObjectKey(namespace: namespace, name: name)) }
    }
    let subject = BackendUnderTest(
      backend: aggregate, resource: TwinPlace.name, namespace: namespace,
      changedField: ["spec", "desired", "setpoint"],
      change: { ["spec": ["desired": ["setpoint": .integer(Int64(20 + $0))]]] },
      bring: { name, labels in
        place.label(device(name), labels)
        place.attach(device(name))
        return try await eventually("\(name) is heard of") { known(name) }
      },
      remove: { name in
        place.store.remove(device(name))
        try await eventually("\(name) is gone") { known(name) == nil }
      })
    try await rule.hold(on: subject)
  }
}
