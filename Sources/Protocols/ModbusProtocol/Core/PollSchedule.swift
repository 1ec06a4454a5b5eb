/// When each group of properties is due: at a fixed rate from a start of its own, however long the reading takes.
/// Times are nanoseconds of a monotonic clock.
public struct PollSchedule: Sendable, Hashable {
  private struct Group: Hashable {
    var period: Int64
    var due: Int64
  }
  private var groups: [Group]
  /// How many periods passed unread, since reading took longer.
  public private(set) var overruns: UInt64 = 0

  /// The first cycles stand on multiples of this: devices that are due together share one wake-up of their event loop.
  package static let tick: Int64 = 5_000_000

  /// One group for each of `periods`, shorter ones raised to 10 ms. The first cycle comes within a tenth of the period,
  /// at most 500 ms, spread by `jitter` (0..<1), so that devices do not all speak at once, and at the next ``tick``.
  public init(periods: [Duration], start: Int64, jitter: Double) {
    groups = periods.map { period in
      let nanoseconds = max(Int64(period / .nanoseconds(1)), 10_000_000)
      let due = start + Int64(Double(min(nanoseconds / 10, 500_000_000)) * jitter)
      return Group(period: nanoseconds, due: (due + Self.tick - 1) / Self.tick * Self.tick)
    }
  }

  /// When the next group is due; nil without groups.
  public var next: Int64? { groups.map(\.due).min() }

  /// The groups that are due at `now`, by index; each is due again at its next multiple after `now`.
  public mutating func take(at now: Int64) -> [Int] {
    var due: [Int] = []
    for index in groups.indices where groups[index].due <= now {
      due.append(index)
      let missed = (now - groups[index].due) / groups[index].period
      overruns += UInt64(missed)
      groups[index].due += (missed + 1) * groups[index].period
    }
    return due
  }
}
