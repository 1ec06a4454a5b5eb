public import Documents
internal import FoundationEssentials

/// The kubeconfig (v1) for an embedded gateway: one cluster, one context, one user.
public enum Kubeconfig {
  /// What the user shows to the gateway.
  public struct Credentials: Sendable, Hashable {
    public var user: String?
    public var token: String?
    /// Paths of PEM files.
    public var clientCertificate: String?
    public var clientKey: String?
    public init(
      user: String? = nil, token: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil
    ) {
      self.user = user
      self.token = token
      self.clientCertificate = clientCertificate
      self.clientKey = clientKey
    }
  }

  /// - Parameter authorities: the PEM text of the authorities that the server's certificate comes from.
  public static func document(
    server: String, authorities: [UInt8]? = nil, credentials: Credentials = Credentials()
  ) -> JSONValue {
    var cluster: JSONValue = ["server": .string(server)]
    if let authorities { cluster["certificate-authority-data"] = .string(Data(authorities).base64EncodedString()) }
    var user: JSONValue = [:]
    for (key, value) in [
      ("token", credentials.token), ("client-certificate", credentials.clientCertificate),
      ("client-key", credentials.clientKey),
    ] {
      if let value { user[key] = .string(value) }
    }
    let name: JSONValue = .string(credentials.user ?? "selvedge")
    return [
      "apiVersion": "v1", "kind": "Config", "current-context": "selvedge",
      "clusters": [["name": "selvedge", "cluster": cluster]],
      "contexts": [["name": "selvedge", "context": ["cluster": "selvedge", "user": name, "namespace": "default"]]],
      "users": [["name": name, "user": user]],
    ]
  }
}
