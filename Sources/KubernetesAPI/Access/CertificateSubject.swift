/// The subject of an X.509 certificate as far as Kubernetes reads it: the common name is the user, organisations are
/// groups (RFC 5280, section 4.1.2.6). The certificate's signature is not checked here.
public struct CertificateSubject: Sendable, Hashable {
  public var commonName = ""
  public var organizations: [String] = []

  private static let commonNameType: [UInt8] = [0x55, 0x04, 0x03]
  private static let organizationType: [UInt8] = [0x55, 0x04, 0x0A]

  /// A subject that names nobody.
  public init() {}

  /// Nil for bytes that are no certificate.
  public init?(der: [UInt8]) {
    var outer = DERReader(der[...])
    guard var certificate = outer.next(0x30), var fields = certificate.next(0x30) else { return nil }
    _ = fields.next(0xA0)
    // Serial number, signature algorithm, issuer, validity.
    guard fields.next(0x02) != nil, fields.next(0x30) != nil, fields.next(0x30) != nil, fields.next(0x30) != nil,
      var subject = fields.next(0x30)
    else { return nil }
    while var set = subject.next(0x31) {
      while var pair = set.next(0x30) {
        guard let type = pair.next(0x06).map({ Array($0.rest) }) else { return nil }
        guard type == Self.commonNameType || type == Self.organizationType else { continue }
        guard let value = pair.text() else { return nil }
        if type == Self.commonNameType { commonName = value } else { organizations.append(value) }
      }
    }
  }
}

/// Walks over DER elements (X.690, section 10).
private struct DERReader {
  var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The content of the next element if it has this tag; nothing is consumed otherwise.
  mutating func next(_ tag: UInt8) -> DERReader? {
    guard rest.first == tag, let (content, end) = element() else { return nil }
    rest = rest[end...]
    return DERReader(content)
  }

  /// The next element as text: UTF8String, PrintableString, TeletexString, IA5String; nil for others.
  mutating func text() -> String? {
    for tag: UInt8 in [0x0C, 0x13, 0x14, 0x16] {
      if let content = next(tag) { return String(validating: content.rest, as: UTF8.self) }
    }
    return nil
  }

  private func element() -> (content: ArraySlice<UInt8>, end: Int)? {
    guard rest.count >= 2 else { return nil }
    var index = rest.startIndex + 1
    var length = Int(rest[index])
    index += 1
    if length >= 0x80 {
      let count = length & 0x7F
      guard (1...3).contains(count), rest.endIndex - index >= count else { return nil }
      length = rest[index..<index + count].reduce(0) { $0 << 8 | Int($1) }
      index += count
    }
    guard rest.endIndex - index >= length else { return nil }
    return (rest[index..<index + length], index + length)
  }
}
