internal import DequeModule
internal import Resources

/// The latest changes of each kind, in commit order: what most watches begin with, without a look at the disk.
///
/// Bounded by number and by the size of the encoded objects, for each kind.
struct RecentChanges {
  private struct Ring {
    /// Changes after it are all here.
    var floor: UInt64
    var changes: Deque<(change: ObjectTable.Change, bytes: Int)> = []
    var bytes = 0
  }
  private var rings: [ResourceName: Ring] = [:]
  /// Nothing is known of what was before.
  private let start: UInt64
  private let mostChanges: Int
  private let mostBytes: Int

  init(since start: UInt64, mostChanges: Int = 512, mostBytes: Int = 128 << 10) {
    self.start = start
    self.mostChanges = mostChanges
    self.mostBytes = mostBytes
  }

  mutating func append(_ change: ObjectTable.Change, of resource: ResourceName, bytes: Int) {
    var ring = rings.removeValue(forKey: resource) ?? Ring(floor: start)
    ring.changes.append((change, bytes))
    ring.bytes += bytes
    while ring.changes.count > mostChanges || ring.bytes > mostBytes, let old = ring.changes.popFirst() {
      ring.bytes -= old.bytes
      ring.floor = old.change.version
    }
    rings[resource] = ring
  }

  /// The changes of a kind after `version`; nil where they are not all here.
  func changes(of resource: ResourceName, after version: UInt64) -> [ObjectTable.Change]? {
    guard let ring = rings[resource] else { return version >= start ? [] : nil }
    guard version >= ring.floor else { return nil }
    var found: [ObjectTable.Change] = []
    for (change, _) in ring.changes.reversed() {
      guard change.version > version else { break }
      found.append(change)
    }
    return found.reversed()
  }
}
