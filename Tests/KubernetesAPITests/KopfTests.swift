import Foundation
import Testing

@Suite("An operator written with kopf against the API and the store", .timeLimit(.minutes(2)))
struct KopfTests {
  private static let operatorText = """
    import kopf

    @kopf.on.create("selvedge.dev", "v1alpha1", "devices")
    def created(name, spec, patch, **_):
        patch.metadata.annotations["seen-by"] = "kopf"
        print("created", name, flush=True)

    @kopf.on.delete("selvedge.dev", "v1alpha1", "devices")
    def deleted(name, **_):
        print("deleted", name, flush=True)
    """

  @Test func seesCreationsAndHoldsDeletionsByItsFinalizer() async throws {
    try await RunningServer.withStore { server, _ in
      let kubectl = try await Kubectl(.current, server: server.url)
      defer { kubectl.remove() }
      let config = """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "\(server.url)"}}]
        users: [{name: u, user: {}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
      try config.write(toFile: kubectl.home + "/config", atomically: true, encoding: .utf8)
      try Self.operatorText.write(toFile: kubectl.home + "/operator.py", atomically: true, encoding: .utf8)
      let kopf = try Subprocess.Running(
        "/usr/bin/env", ["python3", "-m", "kopf", "run", "--standalone", "-A", kubectl.home + "/operator.py"],
        environment: ["KUBECONFIG": kubectl.home + "/config"])
      _ = try await kubectl.succeed("apply", "-f", KubectlTests.contract("02-devices.yaml"))
      try await eventually("the operator has seen all three", within: 60) {
        ["boiler-1", "meter-1", "room-1"].allSatisfy { kopf.output.contains("created \($0)") }
      }
      try await eventually("its patch is stored") {
        try await kubectl.succeed("get", "device", "room-1", "-o", "jsonpath={.metadata.annotations.seen-by}") == "kopf"
      }
      _ = try await kubectl.succeed("delete", "device", "room-1", "--timeout=30s")
      #expect(kopf.output.contains("deleted room-1"), "\(kopf.output)")
      kopf.terminate()
      _ = await kopf.result(deadline: 5)
    }
  }
}
