/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 0xFF, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()
  private static let pad = UInt8(ascii: "=")

  /// The text of `bytes`, padded, in one line.
  public static func text(of bytes: some Sequence<UInt8>) -> String {
    var output: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 1
      guard count == 3 else { continue }
      for shift in [18, 12, 6, 0] { output.append(alphabet[Int(bits >> UInt32(shift) & 0x3F)]) }
      (bits, count) = (0, 0)
    }
    switch count {
    case 1: output += [alphabet[Int(bits >> 2)], alphabet[Int(bits << 4 & 0x3F)], pad, pad]
    case 2:
      output += [alphabet[Int(bits >> 10)], alphabet[Int(bits >> 4 & 0x3F)], alphabet[Int(bits << 2 & 0x3F)], pad]
    default: break
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// The bytes that `text` stands for; nil where it is no base64. Line ends are skipped, as Go's decoder does, which
  /// reads these values on a cluster; bits beyond the last byte are ignored likewise.
  public static func bytes(of text: some StringProtocol) -> [UInt8]? {
    var output: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    var pads = 0
    for byte in text.utf8 where byte != 0x0A && byte != 0x0D {
      if byte == pad {
        pads += 1
        continue
      }
      let value = values[Int(byte)]
      guard value != 0xFF, pads == 0 else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 1
      guard count == 4 else { continue }
      output += [
        UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits),
      ]
      (bits, count) = (0, 0)
    }
    switch (count, pads) {
    case (0, 0): return output
    case (2, 2): return output + [UInt8(truncatingIfNeeded: bits >> 4)]
    case (3, 1): return output + [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
    default: return nil
    }
  }
}
