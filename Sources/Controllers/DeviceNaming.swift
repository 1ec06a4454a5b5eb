public import DeviceKit
internal import Documents

/// Names for discovered Devices: readable, legal (RFC 1123 label), and distinct by a hash of 57 bits, so that neither
/// an address nor luck decides.
public enum DeviceNaming {
  /// Kubernetes' alphabet for generated names: no vowels, no look-alikes.
  private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

  /// `hint` made legal, a dash, and the hash of `discovery` and `stableID`; at most 63 characters.
  public static func name(hint: String, discovery: String, stableID: String) -> String {
    let hash = hash(of: discovery + "\u{0}" + stableID)
    let prefix = legal(hint.isEmpty ? discovery : hint).prefix(63 - 1 - hash.utf8.count)
    let trimmed = String(prefix).trimmingDashes
    return trimmed.isEmpty ? "device-\(hash)" : "\(trimmed)-\(hash)"
  }

  /// The name of a DeviceModel that discovery learned: equal models have the same, whoever found them.
  public static func name(of model: DiscoveredModel) -> String {
    name(hint: model.nameHint, discovery: "standard-model", stableID: model.fingerprint)
  }

  /// `text` as an RFC 1123 label of at most 63 characters: lower case, everything else a dash.
  public static func legal(_ text: String) -> String {
    var result: [UInt8] = []
    for byte in text.lowercased().utf8 {
      let isLegal = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
      if isLegal {
        result.append(byte)
      } else if let last = result.last, last != UInt8(ascii: "-") {
        result.append(UInt8(ascii: "-"))
      }
    }
    return String(decoding: result.prefix(63), as: UTF8.self).trimmingDashes
  }

  /// Twelve letters of FNV-1a (64 bit, with an avalanche step): stable over restarts and machines.
  static func hash(of text: String) -> String {
    var stable = StableHash()
    stable.add(text.utf8)
    var hash = stable.value
    hash ^= hash >> 33
    hash = hash &* 0xFF51_AFD7_ED55_8CCD
    hash ^= hash >> 33
    var letters: [UInt8] = []
    for _ in 0..<12 {
      letters.append(alphabet[Int(hash % UInt64(alphabet.count))])
      hash /= UInt64(alphabet.count)
    }
    return String(decoding: letters, as: UTF8.self)
  }
}

extension String {
  fileprivate var trimmingDashes: String {
    var text = self[...]
    while text.hasPrefix("-") { text = text.dropFirst() }
    while text.hasSuffix("-") { text = text.dropLast() }
    return String(text)
  }
}
