import Synchronization

/// Spreads probes evenly: at most so many in a second, over all hosts together, and no burst after a pause.
final class ScanPace: Sendable {
  private let interval: Duration
  private let next: Mutex<ContinuousClock.Instant>

  init(perSecond: Int) {
    interval = .seconds(1) / max(perSecond, 1)
    next = Mutex(ContinuousClock.now)
  }

  /// Waits for the next free slot; throws only `CancellationError`.
  func wait() async throws {
    let slot = next.withLock { next in
      let slot = max(next, ContinuousClock.now)
      next = slot + interval
      return slot
    }
    try await Task.sleep(until: slot, clock: .continuous)
  }
}
