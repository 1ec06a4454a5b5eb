/// How many requests may go out: so many a second, of which some may be saved up. Pure.
package struct TokenBucket: Sendable {
  package let perSecond: Double
  package let burst: Double
  private var tokens: Double
  private var time: ContinuousClock.Instant

  package init(perSecond: Double, burst: Double, now: ContinuousClock.Instant) {
    self.perSecond = perSecond
    self.burst = burst
    tokens = burst
    time = now
  }

  /// Takes one and says how long to wait before it is used: those who wait stand in line.
  package mutating func take(now: ContinuousClock.Instant) -> Duration {
    let passed = max(0, (now - time) / .seconds(1))
    tokens = min(burst, tokens + passed * perSecond) - 1
    time = max(time, now)
    return tokens >= 0 ? .zero : .seconds(-tokens / perSecond)
  }
}
