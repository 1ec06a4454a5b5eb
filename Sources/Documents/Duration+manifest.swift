extension Duration {
  /// Whole nanoseconds, saturating at the ends of `Int64`.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    return whole + attoseconds / 1_000_000_000
  }

  /// Seconds with their fraction.
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// The pattern that every duration in a manifest matches.
  public static let manifestPattern = "^([0-9]{1,5}(h|m|s|ms)){1,4}$"

  /// A duration as manifests write it: `1h30m`, `15m`, `500ms`; nil for anything that ``manifestPattern`` refuses.
  public init?(manifest text: String) {
    var total: Int64 = 0
    var parts = 0
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard (1...5).contains(digits.count), let value = Int64(String(decoding: digits, as: UTF8.self)) else {
        return nil
      }
      rest = rest.dropFirst(digits.count)
      let unit: Int64
      if rest.starts(with: "ms".utf8) {
        unit = 1_000_000
        rest = rest.dropFirst(2)
      } else if let letter = rest.first {
        switch letter {
        case UInt8(ascii: "h"): unit = 3_600_000_000_000
        case UInt8(ascii: "m"): unit = 60_000_000_000
        case UInt8(ascii: "s"): unit = 1_000_000_000
        default: return nil
        }
        rest = rest.dropFirst()
      } else {
        return nil
      }
      total += value * unit
      parts += 1
    }
    guard (1...4).contains(parts) else { return nil }
    self = .nanoseconds(total)
  }
}
