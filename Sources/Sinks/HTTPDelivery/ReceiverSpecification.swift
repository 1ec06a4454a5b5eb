internal import Documents
public import SinkKit

/// What every sink that speaks HTTP has in its fragment: where the receiver is, how the gateway shows who it is, and
/// the bounds of a request. ``ReceiverSchema`` is its schema.
public struct ReceiverSpecification: Sendable {
  /// One value in a Secret, or a file.
  enum Credential: Sendable {
    case secret(name: String, key: String, field: String)
    case file(String, field: String)
  }

  /// User name and password in a Secret.
  struct Account: Sendable {
    var secret: String
    var field: String
  }

  public var address: ReceiverAddress
  /// The Sink's namespace, which its Secrets are in.
  public var namespace: String
  /// Header fields in plain text, by name.
  public var headers: [String: String]
  /// A Secret whose every key is a header field.
  var headersSecret: Account?
  var account: Account?
  var token: Credential?
  var authorities: Credential?
  var certificates: Credential?
  var key: Credential?
  var serverName: String?
  var verifies: Bool
  /// From the request to the end of the answer.
  public var timeout: Duration
  /// Requests under way at a time, each with series of its own.
  public var concurrency: Int

  /// Reads the fragment; `addressField` holds the URL. `reserved` are header fields that the protocol itself sets, in
  /// lower case, besides those that no user sets.
  public init(_ reader: FieldReader, addressField: String, namespace: String, reserved: Set<String> = [])
    throws(SinkError)
  {
    guard let url = try reader.string(addressField) else { throw reader.error(addressField, "is required") }
    address = try ReceiverAddress(url, of: reader, field: addressField)
    self.namespace = namespace
    headers = try reader.map("headers")
    for (name, value) in headers {
      if let problem = HeaderRule.problem(name: name, value: value, reserved: reserved) {
        throw reader.error("headers.\(name)", problem)
      }
      if HeaderRule.secret.contains(name.lowercased()) {
        throw reader.error("headers.\(name)", "is a credential: put it into a Secret and name that in headersSecretRef")
      }
    }
    headersSecret = try Self.reference("headersSecretRef", of: reader).map { Account(secret: $0.name, field: $0.field) }
    account = try Self.reference("credentialsSecretRef", of: reader).map { Account(secret: $0.name, field: $0.field) }
    token = try Self.credential(reader, secret: "tokenSecretRef", key: "token", file: "tokenFile")
    guard account == nil || token == nil else {
      throw reader.error("credentialsSecretRef", "excludes a token: both are the header Authorization")
    }
    let tls = try reader.object("tls")
    if tls != nil, !address.isEncrypted { throw reader.error("tls", "is for https:// only") }
    if let tls {
      authorities = try Self.credential(tls, secret: "caSecretRef", key: "ca.crt", file: "caFile")
      certificates = try Self.credential(tls, secret: "certificateSecretRef", key: "tls.crt", file: "certificateFile")
      key = try Self.credential(tls, secret: "certificateSecretRef", key: "tls.key", file: "keyFile")
      guard (certificates == nil) == (key == nil) else {
        throw tls.error("certificateFile", "goes together with keyFile")
      }
      serverName = try tls.string("serverName")
    }
    verifies = try tls?.bool("insecureSkipVerify") != true
    timeout = try reader.duration("timeout") ?? .seconds(30)
    concurrency = try reader.integer("concurrency", in: 1...16) ?? 1
    self.reserved = reserved
  }

  let reserved: Set<String>

  private static func reference(_ field: String, of reader: FieldReader) throws(SinkError) -> (
    name: String, key: String?, field: String
  )? {
    guard let object = try reader.object(field) else { return nil }
    guard let name = try object.string("name") else { throw object.error("name", "is required") }
    return (name, try object.string("key"), "\(reader.path).\(field)")
  }

  private static func credential(_ reader: FieldReader, secret: String, key: String, file: String) throws(SinkError)
    -> Credential?
  {
    let path = try reader.string(file)
    guard let reference = try reference(secret, of: reader) else {
      return path.map { .file($0, field: "\(reader.path).\(file)") }
    }
    guard path == nil else { throw reader.error(file, "excludes \(secret)") }
    // Certificate and key come from one Secret: its keys have fixed names.
    let named = secret == "certificateSecretRef" ? key : reference.key ?? key
    return .secret(name: reference.name, key: named, field: reference.field)
  }
}

/// Which header fields a user may set, and to what (RFC 9110, sections 5.1 and 5.5).
enum HeaderRule {
  /// What makes or frames a request.
  private static let framing: Set<String> = [
    "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade", "user-agent",
  ]
  /// What must not stand in plain text.
  static let secret: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token",
  ]

  /// What is wrong with a field; nil where nothing is. The value is never shown.
  static func problem(name: String, value: String, reserved: Set<String>) -> String? {
    let isToken = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
    guard !name.isEmpty, name.utf8.allSatisfy(isToken) else { return "is no name of a header field" }
    if framing.contains(name.lowercased()) || reserved.contains(name.lowercased()) { return "is set by the gateway" }
    guard value.utf8.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else {
      return "has a control character in its value, such as a line end"
    }
    return nil
  }
}
