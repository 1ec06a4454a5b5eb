import Documents
import Foundation
import Glibc
import TestSupport

/// The real binary, running on a free port of the loopback, with the clients that people use.
final class RunningGateway {
  enum Network {
    /// The machine's, as every test's.
    case shared
    /// A namespace of the gateway's own in which there is nothing but loopback.
    case isolated
  }

  let folder: ScratchFolder
  private let words: [String]
  private let network: Network
  private(set) var process: ChildProcess
  private(set) var port = 0

  var server: String { "\(words.contains("--tls-cert") ? "https" : "http")://127.0.0.1:\(port)" }
  var log: String { process.errors }
  var dataDirectory: String { folder("data") }
  var manifestsDirectory: String { folder("manifests") }

  /// Starts it and waits until it is ready. `manifests`: file names and contents; none: no such directory.
  init(manifests: [String: String]?, flags: [String], network: Network) async throws {
    folder = try ScratchFolder()
    self.network = network
    var words = [
      try selvedgeBinary(), "run", "--data-dir", folder("data"), "--listen", "127.0.0.1:0", "--node-name", "gw-test",
    ]
    if let manifests {
      try FileManager.default.createDirectory(atPath: folder("manifests"), withIntermediateDirectories: true)
      for (name, content) in manifests { try folder.write(content, to: "manifests/\(name)") }
      words += ["--manifests", folder("manifests")]
    }
    words += flags
    if case .isolated = network {
      words = Isolation.start + ["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"] + words
    }
    self.words = words
    process = try ChildProcess(words, in: folder)
    try await awaitReadiness()
  }

  private func awaitReadiness() async throws {
    try await eventually("the gateway listens", within: .seconds(120), seen: { self.log }) {
      guard process.isRunning else { throw Trouble("the gateway has ended:\n\(log)") }
      guard let match = log.firstMatch(of: /listening address=127\.0\.0\.1:([1-9][0-9]*)\n/) else { return false }
      port = Int(match.1) ?? 0
      return true
    }
    try await eventually("/readyz", within: .seconds(120), seen: { self.log }) {
      try await http("GET", "/readyz").status == 200
    }
  }

  /// SIGTERM, and the exit code; a gateway that does not stop within 15 s is an error.
  @discardableResult
  func stop() async throws -> Int32 {
    process.send(SIGTERM)
    return try await process.result(within: .seconds(120)).status
  }

  /// A clean stop, and a start with the same data directory.
  func restart() async throws {
    try await stop()
    process = try ChildProcess(words, in: folder)
    try await awaitReadiness()
  }

  /// Before a client's command: enters the gateway's network.
  private var entering: [String] {
    switch network {
    case .shared: []
    case .isolated: Isolation.enter(process.identifier)
    }
  }

  /// A kill without warning, a look at what it left behind, and a start with the same data directory.
  func crash(_ examine: () async throws -> Void) async throws {
    process.end(SIGKILL)
    try await examine()
    process = try ChildProcess(words, in: folder)
    try await awaitReadiness()
  }

  private func kubectlWords(_ arguments: [String]) -> [String] {
    entering + ["/usr/bin/kubectl", "--server", server, "--cache-dir", folder("kube-cache")] + arguments
  }

  /// Runs kubectl to its end.
  func tryKubectl(_ arguments: String..., input: String? = nil) async throws -> Finished {
    try await run(kubectlWords(arguments), input: input, within: .seconds(180))
  }

  /// The output of a kubectl that must succeed.
  @discardableResult
  func kubectl(_ arguments: String..., input: String? = nil) async throws -> String {
    try await run(kubectlWords(arguments), input: input, within: .seconds(180)).succeeded()
  }

  /// kubectl that goes on beside the test.
  func startKubectl(_ arguments: String...) throws -> ChildProcess {
    try ChildProcess(kubectlWords(arguments), in: folder)
  }

  /// The gateway's own client commands.
  func selvedge(_ arguments: String..., input: String? = nil) async throws -> Finished {
    try await run([try selvedgeBinary()] + arguments + ["--server", server], input: input)
  }

  struct Response {
    var status: Int
    var contentType: String
    var body: String
    func json() throws -> JSONValue { try JSONValue(parsing: Array(body.utf8)) }
  }

