/// Growing pauses with full jitter, so that many gateways that lost the same server do not come back together. Pure.
package struct Backoff: Sendable {
  package let first: Duration
  package let longest: Duration
  private var step = 0

  package init(first: Duration = .milliseconds(500), longest: Duration = .seconds(30)) {
    self.first = first
    self.longest = longest
  }

  /// The next pause. `random` is in 0…1; the pause lies between half and the whole of the step's length.
  package mutating func next(random: Double) -> Duration {
    let whole = min(longest, first * (1 << min(step, 16)))
    step += 1
    return whole * (0.5 + random / 2)
  }

  package mutating func reset() { step = 0 }
}
