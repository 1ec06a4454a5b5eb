public import Documents
public import Logging

/// Why the gateway does not start: one line for the person who started it.
public struct StartError: Error, Sendable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

/// A host and port to listen on, as `127.0.0.1:7070` or `[::1]:7070`.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  public var host: String
  public var port: Int

  public init(_ text: String) throws(StartError) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw StartError("\"\(text)\" is no address to listen on: write HOST:PORT, such as 127.0.0.1:7070") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.host = host.isEmpty ? "0.0.0.0" : host
    self.port = port
  }

  /// Whether only this machine reaches it: `localhost`, `::1`, 127.0.0.0/8.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How the gateway runs. Every setting can be said as a flag, in the environment and in a YAML file; the first of
/// these that says it wins.
public struct GatewayConfiguration: Sendable, Hashable {
  public enum LogFormat: String, Sendable { case text, json }

  public var dataDirectory: String
  public var listen: ListenAddress
  /// Serves /livez, /readyz and /metrics and nothing else, for kubelet and Prometheus.
  public var healthListen: ListenAddress?
  public var manifestsDirectory: String?
  public var nodeName: String
  public var logLevel: Logger.Level
  public var logFormat: LogFormat
  /// No write to any device, whatever the manifests say.
  public var isReadOnly: Bool
  /// File sinks write under this folder only.
  public var exportDirectory: String
  /// Files that resources may name (certificates, credentials) lie under this folder.
  public var secretsDirectory: String
  /// The keys that Secrets are encrypted under on the disk; made where there is none.
  public var secretKeyFile: String
  /// The certificate chain and the private key of the API, as PEM files; nil: plain HTTP.
  public var tls: TLSFiles?
  /// Client certificates that one of these (PEM) has signed are credentials.
  public var clientCA: String?
  /// Bearer tokens, in Kubernetes' static token format.
  public var tokenFile: String?
  /// Who may do what, as RBAC manifests.
  public var accessFile: String?
  /// How long a Lease lasts that is not renewed, in whole seconds; the same for all gateways of a cluster.
  public var leaseDuration: Duration
  /// Where the server of the cluster's twins asks for this gateway's; nil: nobody may.
  public var twinsListen: ListenAddress?
  /// The folder with the certificates for that: `tls.crt`, `tls.key` and `ca.crt`.
  public var twinsTLS: String?
  /// The cluster whose API server keeps the resources; nil: the gateway does.
  public var cluster: Cluster?

  public struct Cluster: Sendable, Hashable {
    /// Kubeconfig files, the first that says something wins; empty: the pod's service account.
    public var kubeconfig: [String]
    /// Nil: the kubeconfig's current one.
    public var context: String?
    /// Where Secrets may be read; nil: wherever a followed object refers to one.
    public var secretNamespaces: Set<String>?
  }

  public struct TLSFiles: Sendable, Hashable {
    public var certificate: String
    public var key: String
  }

  /// Whether a request must show a credential.
  public var requiresCredentials: Bool { clientCA != nil || tokenFile != nil }
  /// How long the twins' history is kept.
  public var historyAge: Duration
  /// Bytes that it may take on the disk, about.
  public var historyBytes: Int

  /// The settings: flag (without dashes), key in the YAML file. The environment's name follows from the flag.
  public static let settings: [(flag: String, key: String)] = [
    ("data-dir", "dataDir"), ("listen", "listen"), ("health-listen", "healthListen"), ("manifests", "manifests"),
    ("node-name", "nodeName"), ("log-level", "logLevel"), ("log-format", "logFormat"), ("read-only", "readOnly"),
    ("export-dir", "exportDir"), ("secrets-dir", "secretsDir"), ("secret-key-file", "secretKeyFile"),
    ("tls-cert", "tlsCert"), ("tls-key", "tlsKey"), ("client-ca", "clientCA"), ("token-file", "tokenFile"),
    ("access", "access"),
    ("kubernetes", "kubernetes"), ("kubeconfig", "kubeconfig"), ("kube-context", "kubeContext"),
    ("secret-namespaces", "secretNamespaces"), ("lease-duration", "leaseDuration"), ("history-age", "historyAge"),
    ("history-bytes", "historyBytes"), ("twins-listen", "twinsListen"), ("twins-tls", "twinsTLS"),
  ]

