import Glibc

/// An IP address, or all addresses that begin with the same bits: `10.1.0.7`, `10.2.0.0/24`, `fd00::/8`.
package struct AddressBlock: Sendable, Hashable {
  /// 4 or 16.
  package let bytes: [UInt8]
  package let prefix: Int

  /// Nil for what is neither.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard !parts[0].contains("%"), let bytes = addressBytes(parts[0]) else { return nil }
    self.bytes = bytes
    guard parts.count == 2 else {
      prefix = bytes.count * 8
      return
    }
    guard let prefix = Int(parts[1]), (0...bytes.count * 8).contains(prefix), !parts[1].hasPrefix("+") else {
      return nil
    }
    self.prefix = prefix
  }

  package func contains(_ address: [UInt8]) -> Bool {
    guard address.count == bytes.count else { return false }
    for index in 0..<bytes.count {
      let bits = min(8, max(0, prefix - index * 8))
      guard bits > 0 else { return true }
      guard (address[index] ^ bytes[index]) >> UInt8(8 - bits) == 0 else { return false }
    }
    return true
  }

  /// 127.0.0.0/8 and ::1 (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3), or a part of them.
  package var isLoopback: Bool {
    bytes.count == 4
      ? bytes[0] == 127 && prefix >= 8 : bytes == [UInt8](repeating: 0, count: 15) + [1] && prefix == 128
  }
}

/// The bytes of an IP address in its text form, 4 or 16; an IPv4 address mapped into IPv6 (RFC 4291, section 2.5.5.2) is
/// that IPv4 address. Nil for what is none; a zone is left out.
package func addressBytes(_ text: String) -> [UInt8]? {
  let host = text.prefix { $0 != "%" }
  var bytes = [UInt8](repeating: 0, count: 16)
  if inet_pton(AF_INET, String(host), &bytes) == 1 { return Array(bytes[..<4]) }
  guard inet_pton(AF_INET6, String(host), &bytes) == 1 else { return nil }
  let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
  return isMapped ? Array(bytes[12...]) : bytes
}
