import Documents
import Foundation
import Glibc
import ResourceStore
import Resources
import TestSupport
import YAML

/// The server of the cluster's twins with all that stands around it: certificates, gateways that it may ask, the front
/// proxy, and kubectl.
final class ClusterTwins: Sendable {
  static let anna = "annas-token-0123456789"
  let plant: PlantCluster
  let folder: ScratchFolder
  /// Signs the API server's proxy certificate.
  let requestHeaders: TestAuthority
  /// Who has signed for gateways and for the server of their twins.
  var authority: String { folder("selvedge-twins-tls/ca.crt") }
  let port = freePort()
  let healthPort = freePort()
  private let kubeconfig: String
  private let proxy: FrontProxyServer

  init(_ plant: PlantCluster) async throws {
    self.plant = plant
    folder = try ScratchFolder()
    requestHeaders = try await TestAuthority(in: ScratchFolder(), name: "request-header-ca")
    try await requestHeaders.issueClient("proxy", user: "front-proxy-client", groups: [])
    try await requestHeaders.issueClient("other", user: "somebody", groups: [])
    try await Self.makeCertificates(in: folder)
    let ca = try String(contentsOfFile: requestHeaders.certificate, encoding: .utf8)
    _ = try await plant.cluster.store.create(
      BuiltInKinds.configMaps.name, namespace: "kube-system",
      [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "extension-apiserver-authentication"],
        "data": [
          "requestheader-client-ca-file": .string(ca), "requestheader-allowed-names": #"["front-proxy-client"]"#,
          "requestheader-username-headers": #"["X-Remote-User"]"#,
          "requestheader-group-headers": #"["X-Remote-Group"]"#,
          "requestheader-extra-headers-prefix": #"["X-Remote-Extra-"]"#,
        ],
      ], WriteOptions())
    let server = try await TestCluster.authority.value
    proxy = try await FrontProxyServer(
      users: [Self.anna: ("anna", ["operators", "hall, west"])],
      server: (server.folder("server.pem"), server.folder("server.key")),
      client: (requestHeaders.folder("proxy.pem"), requestHeaders.folder("proxy.key")),
      twins: (port, folder("selvedge-twins-tls/ca.crt")),
      cluster: (plant.cluster.port, plant.cluster.authorityFile, TestCluster.token), in: folder)
    kubeconfig = try folder.write(
      """
      apiVersion: v1
      kind: Config
      current-context: c
      contexts: [{name: c, context: {cluster: c, user: anna, namespace: plant}}]
      clusters: [{name: c, cluster: {server: 'https://127.0.0.1:\(proxy.port)', certificate-authority: \(server.certificate)}}]
      users: [{name: anna, user: {token: \(Self.anna)}}]
      """, to: "kubeconfig")
  }

  /// What scripts/twins-certificates.sh makes, in folders as Secrets are mounted. The kubectl that it calls keeps what it
  /// is to apply.
  private static func makeCertificates(in folder: ScratchFolder) async throws {
    let kubectl = try folder.write(
      """
      #!/bin/sh
      case "$*" in
      *"apply -f -") cat > "$KEPT/secret-$(date +%s%N).yaml" ;;
      *"get apiservice"*) ;;
      *"patch apiservice"*) echo "$*" > "$KEPT/patch" ;;
      *) exec /usr/bin/kubectl "$@" ;;
      esac
      """, to: "kubectl-that-keeps")
    chmod(kubectl, 0o755)
    try folder.write("", to: "kept/begun")
    try await run(
      ["bash", packageRoot + "/scripts/twins-certificates.sh"],
      environment: ["KUBECTL": kubectl, "KEPT": folder("kept")]
    ).succeeded()
    for file in try FileManager.default.contentsOfDirectory(atPath: folder("kept")) where file.hasSuffix(".yaml") {
      let secret = try YAMLDocument.all(in: Array(try Data(contentsOf: URL(filePath: folder("kept/\(file)")))))[0]
      for (key, value) in secret["data"]?.object ?? [:] {
        guard let bytes = Data(base64Encoded: value.string ?? "") else { throw Trouble("\(secret)") }
        try folder.write(String(decoding: bytes, as: UTF8.self), to: "\(secret.metadata.name)/\(key)")
      }
    }
    let bundle = try Data(contentsOf: URL(filePath: folder("selvedge-twins-tls/ca.crt"))).base64EncodedString()
    guard try String(contentsOfFile: folder("kept/patch"), encoding: .utf8).contains("\"caBundle\":\"\(bundle)\"")
    else {
      throw Trouble("the APIService is not told of the authority")
    }
  }

  /// The files of a Secret.
  func files(_ secret: String) -> (certificate: String, key: String) {
    (folder("\(secret)/tls.crt"), folder("\(secret)/tls.key"))
  }

  /// The files of a client that the API server's authority has signed for.
  func client(_ name: String) -> (certificate: String, key: String) {
    (requestHeaders.folder("\(name).pem"), requestHeaders.folder("\(name).key"))
  }

  /// A gateway that the server may ask.
  func gateway(_ name: String, port: UInt16) async throws -> ClusterGateway {
    try await ClusterGateway(
      plant.cluster, name: name,
      flags: ["--twins-listen", "127.0.0.1:\(port)", "--twins-tls", folder("selvedge-gateway-tls")])
  }

  /// The server as a process; it listens, and is ready once it has asked everybody.
  func serve() async throws -> ChildProcess {
    let kubeconfig = try folder.write(
      """
      apiVersion: v1
      kind: Config
      current-context: c
      contexts: [{name: c, context: {cluster: c, user: u, namespace: selvedge}}]
      clusters: [{name: c, cluster: {server: '\(plant.cluster.url)', certificate-authority: \(plant.cluster.authorityFile)}}]
      users: [{name: u, user: {token: \(TestCluster.twinsToken)}}]
      """, to: "kubeconfig-twins")
    let process = try ChildProcess(
      [
        try selvedgeBinary(), "serve-twins", "--listen", "127.0.0.1:\(port)", "--health-listen",
        "127.0.0.1:\(healthPort)", "--tls", folder("selvedge-twins-tls"), "--kubeconfig", kubeconfig,
      ], in: folder)
    try await eventually("the twins' server is ready", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("the twins' server has ended:\n\(process.errors)") }
      return try await run(["curl", "-s", "-f", "-m", "10", "http://127.0.0.1:\(healthPort)/readyz"]).status == 0
    }
    return process
  }

  func metrics() async throws -> String {
    try await run(["curl", "-s", "-f", "-m", "10", "http://127.0.0.1:\(healthPort)/metrics"]).succeeded()
  }

  private func words(_ program: String, _ arguments: [String]) -> [String] {
    [program, "--kubeconfig", kubeconfig, "--cache-dir", folder("cache")] + arguments
  }

  func kubectl(_ arguments: String..., program: String = "/usr/bin/kubectl", input: String? = nil) async throws
    -> Finished
  {
    try await run(words(program, arguments), input: input)
  }

  /// Beside the test.
  func startKubectl(_ arguments: String...) throws -> ChildProcess {
    try ChildProcess(words("/usr/bin/kubectl", arguments), in: folder)
  }

  func twin(_ name: String) async throws -> JSONValue {
    try JSONValue(parsing: try await kubectl("get", "twin", name, "-o", "json").succeeded())
  }

  /// A property of a twin as its status tells of it.
  func property(_ name: String, of twin: String) async throws -> JSONValue {
    try await self.twin(twin)[path: "status", "properties"]?.array?.first { $0["name"]?.string == name } ?? [:]
  }

  /// Who asks past the front proxy: the code of the answer, or 0 where there is none.
  func code(
    _ path: String, port: UInt16, name: String, certificate: (certificate: String, key: String)? = nil,
    fields: [String] = []
  ) async throws -> Int {
    var words = [
      "curl", "-s", "-o", "/dev/null", "-m", "10", "-w", "%{http_code}", "--cacert", authority,
      "--resolve", "\(name):\(port):127.0.0.1",
    ]
    if let certificate { words += ["--cert", certificate.certificate, "--key", certificate.key] }
    for field in fields { words += ["-H", field] }
    return Int(try await run(words + ["https://\(name):\(port)\(path)"]).output) ?? 0
  }
}
