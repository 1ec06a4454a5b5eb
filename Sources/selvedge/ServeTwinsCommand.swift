import ArgumentParser
import Gateway

struct ServeTwinsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-twins",
    abstract: "Serves the twins of all gateways of a cluster through the cluster's own API server (APIService).",
    discussion: """
      It runs in the cluster, once, and asks each gateway that runs with --twins-listen. It answers nobody but the \
      cluster's API server.
      """)

  @Option(help: "Where the cluster's API server asks. (default: 0.0.0.0:7443)")
  var listen: String?
  @Option(help: "The address of /livez, /readyz and /metrics. (default: 127.0.0.1:7071)")
  var healthListen: String?
  @Option(help: "The folder with tls.crt, tls.key and ca.crt, read again when they change.")
  var tls: String?
  @Option(help: "How the cluster is reached. (default: in a pod its service account, else KUBECONFIG, ~/.kube/config)")
  var kubeconfig: String?
  @Option(help: "The kubeconfig's context. (default: its current one)")
  var kubeContext: String?
  @Option(help: "What the twins of all gateways may take in memory, as JSON text. (default: 64Mi)")
  var memoryBytes: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
  var logLevel: String?
  @Option(help: "text or json. (default: text)")
  var logFormat: String?

  func run() async throws {
    var flags: [String: String] = [:]
    flags["listen"] = listen
    flags["health-listen"] = healthListen
    flags["tls"] = tls
    flags["kubeconfig"] = kubeconfig
    flags["kube-context"] = kubeContext
    flags["memory-bytes"] = memoryBytes
    flags["log-level"] = logLevel
    flags["log-format"] = logFormat
    try await reportingStartErrors { try await TwinsServer.run(TwinsServerConfiguration(flags: flags)) }
  }
}
