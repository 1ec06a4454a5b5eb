import Documents
import Foundation
import TestSupport
import Testing
import YAML

/// kubectl's watch and delete, and the gateway's own client commands.
@Suite struct ClientTests {
  @Test(.timeLimit(.minutes(10)))
  func aWatchShowsATransitionAndADeviceTakesItsTwinAlong() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: boiler.device())
      try await gateway.awaitCondition("Ready", of: "device", "boiler-1", "False", reason: "ModelNotFound")
      let watch = try gateway.startKubectl("get", "devices", "-w")
      try await eventually("the watch shows the device", seen: { watch.output + watch.errors }) {
        watch.output.contains("ModelNotFound")
      }
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model)
      try await eventually("the watch shows it ready", seen: { watch.output + watch.errors }) {
        watch.output.contains(#/\nboiler-1 +boiler-controller +True +True +True /#)
      }
      #expect(watch.isRunning)
      #expect(try await gateway.object("twin", "boiler-1") != nil)

      try await gateway.kubectl("delete", "device", "boiler-1")
      try await eventually("the twin goes with its device", seen: { gateway.log }) {
        try await gateway.object("twin", "boiler-1") == nil
      }
      #expect(try await !gateway.kubectl("get", "twins").contains("boiler-1"))
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func theOwnCommandsServeWhereThereIsNoKubectl() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      let applied = try await gateway.selvedge(
        "apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      #expect(try applied.succeeded() == "devicemodel/boiler-controller created\ndevice/boiler-1 created\n")
      try await gateway.awaitCondition("Ready", of: "device", "boiler-1", "True")

      let table = try await gateway.selvedge("get", "devices").succeeded()
      #expect(table.contains(/^NAME +MODEL/) && table.contains(/\nboiler-1 +boiler-controller +True/), "\(table)")
      let device = try await gateway.selvedge("get", "device", "boiler-1").succeeded()
      #expect(try YAMLDocument.all(in: Array(device.utf8)).first?[path: "metadata", "name"]?.string == "boiler-1")

      #expect(try await gateway.selvedge("twin", "set", "boiler-1", "setpoint=62", "pump=true").status == 0)
      try await eventually("the wish is confirmed", seen: { gateway.log }) {
        try await gateway.property("setpoint", of: "twin", "boiler-1")?["state"]?.string == "Confirmed"
      }
      #expect(try await boiler.holding(40) == 620)
      let refused = try await gateway.selvedge("twin", "set", "boiler-1", "setpoint=90")
      #expect(refused.status == 1 && refused.errors.contains("85"), "\(refused)")

      let bad = try await gateway.selvedge(
        "apply", "-f", "-", input: boiler.device("boiler-2").replacingOccurrences(of: "unitID", with: "unitId"))
      #expect(bad.status == 1 && bad.errors.contains("spec.connection.modbus.unitId"), "\(bad)")
      #expect(try await gateway.object("device", "boiler-2") == nil)
      let missing = try await gateway.selvedge("get", "device", "nobody")
      #expect(missing.status == 1 && missing.errors.contains("nobody"), "\(missing)")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func kubectlWorksWithThePrintedKubeconfig() async throws {
    try await withGateway { gateway in
      let kubeconfig = try await gateway.selvedge("kubeconfig").succeeded()
      let path = try gateway.folder.write(kubeconfig, to: "kubeconfig")
      var output = ""
      try await eventually("the gateway's own object is listed", seen: { output + gateway.log }) {
        output = try await run(
          ["/usr/bin/kubectl", "--cache-dir", gateway.folder("kube-cache"), "get", "gateways", "-o", "name"],
          environment: ["KUBECONFIG": path]
        ).succeeded()
        return output == "gateway.selvedge.dev/gw-test\n"
      }
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func withoutAGatewayAClientSaysSo() async throws {
    let result = try await run([
      try selvedgeBinary(), "get", "devices", "--server", "http://127.0.0.1:\(freePort())",
    ])
    #expect(result.status == 1 && result.errors.split(separator: "\n").count == 1, "\(result)")
  }

  @Test(.timeLimit(.minutes(10)))
  func thePrintedCRDsAreOnesOfEveryKind() async throws {
    let text = try await run([try selvedgeBinary(), "crds"]).succeeded()
    let documents = try YAMLDocument.all(in: Array(text.utf8))
    #expect(documents.allSatisfy { $0["kind"]?.string == "CustomResourceDefinition" })
    #expect(
      Set(documents.compactMap { $0[path: "spec", "names", "kind"]?.string }) == [
        "DeviceModel", "Gateway", "Device", "Discovery", "Broker", "Pipeline", "Sink",
      ])
  }

  @Test(.timeLimit(.minutes(10)))
  func validateTakesTheContract() async throws {
    let folder = packageRoot + "/Examples/contract/"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files.count == 4)
    let result = try await run([try selvedgeBinary(), "validate"] + files.flatMap { ["-f", folder + $0] })
    #expect(result.status == 0, "\(result)")
    #expect(result.output.split(separator: "\n").count == DeployTests.objects.count)
  }
}
