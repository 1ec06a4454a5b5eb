internal import DeviceKit
internal import MQTTClient
internal import Synchronization

/// The samples that one turn of a broker's connection brought, of all its devices: one delivery a turn instead of one a
/// device, which has often no more than a single message in it.
///
/// Sessions put in what the messages of one connection alone have brought. It is delivered once all of them have had
/// theirs and before anything is acknowledged to the broker, as if each had delivered its own. What one read brings
/// bounds it.
final class TurnBatch: TurnFollower {
  private let feed: any DeviceFeed
  private let batch = Mutex(SampleBatch())

  init(feed: any DeviceFeed) { self.feed = feed }

  /// Lets a session append its samples.
  func gather(_ body: (inout SampleBatch) -> Void) { batch.withLock { body(&$0) } }

  func turnEnded() async {
    var taken = SampleBatch()
    batch.withLock { swap(&$0, &taken) }
    guard !taken.isEmpty else { return }
    await feed.deliver(taken)
    // The columns' memory again for the next turn.
    taken.removeAll(keepingCapacity: true)
    batch.withLock { if $0.isEmpty { swap(&$0, &taken) } }
  }
}

/// The turn batches of a plugin's sessions: one for each connection and feed, for as long as a session has it.
final class TurnBatches: Sendable {
  private struct Key: Hashable {
    var connection: ObjectIdentifier
    var feed: ObjectIdentifier
  }
  private struct Entry {
    weak var batch: TurnBatch?
  }
  /// A session holds its connection and, by the batch, the feed: while the batch lives, nothing else has their
  /// identities.
  private let entries = Mutex<[Key: Entry]>([:])

  func batch(of connection: MQTTConnection, to feed: any DeviceFeed) -> TurnBatch {
    let key = Key(connection: ObjectIdentifier(connection), feed: ObjectIdentifier(feed))
    return entries.withLock { entries in
      if let known = entries[key]?.batch { return known }
      let batch = TurnBatch(feed: feed)
      entries = entries.filter { $0.value.batch != nil }
      entries[key] = Entry(batch: batch)
      return batch
    }
  }
}
