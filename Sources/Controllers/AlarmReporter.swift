internal import DeviceKit
internal import Resources
internal import SinkKit
public import Telemetry

/// Tells people of alarms that pipelines raise and clear: an event about the Device.
public struct AlarmReporter: Sendable {
  private let telemetry: TelemetryEngine
  private let mirror: ResourceMirror
  private let events: EventRecorder

  public init(telemetry: TelemetryEngine, mirror: ResourceMirror, events: EventRecorder) {
    self.telemetry = telemetry
    self.mirror = mirror
    self.events = events
  }

  /// Follows the alarms until the task is cancelled. Once per engine.
  public func run() async {
    for await transition in telemetry.alarms {
      guard let device = mirror.object(.devices, transition.series.device.objectKey) else { continue }
      let event = Self.event(of: transition)
      await events.record(device, type: event.type, reason: event.reason, message: event.message)
    }
  }

  /// What people are told. The message names the alarm and the property, and says the same of the same, so that a
  /// repetition counts and is no other event.
  package static func event(of transition: AlarmTransition) -> (
    type: EventRecorder.Severity, reason: String, message: String
  ) {
    let property = transition.series.property
    let place = property.isEmpty ? "" : " of \(property)"
    let text = transition.message.isEmpty ? "" : ": \(transition.message)"
    return (
      transition.isRaised && transition.severity != .info ? .warning : .normal,
      transition.isRaised ? "AlarmRaised" : "AlarmCleared",
      "\(transition.severity.rawValue) alarm \(transition.alarm)\(place)\(text)"
    )
  }
}
