/// A unit of measure, in the case-sensitive spelling of UCUM (The Unified Code for Units of Measure, ucum.org): `kW`,
/// `m3/h`, `[degF]`, `kW.h`. A dialect's spellings that are in wide use and clear are taken as well (`°C`, `kWh`, `psi`).
package struct Unit: Sendable, Hashable {
  /// Exponents of metre, gram, second, kelvin, ampere, mole, candela, radian, and of things counted or digital (bit).
  package struct Dimension: Sendable, Hashable {
    var exponents: [Int8]
    static let none = Dimension(exponents: [Int8](repeating: 0, count: 9))

    init(exponents: [Int8]) { self.exponents = exponents }

    func adding(_ other: Dimension, times: Int) -> Dimension {
      var sum = self
      for place in exponents.indices {
        sum.exponents[place] = Int8(clamping: Int(exponents[place]) + Int(other.exponents[place]) * times)
      }
      return sum
    }
  }

  package var dimension: Dimension
  /// A figure x in this unit is x × factor + offset in the base units of its dimension.
  package var factor: Double
  package var offset: Double

  init(_ dimension: Dimension, factor: Double, offset: Double = 0) {
    self.dimension = dimension
    self.factor = factor
    self.offset = offset
  }

  /// How figures in this unit become such in `other`: y = x × factor + offset. Nil where they measure different things.
  package func conversion(to other: Unit) -> (factor: Double, offset: Double)? {
    guard dimension == other.dimension else { return nil }
    return (factor / other.factor, (offset - other.offset) / other.factor)
  }
}
