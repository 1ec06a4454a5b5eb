import Documents
import Resources
import Synchronization

/// A store whose watches can be cut off at will, as it does itself with a watcher that does not keep up.
final class InterruptingBackend: ForwardingBackend {
  let base: any ResourceBackend
  private let streams = Mutex<[AsyncStream<WatchEvent>.Continuation]>([])
  init(_ base: any ResourceBackend) { self.base = base }

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
    let source = try await base.watch(resource, options, since: resourceVersion)
    let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
    let task = Task {
      for await event in source { continuation.yield(event) }
      continuation.finish()
    }
    continuation.onTermination = { _ in task.cancel() }
    streams.withLock { $0.append(continuation) }
    return stream
  }
}
