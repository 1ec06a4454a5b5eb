import Documents

/// Whether and when a request goes out once more, by how the last try ended.
///
/// | Ended with | Read | Write |
/// |---|---|---|
/// | 5 Acknowledge | after 100, 200 and 400 ms | taken: the device works on it |
/// | 6 ServerDeviceBusy | after 100, 200 and 400 ms | the same |
/// | 8 MemoryParityError | once, at once | never |
/// | 1, 2, 3, 4, 7, 10, 11, others | never | never |
/// | no usable answer in time | at once, as often as `retries` says | never: the device may have taken it |
package struct RetryPolicy: Sendable {
  package static let busyPauses: [Duration] = [.milliseconds(100), .milliseconds(200), .milliseconds(400)]
  private let isReadOnly: Bool
  private var retries: Int
  private var busy = 0
  private var hasRepeatedParity = false

  package init(_ request: ModbusRequest, retries: Int) {
    isReadOnly = request.isReadOnly
    self.retries = retries
  }

  /// The pause before the next try; nil: there is none.
  package mutating func pause(after error: ModbusError) -> Duration? {
    switch error {
    case .exception(.serverDeviceBusy), .exception(.acknowledge):
      guard isReadOnly || error == .exception(.serverDeviceBusy), busy < Self.busyPauses.count else { return nil }
      defer { busy += 1 }
      return Self.busyPauses[busy]
    case .exception(.memoryParityError):
      guard isReadOnly, !hasRepeatedParity else { return nil }
      hasRepeatedParity = true
      return .zero
    case .timeout:
      guard isReadOnly, retries > 0 else { return nil }
      retries -= 1
      return .zero
    case .exception, .unreachable, .connectionLost, .notModbus, .queueFull, .closed, .fenced: return nil
    }
  }
}

/// How long a silent unit is left alone on a link that others need: each silence doubles the pause.
package struct SilenceBackoff: Sendable, Hashable {
  package static let limit = Duration.seconds(30)
  private var silences = 0
  /// Nanoseconds of a monotonic clock.
  package private(set) var until = Int64.min

  package init() {}

  /// The unit was asked and kept silent for `timeout`: it is left alone for twice that, then four times and so on.
  package mutating func silent(for timeout: Duration, at now: Int64) {
    silences = min(silences + 1, 16)
    until = now + min(timeout * (1 << silences), Self.limit).nanoseconds
  }

  package mutating func heard() { if silences > 0 { self = SilenceBackoff() } }
}
