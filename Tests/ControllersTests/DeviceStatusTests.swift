import Controllers
import DeviceKit
import Documents
import Testing

@Suite struct DeviceStatusTests {
  private let plan = ServingPlan(
    model: DecodedModel(["metadata": ["name": "boiler"], "spec": ["protocol": "modbus"]])!, connection: [:],
    writesEnabled: true)

  private func property(_ name: String, state: String?, message: String = "", reported: JSONValue = 1) -> PropertyStatus
  {
    PropertyStatus(
      name: name, reported: reported, quality: .good, time: Timestamp(seconds: 1), desired: state == nil ? nil : 1,
      state: state, message: message, isSummary: true)
  }

  private func patch(
    _ properties: [PropertyStatus], connection: ConnectionState? = .connected, resolution: DeviceResolution? = nil,
    previous: JSONValue = [:], now: Int64 = 10
  ) -> JSONValue {
    DeviceStatus(
      nodeName: "gw-1", generation: 3, resolution: resolution ?? .serve(plan), connection: connection,
      properties: properties
    ).patch(previous: previous, now: Timestamp(seconds: now))
  }

  private func condition(_ status: JSONValue, _ type: String) -> JSONValue? {
    status["conditions"]?.array?.first { $0["type"]?.string == type }
  }

  @Test func aDeviceThatAnswersAndHoldsItsWishesIsReady() {
    let status = patch([property("setpoint", state: "Confirmed")])
    #expect(condition(status, "Ready")?["status"] == "True")
    #expect(condition(status, "Synced")?["reason"] == "Confirmed")
    #expect(condition(status, "Reconciling") == nil)
    #expect(status["observedGeneration"] == 3)
  }

  @Test func theWorstWishSpeaks() {
    let status = patch([
      property("a", state: "Confirmed"), property("b", state: "Pending"),
      property("c", state: "Rejected", message: "90 is above the maximum 85 degC"),
    ])
    #expect(condition(status, "Synced")?["reason"] == "Rejected")
    #expect(condition(status, "Synced")?["message"] == "c: 90 is above the maximum 85 degC")
    #expect(condition(status, "Stalled") == nil)
    #expect(condition(status, "Reconciling")?["status"] == "True")
    let settled = patch([property("a", state: "Confirmed"), property("c", state: "Rejected")], previous: status)
    #expect(condition(settled, "Stalled")?["status"] == "True")
    #expect(condition(settled, "Reconciling") == nil)
  }

  @Test func aSilentDeviceSaysWhy() {
    let status = patch([], connection: .disconnected(DeviceError(reason: "Timeout", message: "no answer within 1 s")))
    #expect(condition(status, "Connected")?["status"] == "False")
    #expect(condition(status, "Ready")?["reason"] == "Timeout")
  }

  @Test func aTransitionTimeMovesOnlyOnAFlip() {
    let first = patch([], now: 10)
    let second = patch([], previous: first, now: 20)
    #expect(condition(second, "Ready")?["lastTransitionTime"] == condition(first, "Ready")?["lastTransitionTime"])
    let third = patch(
      [], connection: .disconnected(DeviceError(reason: "Timeout", message: "")), previous: second, now: 30)
    #expect(condition(third, "Ready")?["lastTransitionTime"] == "1970-01-01T00:00:30Z")
  }

  @Test func mereValuesChangeNoDigestAndTransitionsDo() {
    let first = patch([property("a", state: "Confirmed", reported: 1)])
    let moved = patch([property("a", state: "Confirmed", reported: 2)], previous: first, now: 99)
    #expect(DeviceStatus.digest(of: first) == DeviceStatus.digest(of: first.merging(moved)))
    let failed = patch([property("a", state: "Failed")], previous: first)
    #expect(DeviceStatus.digest(of: first) != DeviceStatus.digest(of: first.merging(failed)))
  }

  @Test func wishesComeFirstAndTheRestIsCounted() {
    let summaries = (0..<70).map { property("s\($0)", state: nil) }
    let status = patch(summaries + [property("wish", state: "Confirmed")])
    #expect(status["properties"]?.array?.count == 64)
    #expect(status["properties"]?.array?.first?["name"] == "wish")
    #expect(status["propertiesOmitted"] == 7)
  }

  @Test func aDeviceThatWaitsForItsModelSaysSo() {
    let status = patch(
      [], resolution: .waiting(reason: "ModelNotFound", message: "DeviceModel \"x\" does not exist yet"))
    #expect(condition(status, "Ready")?["reason"] == "ModelNotFound")
    #expect(condition(status, "Stalled") == nil)
  }
}