  /// One HTTP request, by curl.
  func http(
    _ method: String, _ path: String, contentType: String = "application/merge-patch+json", body: String? = nil
  ) async throws -> Response {
    var words = entering + ["curl", "-s", "-k", "-m", "10", "-X", method, "-w", "\n%{http_code} %{content_type}"]
    if let body { words += ["-H", "Content-Type: \(contentType)", "--data-binary", body] }
    let output = try await run(words + [server + path]).output
    guard let last = output.lastIndex(of: "\n") else { throw Trouble("no answer to \(method) \(path): \(output)") }
    let tail = output[output.index(after: last)...].split(separator: " ", maxSplits: 1)
    return Response(
      status: Int(tail.first ?? "0") ?? 0, contentType: tail.count > 1 ? String(tail[1]) : "",
      body: String(output[..<last]))
  }

  private static let paths = [
    "device": "/apis/selvedge.dev/v1alpha1/namespaces/default/devices/",
    "broker": "/apis/selvedge.dev/v1alpha1/namespaces/default/brokers/",
    "pipeline": "/apis/selvedge.dev/v1alpha1/namespaces/default/pipelines/",
    "sink": "/apis/selvedge.dev/v1alpha1/namespaces/default/sinks/",
    "devicemodel": "/apis/selvedge.dev/v1alpha1/devicemodels/",
    "twin": "/apis/twin.selvedge.dev/v1alpha1/namespaces/default/twins/",
  ]

  /// An object of the API; nil where there is none.
  func object(_ kind: String, _ name: String) async throws -> JSONValue? {
    guard let path = RunningGateway.paths[kind] else { throw Trouble("no path for \(kind)") }
    let response = try await http("GET", path + name)
    guard response.status != 404 else { return nil }
    guard response.status == 200 else { throw Trouble("\(kind) \(name): \(response.body)") }
    return try response.json()
  }

  func condition(_ type: String, of kind: String, _ name: String) async throws -> JSONValue? {
    try await object(kind, name)?[path: "status", "conditions"]?.array?.first { $0["type"]?.string == type }
  }

  /// Waits until a condition has this status, and this reason where one is given.
  func awaitCondition(
    _ type: String, of kind: String, _ name: String, _ status: String, reason: String? = nil
  ) async throws {
    try await eventually(
      "\(type)=\(status) \(reason ?? "") of \(kind) \(name)",
      seen: { "\(try await self.object(kind, name) ?? .null)\n\(self.log)" }
    ) {
      let condition = try await condition(type, of: kind, name)
      return condition?["status"]?.string == status && (reason == nil || condition?["reason"]?.string == reason)
    }
  }

  /// What a Device's status, or a Twin's, says of a property.
  func property(_ property: String, of kind: String, _ name: String) async throws -> JSONValue? {
    try await object(kind, name)?[path: "status", "properties"]?.array?.first { $0["name"]?.string == property }
  }

  /// Waits until a desired value's state is this; the property's entry.
  func awaitState(_ state: String, of property: String, _ device: String, desired: Double) async throws -> JSONValue {
    var entry: JSONValue?
    try await eventually("\(property) \(state) with \(desired)", seen: { "\(entry ?? .null)\n\(self.log)" }) {
      entry = try await self.property(property, of: "device", device)
      return entry?["state"]?.string == state && entry?["desired"]?.number == desired
    }
    return entry ?? .null
  }
}

/// Network namespaces, as root or, where the machine lets them, as a user.
enum Isolation {
  private static let isRoot = geteuid() == 0
  static let start = ["unshare"] + (isRoot ? ["--net"] : ["--map-root-user", "--net"])

  static func enter(_ process: pid_t) -> [String] {
    ["nsenter", "--target", "\(process)", "--net"] + (isRoot ? [] : ["--user", "--preserve-credentials"])
  }

  /// Whether this machine permits them.
  static func isPermitted() async throws -> Bool {
    try await run(start + ["ip", "link", "set", "lo", "up"]).status == 0
  }
}

/// Runs `body` with a gateway, which is killed at the end.
func withGateway<Result>(
  manifests: [String: String]? = nil, flags: [String] = [], network: RunningGateway.Network = .shared,
  _ body: (RunningGateway) async throws -> Result
) async throws -> Result {
  let gateway = try await RunningGateway(manifests: manifests, flags: flags, network: network)
  defer { gateway.process.end(SIGKILL) }
  return try await body(gateway)
}
