/// Why a cluster cannot be spoken to: one line for people, without credentials.
public struct ClusterAccessError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

/// For whom a front proxy asks (Kubernetes, Configure the Aggregation Layer): X-Remote-User and X-Remote-Group.
public struct ProxiedUser: Sendable, Hashable {
  public var name: String
  public var groups: [String]
  public init(name: String, groups: [String] = []) {
    self.name = name
    self.groups = groups
  }
}

/// Where an API server is, how it is verified, and who asks it.
public struct ClusterAccess: Sendable, Hashable {
  /// Bytes, or the file that holds them now: files are read again as they change.
  public enum Source: Sendable, Hashable {
    case bytes([UInt8])
    case file(String)
  }

  /// `https://HOST:PORT` with the path that the API stands under, if any; no slash at its end.
  public var server: String
  /// Certificates (PEM) of the authorities to trust; nil: the system's.
  public var authorities: Source?
  /// Whether the server's certificate is verified at all.
  public var verifies = true
  /// The name that the server's certificate must carry; nil: the server's own.
  public var serverName: String?
  public var token: Source?
  /// The client's certificate chain and its key (PEM); both or none.
  public var certificate: Source?
  public var key: Source?
  /// The namespace that the credentials belong to, where a gateway's Leases are; `default` where nothing names one.
  public var namespace: String
  /// Where all this was read, for messages.
  public var origin: String
  /// What the server is called in messages.
  public var peer = "the API server"
  /// Who this client is to a server that believes it, by its certificate, when it says for whom it asks; nil: it asks for
  /// nobody but itself. A write whose options name a user is made for that one.
  public var proxy: ProxiedUser?

  /// Throws for an address that is none, and where a token would go over a connection that anybody can read.
  public init(server: String, token: Source? = nil, namespace: String = "default", origin: String)
    throws(ClusterAccessError)
  {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
    self.token = token
    // As kubectl has it.
    self.namespace = namespace.isEmpty ? "default" : namespace
    self.origin = origin
    guard self.server.hasPrefix("https://") || self.server.hasPrefix("http://"), !host.isEmpty else {
      throw ClusterAccessError("\(origin): the server \"\(server)\" is no address: write https://HOST:PORT")
    }
    guard isSecure || token == nil else {
      throw ClusterAccessError(
        "\(origin): the server \"\(server)\" would be sent a token in clear: write https://, or take the token away")
    }
  }

  var isSecure: Bool { server.hasPrefix("https://") }

  /// The host of `server`, without brackets.
  var host: String {
    let authority = server.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" }
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" })
  }

  /// What tells one cluster from another: a cache of one must not be taken for the other's.
  var identity: String { server }
}
