import Documents
import Resources
import Synchronization

/// A backend whose watches never end by themselves, and which knows how many are open.
final class LeavingBackend: ForwardingBackend {
  final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add(_ change: Int) { number.withLock { $0 += change } }
  }
  let open = Count()
  let base: any ResourceBackend = RecordingBackend()

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
