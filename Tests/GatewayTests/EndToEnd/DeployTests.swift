import Documents
import TestSupport
import Testing
import YAML

/// What stands in Deploy/ and Examples/, taken by kubectl.
@Suite struct DeployTests {
  @Test(
    .timeLimit(.minutes(1)),
    arguments: ["Deploy/kustomize/base", "Deploy/kustomize/overlays/ip-only", "Deploy/kustomize/overlays/serial"])
  func kustomizeRendersTheDaemonSetWithProbes(_ folder: String) async throws {
    let rendered = try await run(["/usr/bin/kubectl", "kustomize", packageRoot + "/" + folder]).succeeded()
    let documents = try YAMLDocument.all(in: Array(rendered.utf8))
    let daemonSet = try #require(documents.first { $0["kind"]?.string == "DaemonSet" })
    let container = try #require(
      daemonSet[path: "spec", "template", "spec", "containers"]?.array?.first { $0["name"]?.string == "selvedge" })
    #expect(container[path: "livenessProbe", "httpGet", "path"]?.string == "/livez")
    #expect(container[path: "readinessProbe", "httpGet", "path"]?.string == "/readyz")
    let ports = container["ports"]?.array?.compactMap { $0["name"]?.string } ?? []
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
      #expect(ports.contains(container[path: probe, "httpGet", "port"]?.string ?? "none"), "\(probe)")
    }
    let arguments = container["args"]?.array?.compactMap(\.string) ?? []
    #expect(arguments.contains { $0.hasPrefix("--health-listen=") })
    let kinds = Set(documents.compactMap { $0["kind"]?.string })
    #expect(kinds.isSuperset(of: ["Namespace", "ServiceAccount", "ConfigMap"]))
  }

  static let objects = [
    "devicemodel.selvedge.dev/eastron-sdm630", "devicemodel.selvedge.dev/boiler-controller",
    "devicemodel.selvedge.dev/room-sensor", "broker.selvedge.dev/local", "device.selvedge.dev/boiler-1",
    "device.selvedge.dev/meter-1", "device.selvedge.dev/room-1", "discovery.selvedge.dev/plc-net",
    "discovery.selvedge.dev/bus-things", "discovery.selvedge.dev/rs485-adapters", "discovery.selvedge.dev/rs485-meters",
    "sink.selvedge.dev/cloud", "pipeline.selvedge.dev/line-a",
  ]

  /// In a network of its own, for one of the discoveries scans an address range; without that network, a dry run.
  @Test(.timeLimit(.minutes(2)))
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
