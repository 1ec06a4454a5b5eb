internal import DeviceKit

/// How long to wait before the next attempt to connect: doubling from a base to a limit, spread by chance so that many
/// links do not return at once.
public struct ReconnectBackoff: Sendable, Hashable {
  public var base: Duration
  public var limit: Duration
  /// Attempts in a row that brought no valid answer.
  public private(set) var failures = 0
  private var random: SplitMix64

  public init(base: Duration = .milliseconds(250), limit: Duration = .seconds(10), seed: UInt64) {
    self.base = base
    self.limit = limit
    random = SplitMix64(seed: seed)
  }

  /// The wait after one more failure: half to all of base × 2^failures, never above the limit.
  public mutating func delayAfterFailure() -> Duration {
    let doubled = base * Double(UInt64(1) << UInt64(min(failures, 20)))
    failures += 1
    return min(doubled, limit) * Double.random(in: 0.5...1, using: &random)
  }

  public mutating func reset() { failures = 0 }
}
