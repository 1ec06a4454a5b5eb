import Synchronization

/// The rule of spacing: from one probe to the next at least an interval, however long nothing was sent before. Times
/// count from any fixed moment.
package struct ProbeSpacing: Sendable {
  package let interval: Duration
  private var last: Duration?

  package init(perSecond: Int) { interval = .seconds(1) / max(perSecond, 1) }

  /// How long the next probe has to wait.
  package func wait(at now: Duration) -> Duration {
    guard let last else { return .zero }
    return max(.zero, last + interval - now)
  }

  /// A probe is sent now.
  package mutating func sent(at now: Duration) { last = now }
}

/// Lets probes go one after the other, spaced, in the order in which they came.
final class ScanPace: Sendable {
  private let gate = AsyncLock()
  private let spacing: Mutex<ProbeSpacing>
  private let start = ContinuousClock.now

  init(perSecond: Int) { spacing = Mutex(ProbeSpacing(perSecond: perSecond)) }

  private var now: Duration { ContinuousClock.now - start }

  /// Returns when the next probe may be sent, which counts as sent then; throws only `CancellationError`.
  func wait() async throws {
    await gate.withLock {
      while !Task.isCancelled {
        let pause = spacing.withLock { spacing in
          let now = now
          let pause = spacing.wait(at: now)
          if pause == .zero { spacing.sent(at: now) }
          return pause
        }
        guard pause > .zero else { return }
        try? await Task.sleep(for: pause)
      }
    }
    try Task.checkCancellation()
  }

  /// A probe was sent without asking, or later than its turn.
  func sent() { spacing.withLock { $0.sent(at: now) } }
}
