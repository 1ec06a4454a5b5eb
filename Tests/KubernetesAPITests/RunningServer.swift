import Documents
import Foundation
import Hummingbird
import KubernetesAPI
import Logging
import NIOCore
import ResourceStore
import Resources
import ServiceLifecycle

/// The API on a free loopback port, over backends of the test's choice.
struct RunningServer {
  var port: Int
  private let services: ServiceGroup
  var url: String { "http://127.0.0.1:\(port)" }

  static func with(_ backends: [any ResourceBackend], _ body: @escaping @Sendable (RunningServer) async throws -> Void)
    async throws
  {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let router = Router()
    router.get("/other") { _, _ in "elsewhere" }
    KubernetesAPI(backends: backends, now: EmbeddedResourceStore.systemClock, version: "0.1.0", logger: logger)
      .register(on: router)
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in announce.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
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

  /// The API over a store in a directory of its own, with the project's kinds.
  static func withStore(_ body: @escaping @Sendable (RunningServer, EmbeddedResourceStore) async throws -> Void)
    async throws
  {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("api-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let open = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    let crds = try CRDComposer.customResourceDefinitions(
      protocols: [
        (name: "modbus", connection: open, property: open, discovery: open),
        (name: "mqtt", connection: open, property: open, discovery: open),
        (name: "udev", connection: open, property: open, discovery: open),
      ],
      sinks: [(name: "mqtt", schema: open), (name: "file", schema: open)])
    let store = try EmbeddedResourceStore.open(
      directory: directory, definitions: crds.compactMap { ResourceDefinition(crd: $0) }, crds: crds)
    try await with([store]) { try await body($0, store) }
  }

  /// As a SIGTERM does it: requests in progress may end.
  func shutDown() async { await services.triggerGracefulShutdown() }

  /// One request by curl; its code, header lines and body.
  func curl(_ path: String, _ arguments: [String] = [], input: String? = nil) async throws
    -> (code: Int, head: String, body: String)
  {
    let run = try await Subprocess.run(
      "/usr/bin/curl", ["-sS", "-i", "--max-time", "20"] + arguments + [url + path], input: input)
    guard run.status == 0 else { throw Missed(what: "curl \(path): \(run.description)") }
    // Interim answers (100 Continue) stand before the final head.
    var text = run.output[...]
    while text.hasPrefix("HTTP/1.1 100"), let end = text.range(of: "\r\n\r\n") { text = text[end.upperBound...] }
    guard let end = text.range(of: "\r\n\r\n") else { throw Missed(what: "a head from \(path): \(run.output)") }
    let head = String(text[..<end.lowerBound])
    return (Int(head.split(separator: " ")[1]) ?? 0, head.lowercased(), String(text[end.upperBound...]))
  }
}
