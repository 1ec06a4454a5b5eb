import Documents
import Resources
import Synchronization

/// A backend whose watches never end by themselves, and which knows how many are open.
final class LeavingBackend: ResourceBackend {
  final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add(_ change: Int) { number.withLock { $0 += change } }
  }
  let open = Count()
  private let memory = RecordingBackend()
  var definitions: [ResourceDefinition] { memory.definitions }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try await memory.get(resource, key)
  }
  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try await memory.list(resource, options)
  }
  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    throw .badRequest("not here")
  }
  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    throw .badRequest("not here")
  }
  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    throw .badRequest("not here")
  }
  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    throw .badRequest("not here")
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
    open.add(1)
    continuation.onTermination = { [open] _ in open.add(-1) }
    // The stream lives as long as this: its continuation must not end it.
    continuation.yield(WatchEvent(change: .added, object: ["metadata": ["name": "a"]], resourceVersion: 1))
    kept.withLock { $0.append(continuation) }
    return stream
  }
  private let kept = Mutex<[AsyncStream<WatchEvent>.Continuation]>([])
}
