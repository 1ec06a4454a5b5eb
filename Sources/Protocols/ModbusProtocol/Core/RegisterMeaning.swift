/// Consecutive bits of a raw integer, counted from the lowest, 0.
package struct BitField: Sendable, Hashable {
  package var from: Int
  package var count: Int
  package init(from: Int, count: Int) {
    self.from = from
    self.count = count
  }
}

/// The text that stands for a raw integer.
package struct RegisterState: Sendable, Hashable {
  package var raw: Int64
  package var text: String
  package init(raw: Int64, text: String) {
    self.raw = raw
    self.text = text
  }
}

/// The name of a bit of a raw integer.
package struct RegisterFlag: Sendable, Hashable {
  package var bit: Int
  package var name: String
  package init(bit: Int, name: String) {
    self.bit = bit
    self.name = name
  }
}

/// Where a value and the register of its scale factor lie in what is read of them together. The factor is a power of ten
/// (SunSpec Device Information Model Specification, section 5.3.5, type sunssf).
package struct ScaleFactorPlace: Sendable, Hashable {
  package var address: UInt16
  /// The value's first register, and the factor's, counted from the lower of the two.
  package var valueOffset: Int
  package var factorOffset: Int

  package init(address: UInt16, valueAddress: UInt16) {
    self.address = address
    let start = min(address, valueAddress)
    valueOffset = Int(valueAddress - start)
    factorOffset = Int(address - start)
  }

  /// The power of ten that the register holds. Throws what is wrong with one beyond -10 to 10, 0x8000 among them.
  package static func power(_ register: UInt16, order: RegisterOrder) throws(BadRegisters) -> Int {
    let power = Int(Int16(bitPattern: order.swapsBytes ? register.byteSwapped : register))
    if power == Int(Int16.min) { throw BadRegisters("the scale factor is not available (0x8000)") }
    guard (-10...10).contains(power) else { throw BadRegisters("the scale factor \(power) is outside -10 to 10") }
    return power
  }
}

/// Why registers hold no usable value.
package struct BadRegisters: Error {
  package let cause: String
  package init(_ cause: String) { self.cause = cause }
}

extension RegisterEncoding {
  /// The raw bits that mean "not implemented" by SunSpec (Device Information Model Specification, section 5.3); NaN does
  /// in a float, and nothing in BCD. Nil where the standard has none.
  package var sunSpecNotImplemented: UInt64? {
    switch self {
    case .int16, .int32, .int64: 1 << UInt64(bitWidth - 1)
    case .uint16, .uint32, .uint64: ~0 >> UInt64(64 - bitWidth)
    case .float32: 0x7FC0_0000
    case .float64: 0x7FF8_0000_0000_0000
    case .bit, .int8, .uint8, .float16, .bcd16, .bcd32, .bcd64, .string: nil
    }
  }
}

/// Packed binary-coded decimals.
enum BinaryCodedDecimal {
  /// Nil where four bits hold more than 9.
  static func number(_ word: UInt64) -> Int128? {
    var number: Int128 = 0
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = word >> UInt64(shift) & 15
      guard digit <= 9 else { return nil }
      number = number * 10 + Int128(digit)
    }
    return number
  }

  /// `number` is from 0 to 10^16 - 1.
  static func word(_ number: Int128) -> UInt64 {
    var word: UInt64 = 0
    var rest = number
    for shift in stride(from: 0, through: 60, by: 4) {
      word |= UInt64(truncatingIfNeeded: rest % 10) << UInt64(shift)
      rest /= 10
    }
    return word
  }
}
