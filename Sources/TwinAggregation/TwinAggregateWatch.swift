internal import Documents
internal import Resources

/// One watch of the collection, pulled by its reader: a slow one gets fewer and newer events, and is told to list again
/// once the log has passed it by.
actor TwinAggregateWatch {
  private let twins: TwinAggregate
  private let options: ListOptions
  private let id: UInt64
  private let signal: AsyncStream<Void>
  /// Twins that the reader begins with, the last one first.
  private var initial: [ObjectKey] = []
  private var changes: ArraySlice<MergedTwins.Change> = []
  /// Twins that the reader knows of.
  private var told: Set<ObjectKey> = []
  /// Up to here the reader knows everything once `initial` and `changes` are told.
  private var position: UInt64
  private var owesBookmark: Bool
  private var isOver = false

  init(_ twins: TwinAggregate, _ options: ListOptions, since: UInt64?) {
    self.twins = twins
    self.options = options
    // Before the first look: what changes in between is told twice rather than never.
    (id, signal) = twins.register()
    let (version, keys, told) = twins.read { merged -> (UInt64, [ObjectKey], Set<ObjectKey>) in
      let keys = merged.shown.keys.filter { merged.selects($0, options) }
      guard let since else { return (merged.version, keys.sorted(by: >), []) }
      var told = Set(keys.filter { merged.shown[$0].map { $0.createdVersion <= since } ?? false })
      for change in merged.changes(after: since) ?? [] {
        guard let removed = change.removed, removed.createdVersion <= since,
          MergedTwins.selects(change.key, labels: removed.labels, options)
        else { continue }
        told.insert(change.key)
      }
      return (since, [], told)
    }
    position = version
    initial = keys
    self.told = told
    owesBookmark = since == nil
  }

  deinit { twins.unregister(id) }

  /// The next event; nil once the reader is gone.
  func next() async -> WatchEvent? {
    var isReminded = false
    while !Task.isCancelled, !isOver {
      while let key = initial.popLast() {
        // The version is not beyond what the reader will know by then.
        guard let (object, version) = object(key, atMost: position) else { continue }
        told.insert(key)
        return WatchEvent(change: .added, object: object, resourceVersion: version)
      }
      if owesBookmark {
        owesBookmark = false
        return bookmark()
      }
      while let change = changes.popFirst() {
        position = change.version
        if let event = event(change) { return event }
      }
      guard let new = twins.read({ $0.changes(after: position) }) else {
        isOver = true
        let status = APIStatus.expired("the watch did not keep up: list the twins again")
        return WatchEvent(change: .error, object: status.json, resourceVersion: 0)
      }
      changes = new
      guard new.isEmpty else { continue }
      if isReminded { return bookmark() }
      for await _ in signal { break }
      isReminded = true
    }
    return nil
  }

  private func object(_ key: ObjectKey, atMost version: UInt64) -> (JSONValue, UInt64)? {
    twins.read { merged in
      guard let shown = merged.shown[key], merged.selects(key, options) else { return nil }
      let version = min(shown.version, version)
      return merged.object(key, version: version).map { ($0, version) }
    }
  }

  private func event(_ change: MergedTwins.Change) -> WatchEvent? {
    let key = change.key
    guard MergedTwins.isMeant(key, options) else { return nil }
    if let removed = change.removed { return gone(key, uid: removed.uid, change) }
    let found = twins.read { merged -> (isNews: Bool, object: JSONValue?) in
      guard merged.shown[key]?.version == change.version else { return (false, nil) }
      return (true, merged.selects(key, options) ? merged.object(key) : nil)
    }
    guard found.isNews else { return nil }
    guard let object = found.object else { return gone(key, uid: "", change) }
    let kind: WatchEvent.Change = told.insert(key).inserted ? .added : .modified
    return WatchEvent(
      change: kind, object: object, resourceVersion: change.version, renderings: change.renderings)
  }

  /// All that can be told of one that is gone, or out of the reader's sight.
  private func gone(_ key: ObjectKey, uid: String, _ change: MergedTwins.Change) -> WatchEvent? {
    guard told.remove(key) != nil else { return nil }
    var metadata: JSONValue = [
      "name": .string(key.name), "namespace": .string(key.namespace), "resourceVersion": .string("\(change.version)"),
    ]
    if !uid.isEmpty { metadata["uid"] = .string(uid) }
    if let labels = change.removed?.labels, !labels.isEmpty {
      metadata["labels"] = .object(labels.mapValues { .string($0) })
    }
    return WatchEvent(
      change: .deleted,
      object: [
        "apiVersion": .string(twins.kind.apiVersion), "kind": .string(twins.kind.kind), "metadata": metadata,
      ], resourceVersion: change.version)
  }

  private func bookmark() -> WatchEvent {
    WatchEvent(
      change: .bookmark,
      object: [
        "apiVersion": .string(twins.kind.apiVersion), "kind": .string(twins.kind.kind),
        "metadata": ["resourceVersion": .string("\(position)")],
      ], resourceVersion: position)
  }
}
