internal import HTTPTypes
public import Hummingbird
internal import Resources

/// The other end of a connection.
public struct Peer: Sendable, Hashable {
  /// Empty where it is not known.
  public var address: String
  /// The subject of the client certificate, which has been verified and is valid now; nil: none was shown.
  public var subject: CertificateSubject?

  public init(address: String = "", subject: CertificateSubject? = nil) {
    self.address = address
    self.subject = subject
  }
}

/// A request's context that knows the other end of its connection. Of any other context nothing is known: where
/// credentials are asked for, only a token can be one there.
public protocol PeerContext: RequestContext {
  func peer() async -> Peer
}

/// Tells who makes a request, decides whether it may pass, and has writes put on record.
public struct AccessControl: Sendable {
  /// What counts as a credential.
  public struct Credentials: Sendable {
    /// The tokens that are valid now; nil: no token is ever valid.
    public var tokens: (@Sendable () -> StaticTokens)?
    public var takesCertificates: Bool
    /// The proxy that is believed now when it says who asks; nil: nobody is.
    public var frontProxy: (@Sendable () -> FrontProxy?)?
    public init(
      tokens: (@Sendable () -> StaticTokens)? = nil, takesCertificates: Bool = false,
      frontProxy: (@Sendable () -> FrontProxy?)? = nil
    ) {
      self.tokens = tokens
      self.takesCertificates = takesCertificates
      self.frontProxy = frontProxy
    }
  }
  /// Nil: none are asked for, and everybody is ``UserInfo/local``.
  private let credentials: Credentials?
  let policy: @Sendable () -> AccessPolicy
  /// Takes the record of every write, done or refused; must not block.
  let audit: @Sendable (AuditEntry) -> Void

  /// - Parameters:
  ///   - credentials: what counts as one; nil: none are asked for, whoever asks may do everything.
  ///   - policy: who may do what, now.
  ///   - audit: takes the record of every write, done or refused; must not block.
  public init(
    credentials: Credentials? = nil, policy: @escaping @Sendable () -> AccessPolicy = { AccessPolicy() },
    audit: @escaping @Sendable (AuditEntry) -> Void = { _ in }
  ) {
    self.credentials = credentials
    self.policy = policy
    self.audit = audit
  }

  /// Who makes the request; 401 where it shows credentials that are wrong.
  ///
  /// What a front proxy says goes before a token, and a token before the certificate of the connection.
  func user(of head: HTTPRequest, _ peer: Peer) throws(APIStatus) -> UserInfo {
    // Unheard, it would make a user's own rights look like another's.
    if let other = Self.impersonation.flatMap({ head.headerFields[$0] }) {
      throw APIStatus(
        code: 403, reason: "Forbidden",
        message: "users \"\(other)\" is forbidden: nobody can act as somebody else here (--as)", name: other,
        kind: "users")
    }
    guard let credentials else { return .local }
    if let user = credentials.frontProxy?()?.user(in: head.headerFields, peer.subject) { return user }
    if let token = Self.bearerToken(head.headerFields[.authorization]) {
      guard let user = credentials.tokens?().user(of: token) else { throw .unauthorized }
      return user
    }
    guard credentials.takesCertificates, let subject = peer.subject else { return .anonymous }
    guard !subject.commonName.isEmpty else { throw .unauthorized }
    return UserInfo(name: subject.commonName, groups: subject.organizations).authenticated
  }

  private static let impersonation = HTTPField.Name("Impersonate-User")

  /// RFC 6750, section 2.1; nil where there is none, or an empty one.
  private static func bearerToken(_ field: String?) -> ArraySlice<UInt8>? {
    guard let field else { return nil }
    let bytes = Array(field.utf8)
    guard bytes.count > 7, field.prefix(7).lowercased() == "bearer " else { return nil }
    let token = bytes.dropFirst(7).drop { $0 == 0x20 }
    return token.isEmpty ? nil : token
  }

  /// Throws 401 for a stranger and 403 for a user who may not.
  func authorize(_ user: UserInfo, _ attributes: AccessAttributes) throws(APIStatus) {
    guard !policy().allows(user, attributes) else { return }
    throw user.isAnonymous ? .unauthorized : attributes.forbidden(user)
  }
}

extension RequestContext {
  /// The other end, as far as this context knows it.
  func knownPeer() async -> Peer { await (self as? any PeerContext)?.peer() ?? Peer() }
}
