import Documents
import Resources
import Synchronization

/// A store whose watches can be cut off at will, as it does itself with a watcher that does not keep up.
final class InterruptingBackend: ResourceBackend {
  private let backend: any ResourceBackend
  private let streams = Mutex<[AsyncStream<WatchEvent>.Continuation]>([])
  init(_ backend: any ResourceBackend) { self.backend = backend }

  var definitions: [ResourceDefinition] { backend.definitions }
  /// How many watches were opened since the last ``expireWatches()``.
  var watches: Int { streams.withLock(\.count) }

  /// Tells every watch that its version is too old (410), and ends it.
  func expireWatches() {
    let all = streams.withLock { streams in
      defer { streams = [] }
      return streams
    }
    for stream in all {
      let status = APIStatus.expired("too old resource version: 1 (2)")
      stream.yield(WatchEvent(change: .error, object: status.json, resourceVersion: 1))
      stream.finish()
    }
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let source = try await backend.watch(resource, options, since: resourceVersion)
    let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
    let task = Task {
      for await event in source { continuation.yield(event) }
      continuation.finish()
    }
    continuation.onTermination = { _ in task.cancel() }
    streams.withLock { $0.append(continuation) }
    return stream
  }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try await backend.get(resource, key)
  }
  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try await backend.list(resource, options)
  }
  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await backend.create(resource, namespace: namespace, object, options)
  }
  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await backend.update(resource, key, object, subresource: subresource, options)
  }
  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await backend.patch(resource, key, patch, subresource: subresource, options)
  }
  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    try await backend.delete(resource, key, options)
  }
}
