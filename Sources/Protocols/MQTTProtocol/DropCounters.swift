internal import Synchronization

/// Counts what the messages of devices brought that did not become a sample of good quality, by cause.
public final class DropCounters: Sendable {
  public enum Cause: String, Sendable, Hashable, CaseIterable {
    case malformedJSON = "malformed_json"
    /// The payload has nothing at the property's path.
    case missingPath = "missing_path"
    case wrongType = "wrong_type"
    /// The payload's time is none; the arrival's was taken.
    case badTime = "bad_time"
    /// A retained message that came again because another subscriber had asked for it.
    case retainedRepeat = "retained_repeat"
  }

  private let counts = Mutex<[Cause: UInt64]>([:])

  public init() {}

  func add(_ cause: Cause, _ count: Int = 1) { counts.withLock { $0[cause, default: 0] += UInt64(count) } }

  public func count(of cause: Cause) -> UInt64 { counts.withLock { $0[cause] ?? 0 } }

  /// Every cause with its count, zeros included.
  public var snapshot: [(cause: Cause, count: UInt64)] {
    let counts = counts.withLock { $0 }
    return Cause.allCases.map { ($0, counts[$0] ?? 0) }
  }
}
