import Documents
import Foundation
import HTTPServing
import Hummingbird
import KubernetesAPI
import Logging
import NIOCore
import ResourceConformance
import ResourceStore
import Resources
import ServiceLifecycle
import TestSupport

/// The API on a free loopback port, over backends of the test's choice.
struct RunningServer {
  var port: Int
  private let services: ServiceGroup
  var url: String { "http://127.0.0.1:\(port)" }

  /// - Parameters:
  ///   - port: one that a server had before it was restarted; by default a free one that stays free for a restart.
  ///   - recorder: writes down every request.
  static func with(
    _ backends: [any ResourceBackend], port: Int = Int(freePort()), recorder: RequestRecorder? = nil,
    _ body: @escaping @Sendable (RunningServer) async throws -> Void
  ) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let router = Router()
    if let recorder { router.add(middleware: RecordingMiddleware(recorder: recorder)) }
    router.get("/other") { _, _ in "elsewhere" }
    KubernetesAPI(backends: backends, now: EmbeddedResourceStore.systemClock, version: "0.1.0", logger: logger)
      .register(on: router)
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let server = HTTPServer(
      router: router, address: .init(host: "127.0.0.1", port: port),
      gauge: ConnectionGauge(limits: .init(connections: 1_024)),
      onRunning: { channel in announce.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let services = ServiceGroup(configuration: .init(services: [server], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      group.addTask {
        for await port in ports {
          try await body(RunningServer(port: port, services: services))
          await services.triggerGracefulShutdown()
          return
        }
      }
      defer { group.cancelAll() }
      try await group.next()
      try await group.next()
    }
  }

  /// The API over a store in a directory of its own, with the project's kinds and ``TestKinds``.
  /// - Parameter recorder: writes down every request.
  static func withStore(
    recorder: RequestRecorder? = nil,
    _ body: @escaping @Sendable (RunningServer, EmbeddedResourceStore) async throws -> Void
  ) async throws {
    let data = try DataDirectory()
    let store = try await data.open()
    try await with([store], recorder: recorder) { try await body($0, store) }
  }

  /// As a SIGTERM does it: requests in progress may end.
  func shutDown() async { await services.triggerGracefulShutdown() }

  /// One request by curl; its code, header lines and body.
  func curl(_ path: String, _ arguments: [String] = [], input: String? = nil) async throws
    -> (code: Int, head: String, body: String)
  {
    let run = try await Subprocess.run(
      "/usr/bin/curl", ["-sS", "-i", "--max-time", "120"] + arguments + [url + path], input: input)
    guard run.status == 0 else { throw Missed(what: "curl \(path): \(run.description)") }
    // Interim answers (100 Continue) stand before the final head.
    var text = run.output[...]
    while text.hasPrefix("HTTP/1.1 100"), let end = text.range(of: "\r\n\r\n") { text = text[end.upperBound...] }
    guard let end = text.range(of: "\r\n\r\n") else { throw Missed(what: "a head from \(path): \(run.output)") }
    let head = String(text[..<end.lowerBound])
    return (Int(head.split(separator: " ")[1]) ?? 0, head.lowercased(), String(text[end.upperBound...]))
  }
}

/// Where a store keeps its data through any number of restarts; removed with the test.
final class DataDirectory: Sendable {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("api-\(UUID().uuidString)").path
  private let crds: [JSONValue]

  init() throws {
    let open = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    crds =
      try CRDComposer.customResourceDefinitions(
        protocols: [
          (name: "modbus", connection: open, property: open, discovery: open),
          (name: "mqtt", connection: open, property: open, discovery: open),
          (name: "udev", connection: open, property: open, discovery: open),
        ],
        sinks: [(name: "mqtt", schema: open), (name: "file", schema: open)]) + TestKinds.crds
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Opens the store, once whoever had it open has let go of it.
  func open(_ retention: EmbeddedResourceStore.Retention = .init()) async throws -> EmbeddedResourceStore {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      do {
        return try EmbeddedResourceStore.open(
          directory: path, definitions: crds.compactMap { ResourceDefinition(crd: $0) }, crds: crds,
          retention: retention)
      } catch {
        guard "\(error)".contains("another gateway"), ContinuousClock.now < deadline else { throw error }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }
}
