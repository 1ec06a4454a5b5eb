/// Delays between attempts: each twice the last up to a limit, less up to half by chance, so that many clients of one
/// broker do not return at the same moment.
struct Backoff: Sendable {
  let shortest: Duration
  let longest: Duration
  private var next: Duration

  init(_ range: ClosedRange<Duration>) {
    shortest = range.lowerBound
    longest = range.upperBound
    next = range.lowerBound
  }

  /// The delay before the next attempt. `chance` is in 0...1.
  mutating func delay(chance: Double) -> Duration {
    let delay = next * (0.5 + chance / 2)
    next = min(next * 2, longest)
    return max(delay, shortest / 2)
  }

  mutating func reset() { next = shortest }
}
