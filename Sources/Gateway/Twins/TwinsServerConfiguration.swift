internal import Documents
internal import FoundationEssentials
internal import KubernetesClient
public import Logging

/// How the server of the cluster's twins runs.
public struct TwinsServerConfiguration: Sendable, Hashable {
  /// Where the cluster's API server asks, over TLS.
  public var listen: ListenAddress
  /// Serves /livez, /readyz and /metrics and nothing else.
  public var healthListen: ListenAddress
  /// The folder with `tls.crt`, `tls.key` and `ca.crt`.
  public var certificates: String
  public var cluster: GatewayConfiguration.Cluster
  public var logLevel: Logger.Level
  public var logFormat: GatewayConfiguration.LogFormat
  /// What the twins of all gateways may take, as JSON text.
  public var memoryBytes: Int

  /// - Parameter flags: what the command line says, by flag without dashes.
  public init(flags: [String: String]) throws(StartError) {
    let environment = ProcessInfo.processInfo.environment
    listen = try ListenAddress(flags["listen"] ?? "0.0.0.0:7443")
    healthListen = try ListenAddress(flags["health-listen"] ?? "127.0.0.1:7071")
    guard let folder = flags["tls"] else {
      throw StartError("certificates are needed: say --tls FOLDER, which holds tls.crt, tls.key and ca.crt")
    }
    certificates = folder
    guard let level = Logger.Level(rawValue: flags["log-level"] ?? "info") else {
      throw StartError("log-level can be trace, debug, info, notice, warning, error or critical")
    }
    logLevel = level
    guard let format = GatewayConfiguration.LogFormat(rawValue: flags["log-format"] ?? "text") else {
      throw StartError("log-format can be text or json")
    }
    logFormat = format
    let size = flags["memory-bytes"] ?? "64Mi"
    guard let bytes = Quantity.bytes(size).flatMap({ Int(exactly: $0) }), bytes >= 1 << 20 else {
      throw StartError("memory-bytes is \"\(size)\"; it takes a size from 1Mi up, such as 64Mi")
    }
    memoryBytes = bytes
    let found = try GatewayConfiguration.cluster(
      wanted: "true", kubeconfig: flags["kubeconfig"], context: flags["kube-context"], secretNamespaces: nil,
      environment: environment, isPod: ClusterAccess.isInCluster(environment: environment))
    guard let found else { throw StartError("the cluster is not known: say --kubeconfig FILE") }
    cluster = found
  }
}
