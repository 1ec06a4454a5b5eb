internal import Documents

/// Whether a link to a receiver is used.
public enum CircuitState: String, Sendable, Hashable {
  case closed = "Closed"
  /// Several tries in a row have failed; nothing is offered until the pause is over.
  case open = "Open"
  /// One batch is out to see whether the receiver is back.
  case halfOpen = "HalfOpen"
}

/// When a sink is offered a batch and how large: pure, without a clock.
struct DeliverySchedule {
  /// What an outcome asks of the sink's spool.
  enum Directive: Equatable {
    /// The batch leaves the spool.
    case removeBatch
    /// The same batch is offered again later.
    case keepBatch
    /// The batch is read again, smaller, to find the record that is refused.
    case splitBatch
    /// The single record is set aside.
    case setAside
  }

  enum Outcome: Equatable {
    case delivered
    case retry(after: Duration?)
    case refused(reason: String)
  }

  /// Failures in a row that open the circuit.
  static let failuresToOpen = 3
  static let shortestPause = Duration.milliseconds(250)
  static let longestPause = Duration.seconds(30)

  /// Equal refusals of one record after which it is set aside.
  var refusalsToSetAside = 3
  var maxSamples: Int { didSet { limit = min(max(limit, 1), maxSamples) } }
  /// How many records the next batch may have.
  private(set) var limit: Int
  private(set) var circuit = CircuitState.closed
  private var failures = 0
  private var refusals: (reason: String, count: Int) = ("", 0)
  /// When the pause ends, by a clock that is never set.
  private var pauseEnd: Int64?

  init(maxSamples: Int) {
    self.maxSamples = maxSamples
    limit = maxSamples
  }

  /// Whether something may be offered now.
  func mayOffer(at now: Int64) -> Bool { pauseEnd.map { now >= $0 } ?? true }

  /// Says that a batch goes out.
  mutating func offers() {
    pauseEnd = nil
    if circuit == .open { circuit = .halfOpen }
  }

  /// Takes what became of a batch of `count` records. `jitter` is chance between 0 and 1.
  mutating func concluded(_ outcome: Outcome, count: Int, at now: Int64, jitter: Double) -> Directive {
    switch outcome {
    case .delivered:
      (failures, circuit, refusals) = (0, .closed, ("", 0))
      limit = min(maxSamples, limit * 2)
      return .removeBatch
    case .retry(let after):
      failures += 1
      if failures >= Self.failuresToOpen { circuit = .open }
      rest(after ?? backoff(jitter), at: now)
      return .keepBatch
    case .refused(let reason):
      (failures, circuit) = (0, .closed)
      if count > 1 {
        limit = max(1, count / 2)
        return .splitBatch
      }
      refusals = reason == refusals.reason ? (reason, refusals.count + 1) : (reason, 1)
      guard refusals.count >= refusalsToSetAside else {
        rest(Self.shortestPause * refusals.count, at: now)
        return .keepBatch
      }
      refusals = ("", 0)
      limit = min(maxSamples, limit * 2)
      return .setAside
    }
  }

  /// Ends the pause: the receiver may be another one now.
  mutating func reset() {
    (failures, circuit, refusals, pauseEnd) = (0, .closed, ("", 0), nil)
    limit = maxSamples
  }

  /// Doubles from failure to failure; half of it is chance, so that gateways do not come back all at once.
  private func backoff(_ jitter: Double) -> Duration {
    let doubled = Self.shortestPause * (1 << min(failures - 1, 16))
    let full = min(doubled, Self.longestPause)
    return full / 2 + full / 2 * jitter
  }

  private mutating func rest(_ duration: Duration, at now: Int64) {
    pauseEnd = now + max(0, min(duration, .seconds(3_600)).nanoseconds)
  }
}
