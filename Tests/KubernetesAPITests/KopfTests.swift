import Documents
import Foundation
import ResourceConformance
import ResourceStore
import Resources
import TestSupport
import Testing

@Suite("An operator written with kopf against the API and the store", .timeLimit(.minutes(10)))
struct KopfTests {
  // Handlers run in threads side by side: each line is written in one piece.
  private static let operatorText = """
    import kopf

    @kopf.on.create("selvedge.dev", "v1alpha1", "devices")
    def created(name, spec, patch, **_):
        patch.metadata.annotations["seen-by"] = "kopf"
        print(f"created {name}\\n", end="", flush=True)

    @kopf.on.delete("selvedge.dev", "v1alpha1", "devices")
    def deleted(name, **_):
        print(f"deleted {name}\\n", end="", flush=True)
    """

  @Test func seesCreationsAndHoldsDeletionsByItsFinalizer() async throws { try await Self.day() }

  /// - Parameter recorder: writes down every request.
  static func day(recorder: RequestRecorder? = nil) async throws {
    try await RunningServer.withStore(recorder: recorder) { server, _ in
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
      try await eventually("the operator has seen all three", seen: { kopf.output + kopf.errors }) {
        ["boiler-1", "meter-1", "room-1"].allSatisfy { kopf.output.contains("created \($0)") }
      }
      try await eventually("its patch is stored") {
        try await kubectl.succeed("get", "device", "room-1", "-o", "jsonpath={.metadata.annotations.seen-by}") == "kopf"
      }
      _ = try await kubectl.succeed("delete", "device", "room-1", "--timeout=120s")
      #expect(kopf.output.contains("deleted room-1"), "\(kopf.output)")
      kopf.terminate()
      _ = await kopf.result(deadline: 5)
    }
  }

  private static let restartOperatorText = """
    import kopf

    @kopf.on.startup()
    def configure(settings, **_):
        settings.networking.error_backoffs = [0.1] * 200
        settings.watching.reconnect_backoff = 0.1
        settings.posting.enabled = False

    @kopf.on.create("test.dev", "v1", "widgets")
    def created(name, **_):
        print(f"created {name}\\n", end="", flush=True)

    @kopf.on.update("test.dev", "v1", "widgets", field="spec.size")
    def updated(name, new, **_):
        print(f"updated {name} {new}\\n", end="", flush=True)

    @kopf.on.delete("test.dev", "v1", "widgets")
    def deleted(name, **_):
        print(f"deleted {name}\\n", end="", flush=True)
    """

  /// An operator goes on where it was when its API server comes back.
  @Test func goesOnThroughARestartOfTheServer() async throws {
    let data = try DataDirectory()
    let ports = PortOfRestarts()
    let kopf = ClientOfRestarts()
    let home = data.path + "-kopf"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: home) }
    try Self.restartOperatorText.write(toFile: home + "/operator.py", atomically: true, encoding: .utf8)
    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }
    @Sendable func make(_ store: EmbeddedResourceStore, _ name: String) async throws {
      _ = try await store.create(
        TestKinds.widgets, namespace: "default", TestKinds.widget(name, ["size": 1]), WriteOptions())
    }
    do {
      let store = try await data.open()
      try await RunningServer.with([store]) { server in
        ports.keep(server.port)
        let config = """
          apiVersion: v1
          kind: Config
          clusters: [{name: c, cluster: {server: "\(server.url)"}}]
          users: [{name: u, user: {}}]
          contexts: [{name: x, context: {cluster: c, user: u}}]
          current-context: x
          """
        try config.write(toFile: home + "/config", atomically: true, encoding: .utf8)
        kopf.keep(
          try Subprocess.Running(
            "/usr/bin/env", ["python3", "-m", "kopf", "run", "--standalone", "-A", home + "/operator.py"],
            environment: ["KUBECONFIG": home + "/config"]))
        for name in ["a", "b"] { try await make(store, name) }
        try await eventually("both are seen and held") {
          let items = try await store.list(TestKinds.widgets, ListOptions()).items
          return kopf.output.contains("created a") && kopf.output.contains("created b")
            && items.allSatisfy { !$0.metadata.finalizers.isEmpty && $0.metadata.json["annotations"] != nil }
        }
      }
    }
    // The operator is alone meanwhile.
    do {
      let store = try await data.open()
      try await make(store, "c")
      _ = try await store.patch(
        TestKinds.widgets, key("a"), .merge(["spec": ["size": 5]]), subresource: nil, WriteOptions())
      let (_, isGone) = try await store.delete(TestKinds.widgets, key("b"), DeleteOptions())
      #expect(!isGone, "its finalizer holds b")
    }
    let store = try await data.open()
    try await RunningServer.with([store], port: ports.port) { _ in
      try await eventually("it has caught up") {
        ["created c", "updated a 5", "deleted b"].allSatisfy(kopf.output.contains)
      }
      try await eventually("b is gone") {
        try await store.list(TestKinds.widgets, ListOptions()).items.map(\.metadata.name) == ["a", "c"]
      }
      let lines = kopf.output.split(separator: "\n")
      for line in ["created a", "created b", "created c", "updated a 5", "deleted b"] {
        #expect(lines.count { $0 == line } == 1, "\(line) once in \(kopf.output)")
      }
      kopf.terminate()
    }
  }
}
