internal import Documents
internal import Resources
internal import Synchronization

/// The watchers of one store. Events are offered in commit order; a watcher whose buffer is full is cut off.
final class WatcherTable: Sendable {
  struct Watcher: Sendable {
    var resource: ResourceName
    var filter: WatchFilter
    var continuation: AsyncStream<WatchEvent>.Continuation
    /// The newest version that this watcher was told of.
    var told: UInt64
  }
  /// Events that a watcher may be behind, beyond those it begins with.
  static let capacity = 1_024

  private struct State {
    var watchers: [UInt64: Watcher] = [:]
    var next: UInt64 = 0
  }
  private let state = Mutex(State())

  var count: Int { state.withLock { $0.watchers.count } }

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
      state.watchers[state.next] = Watcher(resource: resource, filter: filter, continuation: continuation, told: told)
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.remove(id) }
    return stream
  }

  private func remove(_ id: UInt64) { _ = state.withLock { $0.watchers.removeValue(forKey: id) } }

  /// Offers one committed change to all who watch its kind.
  func publish(_ change: ObjectTable.Change, of resource: ResourceName) {
    for (id, watcher) in state.withLock({ $0.watchers }) where watcher.resource == resource {
      if let event = watcher.filter.event(for: change) { send(event, to: watcher, id) }
    }
  }

  /// Tells every watcher that saw nothing of the last `lag` versions how far the store is.
  func bookmark(version: UInt64, lag: UInt64, object: (ResourceName) -> JSONValue) {
    for (id, watcher) in state.withLock({ $0.watchers }) where version >= watcher.told + lag && version > watcher.told {
      send(
        WatchEvent(change: .bookmark, object: object(watcher.resource), resourceVersion: version), to: watcher, id)
    }
  }

  func finishAll() {
    for (_, watcher) in state.withLock({ $0.watchers }) { watcher.continuation.finish() }
  }

  private func send(_ event: WatchEvent, to watcher: Watcher, _ id: UInt64) {
    // Never under the lock: finishing calls back into `remove`.
    switch watcher.continuation.yield(event) {
    case .enqueued(let remaining) where remaining <= 1:
      let status = APIStatus.expired("the watcher did not keep up: list again and watch from there")
      watcher.continuation.yield(
        WatchEvent(change: .error, object: status.json, resourceVersion: event.resourceVersion))
      watcher.continuation.finish()
    case .enqueued: state.withLock { $0.watchers[id]?.told = event.resourceVersion }
    default: watcher.continuation.finish()
    }
  }
}

/// What a watch or a list lets through.
struct WatchFilter: Sendable {
  var namespace: String?
  var labels: LabelSelector?
  var fields: FieldSelector?

  init(_ options: ListOptions) {
    namespace = options.namespace.flatMap { $0.isEmpty ? nil : $0 }
    labels = options.labelSelector
    fields = options.fieldSelector
  }

  var hasSelectors: Bool { labels != nil || fields != nil }

  func matches(_ object: JSONValue) -> Bool {
    if let namespace, object[path: "metadata", "namespace"]?.string != namespace { return false }
    if let labels, !labels.matches(object.metadata.labels) { return false }
    return fields?.matches(object) ?? true
  }

  /// How a change looks through the filter: an object that stops matching is deleted, one that starts is added.
  func event(for change: ObjectTable.Change) -> WatchEvent? {
    let isIn = matches(change.object)
    let wasIn = change.kind == .added ? false : change.previous.map(matches) ?? isIn
    func event(_ kind: WatchEvent.Change, _ object: JSONValue) -> WatchEvent {
      WatchEvent(change: kind, object: object, resourceVersion: change.version)
    }
    if change.kind == .deleted { return isIn ? event(.deleted, change.object) : nil }
    switch (wasIn, isIn) {
    case (false, true): return event(.added, change.object)
    case (true, true): return event(.modified, change.object)
    case (true, false):
      var last = change.previous ?? change.object
      last.metadata.resourceVersion = String(change.version)
      return event(.deleted, last)
    case (false, false): return nil
    }
  }
}
