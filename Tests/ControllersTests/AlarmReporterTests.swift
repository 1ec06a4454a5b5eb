import Controllers
import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct AlarmReporterTests {
  private func transition(
    _ isRaised: Bool, _ severity: PipelineSpecification.Alarm.Severity, property: String = "temperature",
    message: String = ""
  ) -> AlarmTransition {
    AlarmTransition(
      alarm: "hot", severity: severity, isRaised: isRaised,
      series: SeriesDescription(
        node: "n1", device: DeviceKey(namespace: "default", name: "boiler"), property: property),
      time: Timestamp(nanoseconds: 5), message: message)
  }

  @Test func `an alarm is a warning, its end and what is only information are not`() {
    let raised = AlarmReporter.event(of: transition(true, .critical, message: "too hot"))
    #expect(raised.type == .warning)
    #expect(raised.reason == "AlarmRaised")
    #expect(raised.message == "Critical alarm hot of temperature: too hot")
    let cleared = AlarmReporter.event(of: transition(false, .critical))
    #expect(cleared.type == .normal)
    #expect(cleared.reason == "AlarmCleared")
    #expect(AlarmReporter.event(of: transition(true, .info)).type == .normal)
    #expect(AlarmReporter.event(of: transition(true, .warning, property: "")).message == "Warning alarm hot")
  }
}
