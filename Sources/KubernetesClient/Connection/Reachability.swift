/// Whether the server was last seen to be there, and when it may be tried again: while it is away, calls are refused at
/// once and do not each wait for a timeout. Pure.
package struct Reachability: Sendable {
  private var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
  private var until: ContinuousClock.Instant?
  package private(set) var cause = ""

  package init() {}

  package var isReachable: Bool { until == nil }

  /// How long until the next try; nil: now.
  package func pause(now: ContinuousClock.Instant) -> Duration? {
    guard let until, until > now else { return nil }
    return until - now
  }

  /// Whether this is news.
  package mutating func succeeded() -> Bool {
    backoff.reset()
    defer { until = nil }
    return until != nil
  }

  /// Whether this is news. What fails while the pause lasts began before it and does not lengthen it.
  package mutating func failed(_ cause: String, now: ContinuousClock.Instant, random: Double) -> Bool {
    guard pause(now: now) == nil else { return false }
    let isNews = until == nil || cause != self.cause
    self.cause = cause
    until = now + backoff.next(random: random)
    return isNews
  }
}
