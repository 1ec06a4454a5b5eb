internal import KubernetesAPI
internal import Logging
internal import YAML

/// Who may reach the embedded API and how, as the configuration has it. The files that it names are read at the start,
/// and again when they change.
struct APIAccess: Sendable {
  /// Nil: plain HTTP.
  let tls: ServerTLS?
  private let configuration: GatewayConfiguration
  private let tokens: ReloadedFiles<StaticTokens>?
  private let policy: ReloadedFiles<AccessPolicy>?

  init(_ configuration: GatewayConfiguration, logger: Logger) throws(StartError) {
    self.configuration = configuration
    if let files = configuration.tls {
      tls = try ServerTLS(files, clientCA: configuration.clientCA, logger: logger)
    } else {
      tls = nil
    }
    if let path = configuration.tokenFile {
      tokens = try ReloadedFiles("the token file", [path], refusedMode: 0o027, logger: logger) { contents in
        let tokens = try StaticTokens(text: String(decoding: contents[0], as: UTF8.self))
        if tokens.shortTokens > 0 {
          logger.warning(
            "tokens of fewer than 16 characters can be guessed; make them by: openssl rand -hex 24",
            metadata: ["file": "\(path)", "tokens": "\(tokens.shortTokens)"])
        }
        return tokens
      }
    } else {
      tokens = nil
    }
    if let path = configuration.accessFile {
      policy = try ReloadedFiles("the access file", [path], refusedMode: 0o022, logger: logger) { contents in
        try AccessPolicy(manifests: try YAMLDocument.all(in: contents[0]))
      }
    } else {
      policy = nil
    }
  }

  /// Which requests may come from programs and not from other sites' pages.
  ///
  /// Which port 0 becomes is known once the server is bound, after the guard stands: then only the name is checked.
  var requestGuard: LocalRequestGuard {
    let port = configuration.listen.port
    return LocalRequestGuard(port: port == 0 ? nil : port, takesAnyHost: configuration.requiresCredentials)
  }

  func control(audit: AuditFile) -> AccessControl {
    let open = AccessPolicy()
    var credentials: AccessControl.Credentials?
    if configuration.requiresCredentials {
      var known: (@Sendable () -> StaticTokens)?
      if let tokens { known = { tokens.current } }
      credentials = AccessControl.Credentials(tokens: known, takesCertificates: configuration.clientCA != nil)
    }
    return AccessControl(
      credentials: credentials, policy: { [policy] in policy?.current ?? open },
      audit: { audit.record($0.json, isStranger: $0.isUnauthenticated) })
  }
}
