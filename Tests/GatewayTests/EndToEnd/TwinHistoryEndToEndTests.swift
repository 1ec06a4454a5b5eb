import Documents
import TestSupport
import Testing

/// What a twin remembers and tells, through kubectl and the gateway's own commands.
@Suite struct TwinHistoryEndToEndTests {
  private static let path = "/apis/twin.selvedge.dev/v1alpha1/namespaces/default/twins/boiler-1"

  @Test(.timeLimit(.minutes(10)))
  func kubectlAndTheOwnCommandsTellWhatHappenedOverARestart() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      try await gateway.kubectl(
        "patch", "twin", "boiler-1", "--type", "merge", "-p", #"{"spec":{"desired":{"setpoint":60}}}"#)
      _ = try await gateway.awaitState("Confirmed", of: "setpoint", "boiler-1", desired: 60)
      let empty = try await JSONValue(parsing: Array(gateway.kubectl("get", "--raw", Self.path + "/delta").utf8))
      #expect(empty["kind"] == "TwinDelta" && empty["properties"] == [])

      // A Device's wish beyond the bound is kept, and differs.
      try await gateway.kubectl(
        "patch", "device", "boiler-1", "--type", "merge", "-p", #"{"spec":{"desired":{"setpoint":90}}}"#)
      _ = try await gateway.awaitState("Rejected", of: "setpoint", "boiler-1", desired: 90)
      let delta = try await JSONValue(parsing: Array(gateway.kubectl("get", "--raw", Self.path + "/delta").utf8))
      let item = delta["properties"]?.array?.first
      #expect(item?["name"] == "setpoint" && item?["desired"]?.number == 90 && item?["reported"]?.number == 60)
      #expect(item?["state"] == "Rejected" && item?["quality"] == "Good" && item?["by"] == "spec")

      let query = "/history?property=setpoint&kind=Desired,Transition&since=1h"
      let before = try await JSONValue(parsing: Array(gateway.kubectl("get", "--raw", Self.path + query).utf8))
      let ends = (before["items"]?.array ?? []).map { "\($0["kind"]?.string ?? "") \($0["to"] ?? .null)" }
      #expect(ends.first == "Desired 60" && ends.contains(#"Transition "Confirmed""#), "\(ends)")
      #expect(ends.suffix(2) == ["Desired 90", #"Transition "Rejected""#], "\(ends)")

      let refused = try await gateway.tryKubectl("get", "--raw", Self.path + "/history?since=yesterday")
      #expect(refused.status != 0 && refused.errors.contains("15m"), "\(refused)")

      let table = try await gateway.selvedge("twin", "history", "boiler-1", "setpoint", "--since", "1h").succeeded()
      #expect(table.contains(/^TIME +PROPERTY +KIND +FROM +TO +BY +WHY\n/), "\(table)")
      #expect(table.contains(/setpoint +Transition +Writing +Confirmed/) && table.contains("85"), "\(table)")
      let differing = try await gateway.selvedge("twin", "delta", "boiler-1").succeeded()
      #expect(differing.contains(/\nsetpoint +90 +60/), "\(differing)")

      let described = try await gateway.kubectl("describe", "device", "boiler-1")
      #expect(described.contains("DesiredConfirmed") && described.contains("DesiredRejected"), "\(described)")
      #expect(described.contains("setpoint=60 asked for by local/"), "\(described)")
      let wide = try await gateway.kubectl("get", "twins", "-o", "wide")
      #expect(wide.contains(/NAME +CONNECTED .* WRITES +POLICY +VERSION/), "\(wide)")

      try await gateway.restart()
      let after = try await JSONValue(parsing: Array(gateway.kubectl("get", "--raw", Self.path + query).utf8))
      let count = before["items"]?.array?.count ?? 0
      #expect(after["items"]?.array?.prefix(count) == before["items"]?.array?[...])
    }
  }
}
