/// A count of bytes as Kubernetes quantities write it: `256Mi`, `10M`, `1024`.
public enum Quantity {
  /// The pattern that a quantity of bytes in a manifest matches.
  public static let bytesPattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"

  /// The bytes that `text` names; nil where it is no quantity or does not fit 64 bits.
  public static func bytes(_ text: String) -> Int64? {
    let suffixes: [(String, Int64)] = [
      ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40),
      ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
    ]
    for (suffix, factor) in suffixes where text.hasSuffix(suffix) {
      guard let value = Int64(text.dropLast(suffix.count)), value >= 0 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
    guard let value = Int64(text), value >= 0 else { return nil }
    return value
  }
}
