/// Engineering value = raw ÷ 2^fractionBits × scale + offset, in whole numbers over one divisor where scale and offset are
/// decimal fractions, so that 253 × 0.1 is 25.3 and integers stay exact. What has no finite decimal form is rounded once.
package struct DecimalTransform: Sendable, Hashable {
  package var scale: Double
  package var offset: Double
  /// How many bits of the raw integer stand behind the binary point.
  package var fractionBits: Int
  /// value = (raw × multiplier + addend) / divisor; nil where whole numbers of 2^53 and powers of ten up to 10^12 do not
  /// make scale and offset.
  private var exact: Exact?

  private struct Exact: Hashable {
    var multiplier: Int128
    var addend: Int128
    /// Above zero.
    var divisor: Int128
  }

  /// `scale` is not 0; both are finite. `fractionBits` is from 0 to 62.
  package init(scale: Double = 1, offset: Double = 0, fractionBits: Int = 0) {
    self.scale = scale
    self.offset = offset
    self.fractionBits = fractionBits
    guard let factor = WholeFraction(decimal: scale), let addend = WholeFraction(decimal: offset) else { return }
    let power = max(factor.divisor, addend.divisor)
    let whole = (addend.numerator * (power / addend.divisor)).multipliedReportingOverflow(by: 1 << Int128(fractionBits))
    guard !whole.overflow else { return }
    exact = Exact(
      multiplier: factor.numerator * (power / factor.divisor), addend: whole.partialValue,
      divisor: power << Int128(fractionBits))
    if !isSmall { exact = nil }
  }

  /// The same with the scale taken `power` times by ten; `power` is from -18 to 18.
  package func scaled(byPowerOfTen power: Int) -> DecimalTransform {
    guard power != 0 else { return self }
    var result = self
    let factor = (0..<abs(power)).reduce(Int128(1)) { factor, _ in factor * 10 }
    result.scale = power > 0 ? scale * Double(factor) : scale / Double(factor)
    guard var exact else { return result }
    if power > 0 {
      exact.multiplier *= factor
    } else {
      let addend = exact.addend.multipliedReportingOverflow(by: factor)
      exact.addend = addend.overflow ? .max : addend.partialValue
      exact.divisor *= factor
    }
    result.exact = exact
    if !result.isSmall { result.exact = nil }
    return result
  }

  /// Whether products with 64-bit integers and with decimal fractions stay below 2^127 (or are looked for overflow), and
  /// quotients by the divisor keep more bits than a double has.
  private var isSmall: Bool {
    guard let exact else { return true }
    return exact.divisor < 1 << 64 && exact.multiplier.magnitude < 1 << 62 && exact.addend.magnitude < 1 << 124
  }

  /// What one step of the raw value is worth.
  package var factor: Double { fractionBits == 0 ? scale : scale / Double(UInt64(1) << UInt64(fractionBits)) }

  package var isIdentity: Bool { scale == 1 && offset == 0 && fractionBits == 0 }

  /// The same in machine words: value = (raw × multiplier + addend) / divisor; nil where there is no such form.
  package var decimal: (multiplier: Int64, addend: Int64, divisor: Double)? {
    guard let exact, exact.divisor < 1 << 53, let multiplier = Int64(exactly: exact.multiplier),
      let addend = Int64(exactly: exact.addend)
    else { return nil }
    return (multiplier, addend, Double(exact.divisor))
  }

  package enum Scaled: Sendable, Hashable {
    case whole(Int128)
    case fraction(Double)
  }

  /// The engineering value of a raw integer of 64 bits.
  package func value(of raw: Int128) -> Scaled {
    guard let exact else { return .fraction(Double(raw) * factor + offset) }
    let (numerator, overflows) = (raw * exact.multiplier).addingReportingOverflow(exact.addend)
    if overflows { return .fraction(Double(raw) * factor + offset) }
    if exact.divisor == 1 { return .whole(numerator) }
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: exact.divisor)
    return remainder == 0 ? .whole(quotient) : .fraction(Self.quotient(numerator, exact.divisor))
  }

  package func value(of raw: Double) -> Double { isIdentity ? raw : raw * factor + offset }

  /// The double nearest to `numerator` / `divisor`, the divisor being from 1 to 2^64.
  private static func quotient(_ numerator: Int128, _ divisor: Int128) -> Double {
    if numerator.magnitude < 1 << 53, divisor < 1 << 53 { return Double(numerator) / Double(divisor) }
    let shift = numerator.magnitude.leadingZeroBitCount - 1
    let (quotient, remainder) = (numerator.magnitude << UInt128(shift)).quotientAndRemainder(
      dividingBy: divisor.magnitude)
    // 62 bits or more, the last one standing for all that is cut off: rounding to 53 is as of the whole quotient.
    let rounded = Double(remainder == 0 ? quotient : quotient | 1)
    return Double(sign: numerator < 0 ? .minus : .plus, exponent: -shift, significand: rounded)
  }

  /// The raw integer for an engineering value, rounded to the nearest, halves away from zero; nil beyond 2^100.
  package func raw(of value: Int128) -> Int128? {
    exact.flatMap { Self.raw($0, value, over: 1) } ?? inexactRaw(of: Double(value))
  }

  /// As for integers; a value of few decimals counts as just these, 0.15 as 15/100.
  package func raw(of value: Double) -> Int128? {
    if let exact, let fraction = WholeFraction(decimal: value) ?? WholeFraction(binary: value),
      let raw = Self.raw(exact, fraction.numerator, over: fraction.divisor)
    {
      return raw
    }
    return inexactRaw(of: value)
  }

  /// (numerator / divisor − addend / exact.divisor) × exact.divisor / multiplier, rounded; nil where it takes more than
  /// 127 bits.
  private static func raw(_ exact: Exact, _ numerator: Int128, over divisor: Int128) -> Int128? {
    let (product, first) = numerator.multipliedReportingOverflow(by: exact.divisor)
    let (addend, second) = exact.addend.multipliedReportingOverflow(by: divisor)
    let (dividend, third) = product.subtractingReportingOverflow(addend)
    let (factor, fourth) = exact.multiplier.multipliedReportingOverflow(by: divisor)
    guard !first, !second, !third, !fourth, factor.magnitude < 1 << 126 else { return nil }
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: factor)
    guard remainder.magnitude * 2 >= factor.magnitude else { return quotient }
    return quotient + ((dividend < 0) == (factor < 0) ? 1 : -1)
  }

  private func inexactRaw(of value: Double) -> Int128? {
    let raw = (value - offset) / factor
    guard raw.isFinite, abs(raw) < 0x1p100 else { return nil }
    return Int128(raw.rounded())
  }

  package func rawNumber(of value: Double) -> Double { isIdentity ? value : (value - offset) / factor }
}

/// A double as a fraction of whole numbers.
struct WholeFraction: Sendable, Hashable {
  var numerator: Int128
  var divisor: Int128

  /// The decimal fraction that the double is written as, of a numerator below 2^53 and a divisor of 1 to 10^12. Nil for
  /// a number that needs more digits.
  init?(decimal value: Double) {
    var power = 1.0
    for _ in 0...12 {
      let numerator = (value * power).rounded()
      if numerator / power == value, abs(numerator) < 0x1p53 {
        self.numerator = Int128(numerator)
        divisor = Int128(power)
        return
      }
      power *= 10
    }
    return nil
  }

  /// Just what the double holds, over a power of two. Nil where it is 2^100 or above, or has more than 60 bits behind the
  /// point.
  init?(binary value: Double) {
    guard value.isFinite, value.magnitude < 0x1p100 else { return nil }
    var whole = value
    var bits = 0
    while whole.rounded() != whole {
      guard bits < 60 else { return nil }
      whole *= 2
      bits += 1
    }
    numerator = Int128(whole)
    divisor = 1 << Int128(bits)
  }
}
