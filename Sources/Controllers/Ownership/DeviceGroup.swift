internal import Documents

/// Devices that one gateway serves together: the unit that changes hands.
public enum DeviceGroup {
  /// A Device's label that names its group; devices of one network belong together.
  public static let label = "selvedge.dev/group"
  /// How many groups there are for Devices that name none.
  public static let bucketCount: UInt64 = 128
  /// Not of devices: whoever holds it writes the status of what all gateways share.
  public static let summary = "summary"

  /// The group of a device that is reached at `endpoint`: what shares a connection shares a group.
  public static func name(label: String?, endpoint: String) -> String {
    if let label, !label.isEmpty {
      let legal = DeviceNaming.legal(label)
      return legal == label ? "named-\(label)" : "named-\(legal.prefix(40))-\(DeviceNaming.hash(of: label))"
    }
    return "\(hash(endpoint) % bucketCount)"
  }

  /// How much reason a gateway has to serve a group: the gateway with the highest score comes first (rendezvous
  /// hashing; Thaler and Ravishankar, 1998).
  static func score(_ gateway: String, _ group: String) -> UInt64 { hash(gateway + "\u{0}" + group) }

  /// FNV-1a with an avalanche step: the same on all machines.
  static func hash(_ text: String) -> UInt64 {
    var hash = FNV1a.hash(text)
    hash ^= hash >> 33
    hash = hash &* 0xFF51_AFD7_ED55_8CCD
    hash ^= hash >> 33
    hash = hash &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ (hash >> 33)
  }
}
