import ArgumentParser
import Gateway

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the gateway with its embedded API.",
    discussion: """
      Every option can also be said in the environment (--data-dir as SELVEDGE_DATA_DIR) and in the file that --config \
      names (dataDir: …). A flag goes before the environment, the environment before the file.
      """)

  @Option(help: "A YAML file with the same settings.")
  var config: String?
  @Option(help: "Where resources, twins and the spool are kept.")
  var dataDir: String?
  @Option(help: "Address of the API; beyond the loopback only with TLS and credentials. (default: 127.0.0.1:7070)")
  var listen: String?
  @Option(help: "A second address for /livez, /readyz and /metrics, which may be any.")
  var healthListen: String?
  @Option(help: "A directory of manifests, applied at start and again when they change.")
  var manifests: String?
  @Option(help: "The name of this gateway. (default: the host's name)")
  var nodeName: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
  var logLevel: String?
  @Option(help: "text or json. (default: text)")
  var logFormat: String?
  @Option(help: "The folder that file sinks write under. (default: DATA-DIR/export)")
  var exportDir: String?
  @Option(help: "The folder that certificates and credentials are read from. (default: DATA-DIR/secrets)")
  var secretsDir: String?
  @Option(help: "The keys that Secrets are encrypted under. (default: DATA-DIR/keys/secrets.key, made where missing)")
  var secretKeyFile: String?
  @Option(help: "The API's certificate chain, a PEM file: HTTPS. Read again when it changes.")
  var tlsCert: String?
  @Option(help: "The certificate's private key, a PEM file.")
  var tlsKey: String?
  @Option(help: "Authorities (PEM) whose client certificates are credentials: CN is the user, O the groups.")
  var clientCA: String?
  @Option(help: "Bearer tokens, a line each: token,user,uid,\"group1,group2\".")
  var tokenFile: String?
  @Option(help: "Who may do what: RBAC roles and bindings (YAML).")
  var access: String?
  @Flag(
    inversion: .prefixedNo,
    help: "Resources live in a cluster, behind its API server. (default: in a pod that has a token)")
  var kubernetes: Bool?
  @Option(help: "How the cluster is reached. (default: in a pod its service account, else KUBECONFIG, ~/.kube/config)")
  var kubeconfig: String?
  @Option(help: "The kubeconfig's context. (default: its current one)")
  var kubeContext: String?
  @Option(help: "Namespaces of the cluster whose Secrets may be read, with commas. (default: wherever one is named)")
  var secretNamespaces: String?
  @Option(help: "When others take over devices of a gateway that is away; the same for all. (default: 30s)")
  var leaseDuration: String?
  @Option(help: "How long the twins' history is kept. (default: 168h)")
  var historyAge: String?
  @Option(help: "What the twins' history may take on the disk. (default: 16Mi)")
  var historyBytes: String?
  @Option(help: "Where the server of the cluster's twins (serve-twins) reaches this gateway, such as 10.1.2.3:7072.")
  var twinsListen: String?
  @Option(help: "The folder with tls.crt, tls.key and ca.crt for that, read again when they change.")
  var twinsTls: String?
  @Flag(help: "Write to no device, whatever the manifests say.")
  var readOnly = false

  func run() async throws {
    var flags: [String: String] = [:]
    flags["data-dir"] = dataDir
    flags["listen"] = listen
    flags["health-listen"] = healthListen
    flags["manifests"] = manifests
    flags["node-name"] = nodeName
    flags["log-level"] = logLevel
    flags["log-format"] = logFormat
    flags["export-dir"] = exportDir
    flags["secrets-dir"] = secretsDir
    flags["secret-key-file"] = secretKeyFile
    flags["tls-cert"] = tlsCert
    flags["tls-key"] = tlsKey
    flags["client-ca"] = clientCA
    flags["token-file"] = tokenFile
    flags["access"] = access
    flags["kubernetes"] = kubernetes.map { "\($0)" }
    flags["kubeconfig"] = kubeconfig
    flags["kube-context"] = kubeContext
    flags["secret-namespaces"] = secretNamespaces
    flags["lease-duration"] = leaseDuration
    flags["history-age"] = historyAge
    flags["history-bytes"] = historyBytes
    flags["twins-listen"] = twinsListen
    flags["twins-tls"] = twinsTls
    if readOnly { flags["read-only"] = "true" }
    try await reportingStartErrors {
      try await Gateway.run(GatewayConfiguration.load(flags: flags, configFile: config))
    }
  }
}

/// Runs `body`; a ``StartError`` becomes one line on standard error and exit code 1.
func reportingStartErrors(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let error as StartError {
    throw ValidationFailure(message: error.message)
  }
}

/// Ends the program with one line and exit code 1.
struct ValidationFailure: Error, CustomStringConvertible {
  var message: String
  var description: String { message }
}
