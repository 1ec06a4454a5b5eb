internal import Controllers
internal import KubernetesAPI
internal import KubernetesClient
internal import Logging
internal import Resources

/// The certificates between gateways and the server of the cluster's twins: a folder with `tls.crt`, `tls.key` and
/// `ca.crt`, as Secrets of the type kubernetes.io/tls are mounted. Files that are replaced are read again.
///
/// One authority, which signs for nothing else, has signed both ends'.
struct TwinsCertificates: Sendable {
  /// What the server of the cluster's twins is called in its certificate: the only one whom a gateway believes.
  static let serverName = "selvedge-twins"
  /// The name that every gateway's certificate carries.
  static let gatewayName = "selvedge-gateway"

  let folder: String
  var certificate: String { folder + "/tls.crt" }
  var key: String { folder + "/tls.key" }
  var authorities: String { folder + "/ca.crt" }

  /// Of a gateway, towards the server of the cluster's twins.
  func server(logger: Logger) throws(StartError) -> ServerTLS {
    try ServerTLS(.init(certificate: certificate, key: key), clientCA: authorities, logger: logger)
  }

  /// How the server of the cluster's twins reaches a gateway.
  func access(to gateway: String, at address: String) throws(ClusterAccessError) -> ClusterAccess {
    var access = try ClusterAccess(server: "https://\(address)", origin: "Gateway \(gateway)")
    access.authorities = .file(authorities)
    access.certificate = .file(certificate)
    access.key = .file(key)
    access.serverName = Self.gatewayName
    access.peer = "gateway \"\(gateway)\""
    access.proxy = ProxiedUser(name: Self.serverName)
    return access
  }

  /// Who may ask a gateway for its twins: that server, for itself and for those whom it names.
  static func access(audit: @escaping @Sendable (AuditEntry) -> Void) -> AccessControl {
    let policy = AccessPolicy.behindFrontProxy(groups: [TwinBackend.definition.group], paths: [])
    return AccessControl(
      credentials: .init(frontProxy: { FrontProxy(names: [serverName]) }), policy: { policy }, audit: audit)
  }
}
