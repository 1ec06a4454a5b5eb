public import DeviceKit
internal import Documents
public import HTTPClient
public import SinkKit

/// One receiver: its connections, kept as long as the TLS material stays the same, and its credentials, asked for anew
/// at every request.
public actor Receiver {
  /// What a request has besides the address and the credentials.
  public struct Request: Sendable {
    public var url: String
    public var contentType: String
    /// Nil: as it is.
    public var contentEncoding: String?
    public var fields: [HTTPCall.Field]
    public var body: [UInt8]
    public init(
      url: String, contentType: String, contentEncoding: String? = nil, fields: [HTTPCall.Field] = [], body: [UInt8]
    ) {
      self.url = url
      self.contentType = contentType
      self.contentEncoding = contentEncoding
      self.fields = fields
      self.body = body
    }
  }

  /// An answer, with what its body says, fit for a message.
  public struct Reply: Sendable {
    public var answer: HTTPAnswer
    public var said: String
  }

  private let specification: ReceiverSpecification
  private let credentials: any CredentialSource
  /// What stands before a token in the header Authorization.
  private let tokenScheme: String
  private let clock: WallClock
  private var link: (tls: ClientTLS?, link: HTTPLink)?
  private var isClosed = false

  public init(
    _ specification: ReceiverSpecification, credentials: any CredentialSource, tokenScheme: String = "Bearer",
    clock: WallClock
  ) {
    self.specification = specification
    self.credentials = credentials
    self.tokenScheme = tokenScheme
    self.clock = clock
  }

  /// Posts and returns the answer, whatever its status. Throws where a credential is missing or nothing answered.
  /// `words` takes out of an answer what it says to people.
  public func post(
    _ request: Request, words: @Sendable (HTTPAnswer) -> [UInt8] = { $0.body }
  ) async throws(SinkError) -> Reply {
    var secrets: [String] = []
    let fields = try fields(of: request, noting: &secrets)
    let link = try await connected()
    do throws(HTTPFault) {
      let answer = try await link.call(HTTPCall("POST", request.url, fields: fields, body: request.body))
      return Reply(answer: answer, said: Self.words(of: words(answer), without: secrets))
    } catch {
      throw SinkError(reason: error.reason, message: "\(specification.address.host): \(error.message)")
    }
  }

  /// Posts and judges the answer by the protocol's rules; `judge` comes first and may decide otherwise.
  public func deliver(
    _ request: Request, rules: AnswerRules, judge: @Sendable (Reply) -> SinkOutcome? = { _ in nil }
  ) async -> SinkOutcome {
    do throws(SinkError) {
      let reply = try await post(request)
      return judge(reply) ?? outcome(of: reply, rules: rules)
    } catch {
      return .retry(error, after: nil)
    }
  }

  /// What an answer means by the protocol's rules.
  public func outcome(of reply: Reply, rules: AnswerRules) -> SinkOutcome {
    rules.outcome(of: reply.answer, said: reply.said, now: clock.now)
  }

  public func close() async {
    isClosed = true
    let old = link?.link
    link = nil
    await old?.close()
  }

  // MARK: Connection

  private func connected() async throws(SinkError) -> HTTPLink {
    guard !isClosed else { throw SinkError(reason: "Closed", message: "the sink is being closed") }
    let tls = try material()
    if let link, link.tls == tls { return link.link }
    let host = specification.address.host
    var limits = HTTPLink.Limits()
    limits.total = specification.timeout
    limits.connect = min(specification.timeout, .seconds(10))
    limits.connections = specification.concurrency
    let made: HTTPLink
    do throws(HTTPFault) {
      made = try HTTPLink(
        host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, tls: tls, limits: limits)
    } catch {
      throw SinkError(reason: error.reason, message: error.message)
    }
    let old = link?.link
    link = (tls, made)
    await old?.close()
    return made
  }

  private func material() throws(SinkError) -> ClientTLS? {
    guard specification.address.isEncrypted else { return nil }
    return ClientTLS(
      authorities: try value(specification.authorities), certificates: try value(specification.certificates),
      key: try value(specification.key), serverName: specification.serverName, verifies: specification.verifies)
  }

  // MARK: Credentials

  private func value(_ credential: ReceiverSpecification.Credential?) throws(SinkError) -> [UInt8]? {
    switch credential {
    case nil: return nil
    case .file(let path, let field): return try credentials.file(path, field: field)
    case .secret(let name, let key, let field):
      let values = try credentials.secret(name, namespace: specification.namespace, field: field)
      guard let value = values[key] else {
        throw SinkError(reason: "SecretKeyMissing", message: "\(field): Secret \"\(name)\" has no key \(key)")
      }
      return value
    }
  }

  private func fields(of request: Request, noting secrets: inout [String]) throws(SinkError) -> [HTTPCall.Field] {
    var fields = [
      HTTPCall.Field("Content-Type", request.contentType), HTTPCall.Field("User-Agent", "selvedge"),
      HTTPCall.Field("Accept-Encoding", "identity"),
    ]
    if let encoding = request.contentEncoding { fields.append(HTTPCall.Field("Content-Encoding", encoding)) }
    fields += request.fields
    for (name, value) in specification.headers.sorted(by: { $0.key < $1.key }) {
      fields.append(HTTPCall.Field(name, value))
    }
    if let reference = specification.headersSecret {
      let values = try credentials.secret(
        reference.secret, namespace: specification.namespace, field: reference.field)
      for (name, bytes) in values.sorted(by: { $0.key < $1.key }) {
        let value = String(decoding: bytes, as: UTF8.self).withoutLineEnd
        if let problem = HeaderRule.problem(name: name, value: value, reserved: specification.reserved) {
          throw SinkError(
            reason: "InvalidHeader",
            message: "\(reference.field): key \(name) of Secret \"\(reference.secret)\" \(problem)")
        }
        secrets.append(value)
        fields.append(HTTPCall.Field(name, value))
      }
    }
    if let authorization = try authorization(noting: &secrets) {
      fields.append(HTTPCall.Field("Authorization", authorization))
    }
    return fields
  }

  private func authorization(noting secrets: inout [String]) throws(SinkError) -> String? {
    if let account = specification.account {
      let secret = { (key: String) in
        ReceiverSpecification.Credential.secret(name: account.secret, key: key, field: account.field)
      }
      let name = try value(secret("username")) ?? []
      let password = try value(secret("password")) ?? []
      let pair = Base64.text(of: name + [0x3A] + password)
      secrets += [pair, String(decoding: password, as: UTF8.self)]
      return "Basic \(pair)"
    }
    guard let bytes = try value(specification.token) else { return nil }
    let token = String(decoding: bytes, as: UTF8.self).withoutLineEnd
    if let problem = HeaderRule.problem(name: "x", value: token, reserved: []) {
      throw SinkError(reason: "InvalidToken", message: "the token \(problem)")
    }
    secrets.append(token)
    return "\(tokenScheme) \(token)"
  }

  /// The start of an answer's body as one line of text, without what the request kept secret.
  static func words(of body: [UInt8], without secrets: [String]) -> String {
    var text = String(decoding: body.prefix(4_096), as: UTF8.self)
    for secret in secrets where !secret.isEmpty { text = text.hiding(secret) }
    let scalars = text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : $0 }
    var line = String(String.UnicodeScalarView(scalars)).trimmed
    if line.unicodeScalars.count > 512 { line = String(line.unicodeScalars.prefix(512)) + "…" }
    return line
  }
}

extension String {
  /// With `…` in place of every `secret`.
  fileprivate func hiding(_ secret: String) -> String {
    let (bytes, pattern) = (Array(utf8), Array(secret.utf8))
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: pattern) {
        output += "…".utf8
        index += pattern.count
      } else {
        output.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// Without the line ends that files and Secrets often have at their end.
  fileprivate var withoutLineEnd: String {
    var text = self
    while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
    return text
  }
}
