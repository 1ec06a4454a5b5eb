public import HTTPTypes
public import Resources

/// Decides whether a request may have come from a program, or from the gateway's own page, and not from a page of
/// another site in a browser.
///
/// Host must name the gateway itself, which a page that rebinds its own name to this address cannot make a browser say.
/// Where every request must carry a credential, any Host will do: a rebinding page has no token to send, and a browser
/// ends a TLS handshake whose certificate is not for the page's name.
/// Origin, where a browser sends one, must be the gateway's own. A body must be of a type that no form can send; only
/// programs other than browsers may leave the type out, as kubectl 1.20 does.
public struct LocalRequestGuard: Sendable {
  /// Host names and addresses beyond the loopback ones, lower-case.
  private let names: Set<String>
  private let port: Int?
  private let takesAnyHost: Bool

  /// - Parameters:
  ///   - names: names and addresses besides `localhost`, `*.localhost`, 127.0.0.0/8 and `::1` under which clients may
  ///     address the gateway.
  ///   - port: the port that Host must name; nil: any.
  ///   - takesAnyHost: whether Host is not compared at all.
  public init(names: some Sequence<String> = [], port: Int? = nil, takesAnyHost: Bool = false) {
    self.names = Set(names.map { $0.lowercased() })
    self.port = port
    self.takesAnyHost = takesAnyHost
  }

  /// Why the request is refused (403, or 415 for the body's type); nil where it may pass.
  public func refusal(of head: HTTPRequest) -> APIStatus? {
    guard let authority = head.authority, let host = Host(authority) else {
      return .badRequest("the request has no valid Host header")
    }
    guard takesAnyHost || isOurs(host) else {
      return Self.forbidden(
        "Host \"\(authority)\" is not a name of this gateway: address it by a loopback address, or configure the name")
    }
    if let origin = head.headerFields[.origin]?.lowercased() {
      let own = authority.lowercased()
      guard origin == "http://\(own)" || origin == "https://\(own)" else {
        return Self.forbidden("a page of origin \"\(origin)\" may not use this API")
      }
    }
    if let site = Self.fetchSite.flatMap({ head.headerFields[$0] }), site != "same-origin", site != "none" {
      let mode = Self.fetchMode.flatMap { head.headerFields[$0] }
      guard head.method == .get, mode == "navigate" else {
        return Self.forbidden("a page of another site may not use this API")
      }
    }
    return refusalOfBody(head)
  }

  private func isOurs(_ host: Host) -> Bool {
    if let port, host.port ?? port != port { return false }
    return host.isLoopback || names.contains(host.name)
  }

  private func refusalOfBody(_ head: HTTPRequest) -> APIStatus? {
    switch head.method {
    case .get, .head, .options: return nil
    case .delete:
      let hasBody = (head.headerFields[.contentLength] ?? "0") != "0" || head.headerFields[.transferEncoding] != nil
      guard hasBody, head.headerFields[.contentType] != nil else { return nil }
    default: break
    }
    let type = MediaRange(head.headerFields[.contentType] ?? "")?.essence ?? ""
    if type.isEmpty, !Self.isFromBrowser(head) { return nil }
    let isSafe =
      type.hasPrefix("application/")
      && (type.hasSuffix("json") || type.hasSuffix("yaml") || type == "application/vnd.kubernetes.protobuf")
    return isSafe ? nil : .unsupportedMediaType(accepted: RequestBodyFormat.objectTypes + RequestBodyFormat.patchTypes)
  }

  /// Whether the request bears any mark of a browser.
  private static func isFromBrowser(_ head: HTTPRequest) -> Bool {
    let marks = [fetchSite, fetchMode, .origin, .referer].compactMap { $0 }
    return marks.contains { head.headerFields[$0] != nil }
      || head.headerFields[.userAgent]?.hasPrefix("Mozilla/") == true
  }

  private static func forbidden(_ message: String) -> APIStatus {
    APIStatus(code: 403, reason: "Forbidden", message: message)
  }

  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")
  private static let fetchMode = HTTPField.Name("Sec-Fetch-Mode")
}

/// The host and port of a Host header (RFC 9110, section 7.2).
struct Host: Sendable, Equatable {
  /// Lower-case; an IPv6 address without its brackets.
  var name: String
  var port: Int?

  init?(_ authority: String) {
    let text = authority.lowercased()
    var rest: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      name = String(text[text.index(after: text.startIndex)..<end])
      rest = text[text.index(after: end)...]
    } else {
      let end = text.firstIndex(of: ":") ?? text.endIndex
      name = String(text[..<end])
      rest = text[end...]
    }
    if name.hasSuffix(".") { name.removeLast() }
    guard !name.isEmpty, !name.contains("@") else { return nil }
    guard !rest.isEmpty else { return }
    rest = rest.dropFirst(rest.first == ":" ? 1 : 0)
    guard let number = UInt16(rest) else { return nil }
    port = Int(number)
  }

  /// RFC 6761 section 6.3 (`localhost` and what ends so), 127.0.0.0/8, `::1`.
  var isLoopback: Bool {
    if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
