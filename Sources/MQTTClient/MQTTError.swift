/// Why the broker cannot be reached or a message could not be published.
public struct MQTTError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable {
    /// No configuration for this broker exists (yet).
    case notConfigured = "BrokerNotFound"
    case invalidConfiguration = "InvalidConfiguration"
    case unreachable = "BrokerUnreachable"
    case tlsFailed = "TLSFailed"
    /// The broker refused the credentials or the client's rights.
    case unauthorised = "NotAuthorised"
    /// The broker has taken as much as it lets this client send for now.
    case quotaExceeded = "QuotaExceeded"
    /// Another client has connected under the same client ID.
    case takenOver = "SessionTakenOver"
    /// The broker refused the connection, or a message, for another reason.
    case refused = "ConnectionRefused"
    case connectionLost = "ConnectionLost"
    case notConnected = "NotConnected"
    /// No acknowledgement arrived in time.
    case timeout = "Timeout"
    /// Too many messages wait for their acknowledgement.
    case queueFull = "QueueFull"
    case invalidMessage = "InvalidMessage"
    case cancelled = "Cancelled"
    /// The connection was closed by its owner.
    case closed = "Closed"
  }
  public var kind: Kind
  /// What happened and what to do; never a secret.
  public var message: String
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
  public var description: String { message }
  /// CamelCase, fit for a condition's reason.
  public var reason: String { kind.rawValue }
}
