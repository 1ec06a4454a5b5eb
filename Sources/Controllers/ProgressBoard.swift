package import DeviceKit
package import Documents
package import Resources
internal import Synchronization

/// How far each Discovery's look has come. What is shown changes at most every ``interval`` and at a look's begin and end:
/// a status is no place for what changes all the time.
package final class ProgressBoard: Sendable {
  private struct Entry {
    var latest: DiscoveryProgress
    var shown: DiscoveryProgress
    var shownAt: Timestamp
  }
  package static let interval = Duration.seconds(10)
  private let entries = Mutex<[ObjectKey: Entry]>([:])

  package init() {}

  package func set(_ key: ObjectKey, _ progress: DiscoveryProgress, at now: Timestamp) {
    entries.withLock { entries in
      guard var entry = entries[key], progress.done > 0, progress.done < progress.total else {
        entries[key] = Entry(latest: progress, shown: progress, shownAt: now)
        return
      }
      entry.latest = progress
      entries[key] = entry
    }
  }

  package func remove(_ key: ObjectKey) { entries.withLock { _ = $0.removeValue(forKey: key) } }

  package func shown(of key: ObjectKey, at now: Timestamp) -> DiscoveryProgress? {
    entries.withLock { entries in
      guard var entry = entries[key] else { return nil }
      // A clock that was set back shows at once.
      if entry.shown != entry.latest, !(Duration.zero..<Self.interval).contains(now - entry.shownAt) {
        entry.shown = entry.latest
        entry.shownAt = now
        entries[key] = entry
      }
      return entry.shown
    }
  }
}
