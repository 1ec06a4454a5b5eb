internal import Documents
internal import Resources
internal import Synchronization

/// The watchers of one store. Events are offered in commit order; a watcher whose buffer is full is cut off.
final class WatcherTable: Sendable {
  /// One who watches a kind.
  final class Watcher: Sendable {
    let id: UInt64
    let resource: ResourceName
    let filter: WatchFilter
    let continuation: AsyncStream<WatchEvent>.Continuation
    /// The newest version that this watcher was told of; written by the store's thread alone.
    let told: Atomic<UInt64>

    init(
      id: UInt64, resource: ResourceName, filter: WatchFilter, continuation: AsyncStream<WatchEvent>.Continuation,
      told: UInt64
    ) {
      self.id = id
      self.resource = resource
      self.filter = filter
      self.continuation = continuation
      self.told = Atomic(told)
    }

    func send(_ event: WatchEvent) {
      switch continuation.yield(event) {
      case .enqueued(let remaining) where remaining <= 1:
        let status = APIStatus.expired("the watcher did not keep up: list again and watch from there")
        continuation.yield(
          WatchEvent(change: .error, object: status.json, resourceVersion: event.resourceVersion))
        continuation.finish()
      case .enqueued: told.store(event.resourceVersion, ordering: .relaxed)
      default: continuation.finish()
      }
    }
  }
  /// Events that a watcher may be behind, beyond those it begins with.
  static let capacity = 1_024

  private struct State {
    var watchers: [ResourceName: [UInt64: Watcher]] = [:]
    var next: UInt64 = 0
  }
  private let state = Mutex(State())

  var count: Int { state.withLock { $0.watchers.values.reduce(0) { $0 + $1.count } } }

  /// A stream that begins with `events`.
  func add(
    _ resource: ResourceName, _ filter: WatchFilter, beginningWith events: [WatchEvent], told: UInt64
  ) -> AsyncStream<WatchEvent> {
    // One slot more than is used: it is kept for the word that the watcher is cut off.
    let (stream, continuation) = AsyncStream.makeStream(
      of: WatchEvent.self, bufferingPolicy: .bufferingOldest(events.count + Self.capacity + 1))
    for event in events { continuation.yield(event) }
    let id = state.withLock { state in
      state.next += 1
      state.watchers[resource, default: [:]][state.next] = Watcher(
        id: state.next, resource: resource, filter: filter, continuation: continuation, told: told)
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.remove(id, of: resource) }
    return stream
  }

  private func remove(_ id: UInt64, of resource: ResourceName) {
    // The last reference goes outside the lock: it may end a stream, which comes back here.
    _ = state.withLock { $0.watchers[resource]?.removeValue(forKey: id) }
  }

  /// Offers one committed change to all who watch its kind.
  func publish(_ change: ObjectTable.Change, of resource: ResourceName) {
    // Never under the lock: finishing calls back into `remove`.
    guard let watchers = state.withLock({ $0.watchers[resource] }) else { return }
    for watcher in watchers.values {
      if let event = watcher.filter.event(for: change) { watcher.send(event) }
    }
  }

  /// Tells every watcher that saw nothing of the last `lag` versions how far the store is.
  func bookmark(version: UInt64, lag: UInt64, object: (ResourceName) -> JSONValue) {
    for (resource, watchers) in state.withLock({ $0.watchers }) {
      var event: WatchEvent?
      for watcher in watchers.values {
        let told = watcher.told.load(ordering: .relaxed)
        guard version >= told + lag, version > told else { continue }
        let news = event ?? WatchEvent(change: .bookmark, object: object(resource), resourceVersion: version)
        event = news
        watcher.send(news)
      }
    }
  }

  func finishAll() {
    for watchers in state.withLock({ $0.watchers.values }) {
      for watcher in watchers.values { watcher.continuation.finish() }
    }
  }
}
