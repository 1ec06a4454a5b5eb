internal import Documents
public import Resources
internal import SQLite

extension EmbeddedResourceStore {
  /// Serves the store's upkeep once in each `period` until the task is cancelled.
  public func run(every period: Duration = .seconds(30)) async {
    while !Task.isCancelled {
      try? await Task.sleep(for: period)
      try? await maintain()
    }
  }

  /// Forgets old changes and old events, removes objects whose owners are all gone, gives the file's unused pages back,
  /// and tells idle watchers how far the store is. Throws what the database refused; the next call tries again.
  public func maintain() async throws(APIStatus) {
    let now = clock()
    let oldest = (now.nanoseconds - retention.changeAge.nanoseconds) / 1_000_000_000
    try compact(upTo: keptFrom, olderThan: oldest)
    try await expireEvents(before: (now.nanoseconds - retention.eventAge.nanoseconds) / 1_000_000_000)
    try await collectOrphans()
    try shrink()
    watchers.bookmark(version: version, lag: 1) { bookmark($0, version) }
  }

  /// After each commit: compacts in strides, and leaves no watcher far behind the log.
  func keepLogShort() {
    let stride = UInt64(max(retention.changes / 8, 1))
    let isLong = version > compacted + UInt64(retention.changes) + stride
    if isLong || logBytes > retention.changeBytes + retention.changeBytes / 8 {
      // A failure leaves a longer log; the next write tries again.
      try? compact(upTo: keptFrom, olderThan: 0)
    }
    watchers.bookmark(version: version, lag: UInt64(max(retention.changes / 4, 1))) { bookmark($0, version) }
  }

  private var keptFrom: UInt64 { version > UInt64(retention.changes) ? version - UInt64(retention.changes) : 0 }

  private func compact(upTo limit: UInt64, olderThan time: Int64) throws(APIStatus) {
    let gone = try guarded {
      try table.connection.transaction {
        let gone = try table.compact(upTo: limit, olderThan: time, beyond: retention.changeBytes)
        if gone > compacted { try table.setCounter("compacted", gone) }
        return gone
      }
    }
    compacted = max(compacted, gone)
    logBytes = try guarded { try table.logBytes() }
  }

  /// Unused pages that the next writes may have; more go back to the file system.
  private static let sparePages: Int64 = 256
  /// What one turn gives back: other calls wait meanwhile.
  private static let pagesPerTurn: Int64 = 4_096

  private func shrink() throws(APIStatus) {
    try guarded {
      let surplus = try table.connection.number(ofPragma: "freelist_count") - Self.sparePages
      guard surplus > 0 else { return }
      try table.connection.giveBack(pages: Int(min(surplus, Self.pagesPerTurn)))
      // The file is cut at a checkpoint; one that a reader holds up comes later.
      _ = try table.connection.number(ofPragma: "wal_checkpoint(PASSIVE)")
    }
  }

  private func expireEvents(before time: Int64) async throws(APIStatus) {
    guard let kind = kinds[BuiltInKinds.events.name] else { return }
    let stale = try guarded { try table.stale(kind.name, before: time, most: retention.events) }
    guard !stale.isEmpty else { return }
    try await writing(isDryRun: false) { batch throws(APIStatus) in
      for key in stale {
        if let event = try batch.found(kind, key) { _ = try batch.delete(kind, event, .background) }
      }
    }
  }

  private func collectOrphans() async throws(APIStatus) {
    let orphans = try guarded { try table.orphans() }
    guard !orphans.isEmpty else { return }
    let kinds = kindsByText
    try await writing(isDryRun: false) { batch throws(APIStatus) in
      for (resource, key) in orphans {
        guard let kind = kinds[resource], let object = try batch.found(kind, key),
          object.metadata.deletionTimestamp == nil
        else { continue }
        _ = try batch.delete(kind, object, .background)
      }
    }
  }
}
