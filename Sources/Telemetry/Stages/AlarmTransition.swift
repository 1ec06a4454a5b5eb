public import Documents
public import SinkKit

/// An alarm that was raised or cleared.
public struct AlarmTransition: Sendable, Hashable {
  public var alarm: String
  public var severity: PipelineSpecification.Alarm.Severity
  public var isRaised: Bool
  /// The series that it is about; of an alarm about a device, one whose property is empty.
  public var series: SeriesDescription
  /// By the source's clock.
  public var time: Timestamp
  /// What the pipeline's author tells people; empty where that is nothing.
  public var message: String

  public init(
    alarm: String, severity: PipelineSpecification.Alarm.Severity, isRaised: Bool, series: SeriesDescription,
    time: Timestamp, message: String
  ) {
    self.alarm = alarm
    self.severity = severity
    self.isRaised = isRaised
    self.series = series
    self.time = time
    self.message = message
  }
}

/// Transitions that wait to be taken up: bounded, the newest lost and counted.
struct AlarmLog {
  private static let most = 1_024
  private(set) var transitions: [AlarmTransition] = []
  private(set) var lost: UInt64 = 0

  mutating func append(_ transition: AlarmTransition) {
    if transitions.count < Self.most { transitions.append(transition) } else { lost += 1 }
  }

  mutating func take() -> [AlarmTransition] {
    guard !transitions.isEmpty else { return [] }
    defer { transitions = [] }
    return transitions
  }
}
