internal import Documents

/// The formats of strings that Kubernetes checks (apiextensions-apiserver/pkg/apiserver/validation/formats.go).
enum TextFormat: String, Sendable, CaseIterable {
  case dateTime = "date-time"
  case date, duration, byte, ipv4, ipv6, cidr, mac, uri, hostname, email, uuid

  func fits(_ text: String) -> Bool {
    switch self {
    case .dateTime: Timestamp(text) != nil
    case .date: text.utf8.count == 10 && Timestamp("\(text)T00:00:00Z") != nil
    case .duration: RuleDuration.nanoseconds(text) != nil
    case .byte: Self.isBase64(text)
    case .ipv4: Self.isIPv4(text)
    case .ipv6: Self.isIPv6(text)
    case .cidr: Self.isCIDR(text)
    case .mac: Self.macPattern.matches(text)
    case .uri: Self.uriPattern.matches(text)
    case .hostname: text.utf8.count <= 253 && Self.hostnamePattern.matches(text)
    case .email: text.utf8.count <= 320 && Self.emailPattern.matches(text)
    case .uuid: Self.uuidPattern.matches(text)
    }
  }

  private static let macPattern = pattern("^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")
  private static let uriPattern = pattern("^[A-Za-z][A-Za-z0-9+.-]*:[^ \\t\\n]+$")
  private static let hostnamePattern = pattern(
    "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$")
  private static let emailPattern = pattern("^[^ @<>]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
  private static let uuidPattern = pattern(
    "^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}$")

  private static func pattern(_ text: String) -> Pattern {
    do { return try Pattern(text) } catch { preconditionFailure("the pattern of a format: \(error)") }
  }

  private static func isBase64(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count % 4 == 0 else { return false }
    let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    return padding <= 2
      && bytes.dropLast(padding).allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
        default: false
        }
      }
  }

  private static func isIPv4(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) }
          && (part.count == 1 || part.first != 0x30) && part.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 255
      }
  }

  private static func isIPv6(_ text: String) -> Bool {
    guard text.contains(":") else { return false }
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    var groups = 0
    for (index, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (place, part) in parts.enumerated() {
        if index == halves.count - 1, place == parts.count - 1, part.contains(".") {
          guard isIPv4(String(part)) else { return false }
          groups += 2
        } else {
          guard (1...4).contains(part.utf8.count), UInt16(part, radix: 16) != nil, part.first != "+" else {
            return false
          }
          groups += 1
        }
      }
    }
    return halves.count == 2 ? groups <= 7 : groups == 8
  }

  private static func isCIDR(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = Int(parts[1]), length >= 0, parts[1].utf8.count <= 3, parts[1].first != "+"
    else { return false }
    return isIPv4(String(parts[0])) ? length <= 32 : isIPv6(String(parts[0])) && length <= 128
  }
}
