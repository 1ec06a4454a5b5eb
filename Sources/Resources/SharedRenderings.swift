internal import Synchronization

/// What an event was made into for its first watcher, kept for the others: one encoding for each representation,
/// however many watch.
///
/// Every copy of a ``WatchEvent`` has the same one; it goes with the last of them.
public final class SharedRenderings: Sendable {
  private let made = Mutex<[(name: String, bytes: [UInt8])]>([])

  public init() {}

  /// The bytes under `name`, made by the first who asks. Others wait for it meanwhile, as they would need as long.
  public func bytes(_ name: String, make: () -> [UInt8]) -> [UInt8] {
    made.withLock { made in
      for entry in made where entry.name == name { return entry.bytes }
      let bytes = make()
      made.append((name, bytes))
      return bytes
    }
  }

  /// How many representations were asked for.
  public var count: Int { made.withLock(\.count) }
}
