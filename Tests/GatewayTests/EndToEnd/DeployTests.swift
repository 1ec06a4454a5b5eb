import Documents
import TestSupport
import Testing
import YAML

/// What stands in Deploy/ and Examples/, taken by kubectl.
@Suite struct DeployTests {
  /// Overlays, roles, Pod Security levels, metrics and the chart, as far as the programs for it are there; and the faults that
  /// the script must find.
  @Test(.timeLimit(.minutes(5)))
  func everyProfilePassesItsChecks() async throws {
    let script = packageRoot + "/scripts/check-deploy.py"
    let result = try await run(
      ["python3", script, "--self-test"], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
      within: .seconds(240))
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("checked: 13 profiles rendered by kubectl"))
    #expect(result.output.contains("checked: self-test"))
  }

  static let objects = [
    "devicemodel.selvedge.dev/eastron-sdm630", "devicemodel.selvedge.dev/boiler-controller",
    "devicemodel.selvedge.dev/room-sensor", "broker.selvedge.dev/local", "device.selvedge.dev/boiler-1",
    "device.selvedge.dev/meter-1", "device.selvedge.dev/room-1", "discovery.selvedge.dev/plc-net",
    "discovery.selvedge.dev/bus-things", "discovery.selvedge.dev/rs485-adapters", "discovery.selvedge.dev/rs485-meters",
    "sink.selvedge.dev/cloud", "pipeline.selvedge.dev/line-a",
  ]

  /// In a network of its own, for one of the discoveries scans an address range; without that network, a dry run.
  @Test(.timeLimit(.minutes(10)))
  func everyObjectOfTheContractIsAccepted() async throws {
    let contract = packageRoot + "/Examples/contract"
    guard try await Isolation.isPermitted() else {
      try await withGateway { gateway in
        let output = try await gateway.kubectl("apply", "--dry-run=server", "-f", contract)
        for object in Self.objects { #expect(output.contains("\(object) created (server dry run)\n")) }
      }
      return
    }
    try await withGateway(network: .isolated) { gateway in
      let output = try await gateway.kubectl("apply", "-f", contract)
      for object in Self.objects { #expect(output.contains("\(object) created\n"), "\(output)") }
      #expect(output.split(separator: "\n").count == Self.objects.count)
      let again = try await gateway.kubectl("apply", "-f", contract)
      for object in Self.objects { #expect(again.contains("\(object) unchanged\n"), "\(again)") }
      try await gateway.awaitCondition("Ready", of: "device", "boiler-1", "False", reason: "ConnectionRefused")
    }
  }
}
