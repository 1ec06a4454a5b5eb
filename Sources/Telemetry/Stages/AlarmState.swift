/// Whether an alarm is raised: a condition with delays over a series of moments.
///
/// Between two moments, what the earlier one found holds on. Times are nanoseconds since 1970 of the source's clock.
struct AlarmState: BitwiseCopyable, Equatable {
  enum Phase: UInt8, BitwiseCopyable {
    case normal
    /// The condition holds, not yet long enough.
    case rising
    case raised
    /// The clearing condition holds, not yet long enough.
    case falling
  }

  struct Transition: Equatable {
    var isRaised: Bool
    var time: Int64
  }

  var phase = Phase.normal
  /// Since when the phase has lasted, while it waits for a delay.
  var since: Int64 = 0
  /// The newest moment.
  var latest = Int64.min

  /// Whether people are told that it is raised.
  var isRaised: Bool { phase == .raised || phase == .falling }

  /// When a delay ends; nil where none runs.
  func due(onDelay: Int64, offDelay: Int64) -> Int64? {
    switch phase {
    case .normal, .raised: nil
    case .rising: since &+ onDelay
    case .falling: since &+ offDelay
    }
  }

  /// Lets a delay end that is over at `time`.
  mutating func elapse(to time: Int64, onDelay: Int64, offDelay: Int64) -> Transition? {
    guard let due = due(onDelay: onDelay, offDelay: offDelay), due <= time else { return nil }
    phase = phase == .rising ? .raised : .normal
    return Transition(isRaised: phase == .raised, time: due)
  }

  /// Takes what a moment finds. One earlier than the newest is not taken. At most two transitions: the end of a delay,
  /// then what follows at once.
  mutating func handle(
    isOn: Bool, isOff: Bool, at time: Int64, onDelay: Int64, offDelay: Int64
  ) -> (Transition?, Transition?) {
    guard time >= latest else { return (nil, nil) }
    latest = time
    let ended = elapse(to: time, onDelay: onDelay, offDelay: offDelay)
    switch phase {
    case .normal where isOn: (phase, since) = (.rising, time)
    case .rising where !isOn: phase = .normal
    case .raised where isOff: (phase, since) = (.falling, time)
    case .falling where !isOff: phase = .raised
    default: break
    }
    return (ended, elapse(to: time, onDelay: onDelay, offDelay: offDelay))
  }
}
