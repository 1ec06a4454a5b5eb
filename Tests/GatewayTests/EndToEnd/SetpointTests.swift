import Documents
import TestSupport
import Testing

/// A wish, from kubectl to a register of a server that is not the project's, and back.
@Suite struct SetpointTests {
  private static func patch(_ setpoint: Int) -> String { #"{"spec":{"desired":{"setpoint":\#(setpoint)}}}"# }

  @Test(.timeLimit(.minutes(10)))
  func aSetpointArrivesInTheRegisterAndIsConfirmedAndARestartWritesNothing() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      #expect(boiler.writes.isEmpty, "nothing is desired yet")

      try await gateway.kubectl("patch", "device", "boiler-1", "--type", "merge", "-p", Self.patch(60))
      let confirmed = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 60)
      #expect(confirmed["reported"]?.number == 60)
      #expect(confirmed["quality"]?.string == "Good")
      #expect(try await boiler.holding(40) == 600)
      #expect(boiler.writes == ["6 40 [600]"])
      try await gateway.awaitCondition("Synced", of: "device", "boiler-1", "True")

      try await gateway.restart()
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      // A fresh reading in the twin means that the value was compared, and so that a write would have been sent.
      let started = try await gateway.property("flow-temperature", of: "twin", "boiler-1")?["gatewayTime"]?.string
      try await eventually("the restarted gateway reads", seen: { gateway.log }) {
        let entry = try await gateway.property("flow-temperature", of: "twin", "boiler-1")
        return entry?["quality"]?.string == "Good" && entry?["gatewayTime"]?.string != started
      }
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 60)
      #expect(boiler.writes == ["6 40 [600]"], "a restart wrote what already held")
      #expect(try await boiler.holding(40) == 600)
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func anImpossibleSetpointIsRejectedWithTheBoundAndTheRegisterKeepsItsValue() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl(
        "apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device(desired: "{setpoint: 60}"))
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 60)

      try await gateway.kubectl("patch", "device", "boiler-1", "--type", "merge", "-p", Self.patch(90))
      let rejected = try await gateway.awaitState("Rejected", of: "setpoint", "boiler-1", desired: 90)
      #expect(rejected["message"]?.string?.contains("85") == true, "\(rejected)")
      #expect(rejected["reported"]?.number == 60)
      try await gateway.awaitCondition("Synced", of: "device", "boiler-1", "False", reason: "Rejected")
      #expect(try await boiler.holding(40) == 600)
      #expect(boiler.writes == ["6 40 [600]"])
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aTwinRefusesWhatTheModelForbidsAndTakesTheRest() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")

      let path = "/apis/twin.selvedge.dev/v1alpha1/namespaces/default/twins/boiler-1"
      let refused = try await gateway.http("PATCH", path, body: Self.patch(90))
      #expect(refused.status == 422)
      let status = try refused.json()
      #expect(status["kind"]?.string == "Status" && status["reason"]?.string == "Invalid")
      #expect(status["message"]?.string?.contains("85") == true, "\(status)")
      let cause = status[path: "details", "causes"]?.array?.first
      #expect(cause?["field"]?.string == "spec.desired.setpoint")
      #expect(try await gateway.object("twin", "boiler-1")?[path: "spec", "desired", "setpoint"] == nil)

      #expect(try await gateway.http("PATCH", path, body: Self.patch(61)).status == 200)
      try await eventually("the twin's wish is confirmed", seen: { gateway.log }) {
        let entry = try await gateway.property("setpoint", of: "twin", "boiler-1")
        return entry?["state"]?.string == "Confirmed" && entry?["reported"]?.number == 61
      }
      #expect(try await boiler.holding(40) == 610)

      let table = try await gateway.kubectl("get", "twins")
      let row = table.split(separator: "\n").first { $0.hasPrefix("boiler-1") }
      #expect(row?.contains("true") == true, "\(table)")
      let yaml = try await gateway.kubectl("get", "twin", "boiler-1", "-o", "yaml")
      #expect(yaml.contains("setpoint: 61"))
    }
  }
}
