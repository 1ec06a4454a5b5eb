import Documents
import Resources
import Synchronization

/// A backend that writes down what it is asked: for what the API makes of a request. What backends do themselves is
/// tested on the store.
final class RecordingBackend: ResourceBackend {
  let definitions: [ResourceDefinition]
  private struct State {
    var objects: [ResourceName: [ObjectKey: JSONValue]] = [:]
    var version: UInt64 = 10
    var watchers: [AsyncStream<WatchEvent>.Continuation] = []
    var calls: [String] = []
    var listLimits: [Int?] = []
  }
  private let state = Mutex(State())
  /// Watches from before it are too old.
  let compacted: UInt64 = 5

  init(_ definitions: [ResourceDefinition] = [Fixtures.gadget, Fixtures.station]) { self.definitions = definitions }

  /// What was asked of it, as text.
  var calls: [String] { state.withLock(\.calls) }
  var listLimits: [Int?] { state.withLock(\.listLimits) }
  private func note(_ call: String) { state.withLock { $0.calls.append(call) } }

  func put(_ resource: ResourceName, _ key: ObjectKey, _ members: JSONValue = [:]) -> JSONValue {
    state.withLock { state in
      state.version += 1
      var object = members
      var metadata = object["metadata"] ?? [:]
      metadata["name"] = .string(key.name)
      if !key.namespace.isEmpty { metadata["namespace"] = .string(key.namespace) }
      metadata["resourceVersion"] = .string(state.version.description)
      metadata["uid"] = .string("uid-\(key.name)")
      metadata["creationTimestamp"] = "2026-11-21T04:00:00Z"
      object["metadata"] = metadata
      let isNew = state.objects[resource, default: [:]].updateValue(object, forKey: key) == nil
      for watcher in state.watchers {
        watcher.yield(WatchEvent(change: isNew ? .added : .modified, object: object, resourceVersion: state.version))
      }
      return object
    }
  }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    guard let object = state.withLock({ $0.objects[resource]?[key] }) else {
      throw .notFound(resource, name: key.name)
    }
    return object
  }

  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    state.withLock { state in
      state.listLimits.append(options.limit)
      let all = (state.objects[resource] ?? [:]).sorted { $0.key < $1.key }.filter { key, object in
        (options.namespace ?? "").isEmpty || key.namespace == options.namespace
      }.map(\.value).filter { options.fieldSelector?.matches($0) ?? true }
      let start = options.continueToken.flatMap { Int($0) } ?? 0
      let end = min(all.count, start + (options.limit ?? all.count))
      return ObjectList(
        items: Array(all[start..<end]), resourceVersion: state.version,
        continueToken: end < all.count ? end.description : nil,
        remainingItemCount: end < all.count ? all.count - end : nil)
    }
  }

  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    note("create \(options.fieldManager) dry=\(options.isDryRun) \(options.fieldValidation.rawValue)")
    let key = ObjectKey(namespace: namespace, name: object[path: "metadata", "name"]?.string ?? "")
    return WriteResult(object: put(resource, key, object), isCreated: true, warnings: ["unknown field \"spec.x\""])
  }

  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    note("update \(subresource?.rawValue ?? "-") \(options.fieldManager)")
    return WriteResult(object: put(resource, key, object))
  }

  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    switch patch {
    case .merge(let value): note("merge \(subresource?.rawValue ?? "-") \(value)")
    case .json(let value): note("json \(value)")
    case .apply(let value, let force): note("apply \(options.fieldManager) force=\(force) \(value["spec"] ?? .null)")
    }
    let old = try? await get(resource, key)
    return WriteResult(object: put(resource, key, old ?? [:]), isCreated: old == nil)
  }

  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    note("delete \(key) \(options.propagation.rawValue) dry=\(options.isDryRun) uid=\(options.preconditionUID ?? "-")")
    guard let object = state.withLock({ $0.objects[resource]?.removeValue(forKey: key) }) else {
      throw .notFound(resource, name: key.name)
    }
    return (object, object[path: "metadata", "finalizers"] == nil)
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    note("watch since=\(resourceVersion?.description ?? "-")")
    if let resourceVersion, resourceVersion < compacted {
      throw .expired("too old resource version: \(resourceVersion) (\(compacted))")
    }
    return state.withLock { state in
      let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
      if resourceVersion == nil {
        for (_, object) in (state.objects[resource] ?? [:]).sorted(by: { $0.key < $1.key }) {
          continuation.yield(WatchEvent(change: .added, object: object, resourceVersion: state.version))
        }
        continuation.yield(WatchEvent(change: .bookmark, object: [:], resourceVersion: state.version))
      }
      state.watchers.append(continuation)
      return stream
    }
  }

  /// Ends every watch.
  func finishWatches() {
    state.withLock { state in
      for watcher in state.watchers { watcher.finish() }
      state.watchers = []
    }
  }
}
