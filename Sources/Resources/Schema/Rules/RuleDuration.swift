/// Durations as Go and CEL write them: `1h30m`, `1.5s`, `-200ms`; the units are h, m, s, ms, us, µs and ns.
enum RuleDuration {
  private static let units: [(name: String, nanoseconds: Double)] = [
    ("ms", 1e6), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ns", 1), ("h", 3.6e12), ("m", 6e10), ("s", 1e9),
  ]

  /// Nil for a text that is no duration, and beyond 292 years.
  static func nanoseconds(_ text: String) -> Int64? {
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    if rest == "0" { return 0 }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
      rest = rest.dropFirst(number.count)
      guard number.contains(where: { $0 != "." }), number.count(where: { $0 == "." }) <= 1,
        let unit = units.first(where: { rest.hasPrefix($0.name) })
      else { return nil }
      rest = rest.dropFirst(unit.name.count)
      let whole = number.prefix { $0 != "." }
      let (product, overflow) = (Int64(whole.isEmpty ? "0" : whole) ?? .max).multipliedReportingOverflow(
        by: Int64(unit.nanoseconds))
      guard !overflow else { return nil }
      let fraction = Int64((Double("0" + number.dropFirst(whole.count) + "0") ?? 0) * unit.nanoseconds)
      let (sum, sumOverflow) = total.addingReportingOverflow(product)
      guard !sumOverflow, sum <= .max - fraction else { return nil }
      total = sum + fraction
    }
    return isNegative ? -total : total
  }

  /// In seconds, as CEL's string() writes it.
  static func text(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let rest = (nanoseconds % 1_000_000_000).magnitude
    guard rest != 0 else { return "\(seconds)s" }
    let digits = String(rest)
    var fraction = String(repeating: "0", count: 9 - digits.count) + digits
    while fraction.last == "0" { fraction.removeLast() }
    return "\(nanoseconds < 0 && seconds == 0 ? "-" : "")\(seconds).\(fraction)s"
  }
}
