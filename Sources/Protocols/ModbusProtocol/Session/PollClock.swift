import Documents

/// Time for a poll: nanoseconds of a monotonic clock.
protocol PollClock: Sendable {
  var now: Int64 { get }
  /// Returns at `deadline`, or when the task is cancelled.
  func sleep(until deadline: Int64) async
}

extension LoopAlarm: PollClock {}

/// The pool's clock, for links without an event loop.
struct PoolClock: PollClock {
  private static let origin = ContinuousClock.now

  var now: Int64 { (ContinuousClock.now - Self.origin).nanoseconds }

  func sleep(until deadline: Int64) async {
    try? await ContinuousClock().sleep(until: Self.origin + .nanoseconds(deadline))
  }
}
