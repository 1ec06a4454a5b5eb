/// Engineering value = raw × scale + offset, in whole numbers over a power of ten where both are decimal fractions, so
/// that 253 × 0.1 is 25.3 and integers stay exact.
package struct DecimalTransform: Sendable, Hashable {
  package var scale: Double
  package var offset: Double
  /// value = (raw × multiplier + addend) / divisor; nil where no power of ten up to 10^12 makes both whole.
  private var exact: Exact?

  private struct Exact: Hashable {
    var multiplier: Int128
    var addend: Int128
    var divisor: Int128
  }

  /// `scale` is not 0; both are finite.
  package init(scale: Double = 1, offset: Double = 0) {
    self.scale = scale
    self.offset = offset
    var power = 1.0
    for _ in 0...12 {
      let multiplier = (scale * power).rounded()
      let addend = (offset * power).rounded()
      if multiplier / power == scale, addend / power == offset, abs(multiplier) < 0x1p53, abs(addend) < 0x1p53 {
        exact = Exact(multiplier: Int128(multiplier), addend: Int128(addend), divisor: Int128(power))
        break
      }
      power *= 10
    }
  }

  package var isIdentity: Bool { scale == 1 && offset == 0 }

  /// The same in machine words: value = (raw × multiplier + addend) / divisor; nil where there is no such form.
  package var decimal: (multiplier: Int64, addend: Int64, divisor: Double)? {
    guard let exact, let multiplier = Int64(exactly: exact.multiplier), let addend = Int64(exactly: exact.addend) else {
      return nil
    }
    return (multiplier, addend, Double(exact.divisor))
  }

  package enum Scaled: Sendable, Hashable {
    case whole(Int128)
    case fraction(Double)
  }

  /// The engineering value of a raw integer.
  package func value(of raw: Int128) -> Scaled {
    guard let exact else { return .fraction(Double(raw) * scale + offset) }
    let numerator = raw * exact.multiplier + exact.addend
    if exact.divisor == 1 { return .whole(numerator) }
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: exact.divisor)
    return remainder == 0 ? .whole(quotient) : .fraction(Double(numerator) / Double(exact.divisor))
  }

  package func value(of raw: Double) -> Double { isIdentity ? raw : raw * scale + offset }

  /// The raw integer for an engineering value, rounded to the nearest, halves away from zero; nil beyond 2^100.
  package func raw(of value: Int128) -> Int128? {
    guard let exact else { return raw(of: Double(value)) }
    let numerator = value * exact.divisor - exact.addend
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: exact.multiplier)
    guard remainder.magnitude * 2 >= exact.multiplier.magnitude else { return quotient }
    return quotient + ((numerator < 0) == (exact.multiplier < 0) ? 1 : -1)
  }

  package func raw(of value: Double) -> Int128? {
    let raw: Double
    if let exact {
      raw = (value * Double(exact.divisor) - Double(exact.addend)) / Double(exact.multiplier)
    } else {
      raw = (value - offset) / scale
    }
    guard raw.isFinite, abs(raw) < 0x1p100 else { return nil }
    return Int128(raw.rounded())
  }

  package func rawNumber(of value: Double) -> Double { isIdentity ? value : (value - offset) / scale }
}