  /// `SELVEDGE_DATA_DIR` for `data-dir`.
  public static func environmentName(of flag: String) -> String {
    "SELVEDGE_" + flag.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  /// - Parameters:
  ///   - flags: what the command line says, by flag without dashes.
  ///   - environment: the process's environment.
  ///   - file: the configuration file's document, if there is one; an unknown key is an error.
  ///   - hostName: the node's name where nothing says one.
  ///   - defaultDataDirectory: the data directory where nothing says one.
  ///   - isPod: whether this process is a pod's with a token for its cluster's API.
  public init(
    flags: [String: String], environment: [String: String], file: JSONValue?, hostName: String,
    defaultDataDirectory: String, isPod: Bool = false
  ) throws(StartError) {
    let known = Set(GatewayConfiguration.settings.map(\.key))
    if let unknown = file?.object?.keys.filter({ !known.contains($0) }).min() {
      throw StartError(
        "the configuration file has the unknown key \"\(unknown)\"; known are \(known.sorted().joined(separator: ", "))"
      )
    }
    func value(_ flag: String) throws(StartError) -> String? {
      if let value = flags[flag] { return value }
      if let value = environment[GatewayConfiguration.environmentName(of: flag)], !value.isEmpty { return value }
      guard let key = GatewayConfiguration.settings.first(where: { $0.flag == flag })?.key, let value = file?[key]
      else {
        return nil
      }
      switch value {
      case .string(let text): return text
      case .bool, .integer: return value.description
      default: throw StartError("\(key) in the configuration file must be a text, a number or a boolean")
      }
    }
    func choice<Choice: RawRepresentable<String>>(_ flag: String, _ fallback: Choice, of allowed: String)
      throws(StartError) -> Choice
    {
      guard let text = try value(flag) else { return fallback }
      guard let choice = Choice(rawValue: text) else {
        throw StartError("\(flag) is \"\(text)\"; it can be \(allowed)")
      }
      return choice
    }
    dataDirectory = try value("data-dir") ?? defaultDataDirectory
    listen = try ListenAddress(try value("listen") ?? "127.0.0.1:7070")
    healthListen = if let text = try value("health-listen") { try ListenAddress(text) } else { nil }
    manifestsDirectory = try value("manifests")
    nodeName = try value("node-name") ?? hostName
    logLevel = try choice("log-level", .info, of: "trace, debug, info, notice, warning, error or critical")
    logFormat = try choice("log-format", .text, of: "text or json")
    let readOnly = try value("read-only") ?? "false"
    guard let isReadOnly = Bool(readOnly) else {
      throw StartError("read-only is \"\(readOnly)\"; it can be true or false")
    }
    self.isReadOnly = isReadOnly
    exportDirectory = try value("export-dir") ?? dataDirectory + "/export"
    secretsDirectory = try value("secrets-dir") ?? dataDirectory + "/secrets"
    secretKeyFile = try value("secret-key-file") ?? dataDirectory + "/keys/secrets.key"
    clientCA = try value("client-ca")
    tokenFile = try value("token-file")
    accessFile = try value("access")
    switch (try value("tls-cert"), try value("tls-key")) {
    case (let certificate?, let key?): tls = TLSFiles(certificate: certificate, key: key)
    case (nil, nil): tls = nil
    case (_?, nil): throw StartError("tls-cert needs its private key: say --tls-key FILE too")
    case (nil, _?): throw StartError("tls-key needs its certificate: say --tls-cert FILE too")
    }
    let age = try value("history-age") ?? "168h"
    guard let historyAge = Duration(manifest: age), historyAge > .zero else {
      throw StartError("history-age is \"\(age)\"; it takes a duration such as 168h")
    }
    self.historyAge = historyAge
    let size = try value("history-bytes") ?? "16Mi"
    guard let bytes = Quantity.bytes(size).flatMap({ Int(exactly: $0) }), bytes >= 65_536 else {
      throw StartError("history-bytes is \"\(size)\"; it takes a size from 64Ki up, such as 16Mi")
    }
    historyBytes = bytes
    cluster = try Self.cluster(
      wanted: try value("kubernetes"), kubeconfig: try value("kubeconfig"), context: try value("kube-context"),
      secretNamespaces: try value("secret-namespaces"), environment: environment, isPod: isPod)
    twinsListen = if let text = try value("twins-listen") { try ListenAddress(text) } else { nil }
    twinsTLS = try value("twins-tls")
    let lease = try value("lease-duration") ?? "30s"
    guard let leaseDuration = Duration(manifest: lease), leaseDuration >= .seconds(3), leaseDuration <= .seconds(3_600),
      leaseDuration.components.attoseconds == 0
    else {
      throw StartError("lease-duration is \"\(lease)\"; it takes whole seconds from 3s to 1h, such as 30s")
    }
    self.leaseDuration = leaseDuration
    guard cluster == nil || manifestsDirectory == nil else {
      throw StartError(
        "manifests and kubernetes exclude each other: the resources are the cluster's, apply them there with kubectl")
    }
    try checkAccess()
    try checkTwinsAccess()
  }

  /// What must be said together, for the API to be as safe as it looks.
  private func checkAccess() throws(StartError) {
    if clientCA != nil, tls == nil {
      throw StartError("client-ca asks for client certificates, which need TLS: say --tls-cert and --tls-key too")
    }
    if accessFile != nil, !requiresCredentials {
      throw StartError(
        "access says who may do what, but nobody has to say who they are: say --token-file or --client-ca")
    }
    guard !listen.isLoopback, tls == nil || !requiresCredentials else { return }
    let missing =
      (tls == nil ? ["--tls-cert and --tls-key"] : []) + (requiresCredentials ? [] : ["--token-file or --client-ca"])
    throw StartError(
      "refusing to listen on \(listen): beyond the loopback the API needs TLS and credentials. "
        + "Say \(missing.joined(separator: ", and ")); or use --listen 127.0.0.1:\(listen.port), "
        + "and --health-listen for kubelet and Prometheus")
  }
}
