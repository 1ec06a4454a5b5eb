import Documents
import Foundation
import KubernetesAPI
import Logging
import ResourceStore
import Resources
import Testing

/// What real clients send, replayed without them: `Fixtures/kubectl/README.md` says where each file came from.
@Suite("Requests of real clients, replayed", .timeLimit(.minutes(10)))
struct GoldenRequestTests {
  static let recordings = ["1.20/day", "1.32/day", "python-37.0.2/day", "kopf-1.45.2/day"]

  @Test("A day's requests are answered as they were when the client was there", arguments: recordings)
  func replay(recording: String) async throws {
    let file = "\(Kubectl.root)/Fixtures/kubectl/\(recording).json"
    let requests = try JSONDecoder().decode(
      [GoldenRequest].self, from: try Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(requests.count >= 10, "\(recording) holds \(requests.count) requests")
    let data = try DataDirectory()
    let store = try await data.open()
    let api = KubernetesAPI(
      backends: [store], now: { Fixtures.noon }, version: "0.1.0", logger: Logger(label: "test"))
    for (index, request) in requests.enumerated() {
      let parts = request.path.split(separator: "?", maxSplits: 1).map(String.init)
      let reply = await api.reply(
        to: APICall(
          method: APICall.Method(rawValue: request.method), path: parts[0],
          query: APIQuery(parts.count > 1 ? parts[1] : ""),
          accept: request.accept ?? "", contentType: request.contentType ?? "", userAgent: request.userAgent ?? "",
          authority: "localhost:7070", body: request.bytes))
      // A client that had a copy was told that it is still good; the replay has none.
      #expect(
        reply.code == (request.code == 304 ? 200 : request.code),
        "\(recording), request \(index): \(request.method) \(request.path) answered \(reply.code), was \(request.code)")
    }
  }

  // MARK: How they are captured

  /// Writes the fixtures anew: `SELVEDGE_CAPTURE_REQUESTS=1 swift test … --filter capture`.
  static let isCapturing = ProcessInfo.processInfo.environment["SELVEDGE_CAPTURE_REQUESTS"] != nil

  @Test(.enabled(if: isCapturing, "writes fixtures; only on demand"), arguments: Kubectl.Release.allCases)
  func captureKubectl(release: Kubectl.Release) async throws {
    let recorder = RequestRecorder()
    try await RunningServer.withStore(recorder: recorder) { server, _ in
      let kubectl = try await Kubectl(release, server: server.url)
      defer { kubectl.remove() }
      let devices = KubectlTests.contract("02-devices.yaml")
      let widget = "apiVersion: test.dev/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}"
      _ = try await kubectl.succeed("apply", "-f", devices)
      _ = try await kubectl.succeed("apply", "-f", devices)
      _ = try await kubectl.run("diff", "-f", devices)
      _ = try await kubectl.succeed("get", "devices", "-A")
      _ = try await kubectl.succeed("get", "device", "boiler-1", "-o", "yaml")
      _ = try await kubectl.succeed("label", "device", "boiler-1", "shift=night")
      _ = try await kubectl.succeed("annotate", "device", "boiler-1", "note=one")
      let patch = #"{"spec":{"desired":{"setpoint":60}}}"#
      _ = try await kubectl.succeed("patch", "device", "boiler-1", "--type=merge", "-p", patch)
      _ = try await kubectl.run("patch", "device", "boiler-1", "-p", patch)
      for (size, manager) in [("1", "one"), ("2", "two")] {
        _ = try await kubectl.run(
          arguments: ["apply", "--server-side", "--field-manager", manager, "-f", "-"],
          input: widget.replacingOccurrences(of: "size: 1", with: "size: \(size)"))
      }
      _ = try await kubectl.run(
        arguments: ["apply", "--server-side", "--field-manager", "two", "--force-conflicts", "-f", "-"],
        input: widget.replacingOccurrences(of: "size: 1", with: "size: 2"))
      _ = try await kubectl.succeed(
        "create", "--dry-run=server", "-f", "-", input: widget.replacingOccurrences(of: "name: w", with: "name: v"))
      _ = try await kubectl.succeed("describe", "widget", "w")
      _ = try await kubectl.succeed("explain", "devices.spec")
      _ = try await kubectl.succeed("api-resources")
      _ = try await kubectl.succeed("auth", "can-i", "delete", "devices")
      _ = try await kubectl.succeed("create", "namespace", "hall-2")
      _ = try await kubectl.succeed("delete", "widget", "w", "--cascade=foreground")
      _ = try await kubectl.run("get", "widget", "w")
      _ = try await kubectl.succeed("delete", "devices", "--all")
      _ = try await kubectl.succeed("delete", "ns", "hall-2")
    }
    try recorder.write("kubectl/\(release == .old ? "1.20" : "1.32")", "day")
  }

  @Test(.enabled(if: isCapturing, "writes fixtures; only on demand"))
  func capturePython() async throws {
    let recorder = RequestRecorder()
    try await RunningServer.withStore(recorder: recorder) { server, _ in
      for script in [PythonClientTests.script, PythonInformerTests.fight] {
        let run = try await Subprocess.run(
          "/usr/bin/env", ["python3", "-c", script, server.url, KubectlTests.contract("02-devices.yaml")])
        #expect(run.status == 0, "\(run.description)")
      }
    }
    try recorder.write("kubectl/python-37.0.2", "day")
  }

  @Test(.enabled(if: isCapturing, "writes fixtures; only on demand"))
  func captureKopf() async throws {
    let recorder = RequestRecorder()
    try await KopfTests.day(recorder: recorder)
    try recorder.write("kubectl/kopf-1.45.2", "day")
  }
}
