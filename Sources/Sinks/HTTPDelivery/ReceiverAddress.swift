public import SinkKit

/// An absolute `http` or `https` URL (RFC 3986) without user information and without a fragment.
public struct ReceiverAddress: Sendable, Hashable {
  /// `http` or `https`.
  public let scheme: String
  /// A name or an address; an IPv6 address in brackets.
  public let host: String
  /// Nil: the scheme's own.
  public let port: Int?
  /// From the first slash on, the query left out; `/` where the URL has none.
  public let path: String
  /// Without the question mark; nil where there is none.
  public let query: String?

  public var isEncrypted: Bool { scheme == "https" }

  /// Throws where `text` is none, with a message for the field that `reader` and `field` name.
  public init(_ text: String, of reader: FieldReader, field: String) throws(SinkError) {
    func invalid(_ message: String) -> SinkError { reader.error(field, message) }
    guard let scheme = ["http", "https"].first(where: { text.lowercased().hasPrefix($0 + "://") }) else {
      throw invalid("must begin with http:// or https://")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !#""<>\^`{|}"#.utf8.contains($0) }) else {
      throw invalid("has a character that a URL cannot have; write it as %XX")
    }
    guard !text.contains("#") else { throw invalid("must not have a fragment (#)") }
    let rest = text.dropFirst(scheme.count + 3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let tail = rest.dropFirst(authority.count)
    guard !authority.contains("@") else {
      throw invalid("must not hold credentials; use credentialsSecretRef or tokenSecretRef")
    }
    let bracket = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
    let colon = authority[bracket...].firstIndex(of: ":")
    host = String(authority[..<(colon ?? authority.endIndex)])
    guard !host.isEmpty, host.hasPrefix("[") == host.hasSuffix("]") else { throw invalid("names no host") }
    if let colon {
      guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
        throw invalid("the port must be a number between 1 and 65535")
      }
      port = number
    } else {
      port = nil
    }
    self.scheme = scheme
    let path = tail.prefix { $0 != "?" }
    self.path = path.isEmpty ? "/" : String(path)
    query = tail.contains("?") ? String(tail.dropFirst(path.count + 1)) : nil
  }

  /// The URL with `suffix` behind its path and `parameters` behind its query, percent-encoded.
  public func url(appending suffix: String = "", parameters: [(name: String, value: String)] = []) -> String {
    var path = self.path
    if !suffix.isEmpty {
      if path.hasSuffix("/") { path.removeLast() }
      path += suffix
    }
    let more = parameters.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }
    let parts = (query.map { $0.isEmpty ? [] : [$0] } ?? []) + more
    return "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(path)"
      + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&"))
  }

  /// Everything but the unreserved characters of RFC 3986, section 2.3, as `%XX`.
  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var output: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: output.append(byte)
      default: output += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
