public import DeviceKit
import Documents

/// Reads and writes one property's value in registers: encoding, order, scale, offset, and what its bits and numbers mean.
public struct RegisterCodec: Sendable, Hashable {
  public let encoding: RegisterEncoding
  public let order: RegisterOrder
  /// The value's type in the twin; of an array that of its elements.
  public let type: PropertyType
  /// How many registers the value takes; of an array each element.
  public let registerCount: Int
  package var transform: DecimalTransform
  /// The bits of the raw integer that are the value; nil: all.
  package var field: BitField?
  /// How many values follow each other and make an array; nil: it is one value.
  package var elements: Int?
  package var text = RegisterText()
  /// Raw values, in as many bits as the field or encoding has, that mean there is none.
  package var notAvailable: [UInt64] = []
  /// Texts for raw integers; the value is one of them.
  package var states: [RegisterState] = []
  /// Names for bits; the value is an array of those that are set, or an object that has all.
  package var flags: [RegisterFlag] = []
  package var scaleFactor: ScaleFactorPlace?

  /// `registers` counts only for strings; `scale` is finite and not 0; `bit`, 0 the lowest, is the only one that counts.
  public init(
    _ encoding: RegisterEncoding, order: RegisterOrder = .abcd, type: PropertyType = .number, scale: Double = 1,
    offset: Double = 0, bit: Int? = nil, registers: Int = 1
  ) {
    self.encoding = encoding
    self.order = order
    self.type = type
    field = bit.map { BitField(from: $0, count: 1) } ?? (encoding.isByte ? BitField(from: 0, count: 8) : nil)
    registerCount = encoding.registerCount ?? registers
    transform = DecimalTransform(scale: scale, offset: offset)
  }

  /// How many registers (or bits, in a table of bits) the whole value takes, an array's elements together.
  public var valueCount: Int { registerCount * (elements ?? 1) }

  /// How many registers ``decode(_:)`` takes: those of the value, and up to that of its scale factor.
  public var readCount: Int {
    guard let scaleFactor else { return valueCount }
    return max(scaleFactor.valueOffset + valueCount, scaleFactor.factorOffset + 1)
  }

  /// The raw integers that the value's bits can hold; nil for floats and strings.
  package var rawRange: ClosedRange<Int128>? {
    guard let field else { return encoding.integerRange }
    return encoding.isSigned && field.count > 1
      ? -(Int128(1) << Int128(field.count - 1))...(Int128(1) << Int128(field.count - 1)) - 1
      : 0...(Int128(1) << Int128(field.count)) - 1
  }

  /// What registers say.
  public enum Decoded: Sendable, Hashable {
    case value(Value)
    /// A value that the property's type cannot hold exactly, or that the model does not know.
    case uncertain(Value, cause: String)
    case bad(cause: String)
  }

  /// The value in `registers`, which has ``readCount`` elements.
  public func decode(_ registers: ArraySlice<UInt16>) -> Decoded {
    guard let scaleFactor else { return decoded(registers, transform) }
    do throws(BadRegisters) {
      let power = try ScaleFactorPlace.power(
        registers[registers.startIndex + scaleFactor.factorOffset], order: order)
      let start = registers.startIndex + scaleFactor.valueOffset
      return decoded(registers[start..<start + valueCount], transform.scaled(byPowerOfTen: power))
    } catch {
      return .bad(cause: error.cause)
    }
  }

  private func decoded(_ registers: ArraySlice<UInt16>, _ transform: DecimalTransform) -> Decoded {
    guard let elements else { return decodedOne(registers, transform) }
    var values: [JSONValue] = []
    values.reserveCapacity(elements)
    var doubt: String?
    for index in 0..<elements {
      let start = registers.startIndex + index * registerCount
      switch decodedOne(registers[start..<start + registerCount], transform) {
      case .value(let value): values.append(value.exactJSON)
      case .uncertain(let value, let cause):
        values.append(value.exactJSON)
        if doubt == nil { doubt = "[\(index)]: \(cause)" }
      case .bad(let cause): return .bad(cause: "[\(index)]: \(cause)")
      }
    }
    let array = Value.object(.array(values))
    return doubt.map { .uncertain(array, cause: $0) } ?? .value(array)
  }

  private func decodedOne(_ registers: ArraySlice<UInt16>, _ transform: DecimalTransform) -> Decoded {
    if encoding == .string {
      do throws(BadRegisters) { return .value(.string(try text.text(of: arranged(registers)))) } catch {
        return .bad(cause: error.cause)
      }
    }
    let word = word(of: registers)
    if !notAvailable.isEmpty {
      let bits = bits(of: word)
      if notAvailable.contains(bits) { return .bad(cause: "not available (\(hexadecimal(bits)))") }
    }
    switch encoding {
    case .float16: return decoded(Double(Float16(bitPattern: UInt16(truncatingIfNeeded: word))), transform)
    case .float32: return decoded(Double(Float(bitPattern: UInt32(truncatingIfNeeded: word))), transform)
    case .float64: return decoded(Double(bitPattern: word), transform)
    case .bcd16, .bcd32, .bcd64:
      guard let number = BinaryCodedDecimal.number(word) else {
        return .bad(cause: "\(hexadecimal(word)) is no BCD number")
      }
      return decoded(number, transform)
    default: return flags.isEmpty ? decoded(raw(of: word), transform) : .value(flags(in: word))
    }
  }

  /// The registers in the protocol's order.
  private func arranged(_ registers: ArraySlice<UInt16>) -> [UInt16] {
    let words = order.swapsBytes ? registers.map(\.byteSwapped) : Array(registers)
    return order.reversesRegisters ? words.reversed() : words
  }

  /// The value's registers put in the protocol's order, as one integer.
  private func word(of registers: ArraySlice<UInt16>) -> UInt64 {
    var word: UInt64 = 0
    let count = registers.count
    let start = registers.startIndex
    for index in 0..<count {
      var register = registers[order.reversesRegisters ? start + count - 1 - index : start + index]
      if order.swapsBytes { register = register.byteSwapped }
      word = word << 16 | UInt64(register)
    }
    return word
  }

  /// The bits of the field, or of the whole value.
  private func bits(of word: UInt64) -> UInt64 {
    guard let field else { return word }
    return word >> UInt64(field.from) & (~0 >> UInt64(64 - field.count))
  }

  /// The raw integer, its sign extended.
  private func raw(of word: UInt64) -> Int128 {
    let bits = bits(of: word)
    let width = field?.count ?? encoding.bitWidth
    guard encoding.isSigned, width > 1, bits >> UInt64(width - 1) & 1 == 1 else { return Int128(bits) }
    return Int128(bits) - Int128(1) << Int128(width)
  }

  private func flags(in word: UInt64) -> Value {
    if type == .object {
      return .object(
        .object(Dictionary(uniqueKeysWithValues: flags.map { ($0.name, .bool(word >> UInt64($0.bit) & 1 == 1)) })))
    }
    return .object(.array(flags.filter { word >> UInt64($0.bit) & 1 == 1 }.map { .string($0.name) }))
  }

  private func decoded(_ raw: Int128, _ transform: DecimalTransform) -> Decoded {
    if !states.isEmpty {
      if let state = states.first(where: { Int128($0.raw) == raw }) { return .value(.string(state.text)) }
      return .uncertain(.string(raw.description), cause: "the model has no state for \(raw)")
    }
    if type == .boolean { return .value(.boolean(raw != 0)) }
    if transform.isIdentity, let small = Int64(exactly: raw) {
      return .value(type == .integer ? .integer(small) : .number(Double(small)))
    }
    switch transform.value(of: raw) {
    case .whole(let value):
      if type == .number { return .value(.number(Double(value))) }
      if let small = Int64(exactly: value) { return .value(.integer(small)) }
      if let large = UInt64(exactly: value) { return .value(.unsigned(large)) }
      return .bad(cause: "\(value) does not fit 64 bits")
    case .fraction(let value): return type == .integer ? rounded(value) : .value(.number(value))
    }
  }

  private func decoded(_ raw: Double, _ transform: DecimalTransform) -> Decoded {
    guard raw.isFinite else { return .bad(cause: raw.isNaN ? "the device reports NaN" : "the device reports infinity") }
    if type == .boolean { return .value(.boolean(raw != 0)) }
    let value = transform.value(of: raw)
    guard value.isFinite else { return .bad(cause: "not a finite number after scaling") }
    switch type {
    case .integer: return rounded(value)
    case .number, .boolean, .string, .object, .array: return .value(.number(value))
    }
  }

  private func rounded(_ value: Double) -> Decoded {
    let whole = value.rounded()
    let result: Value
    if let small = Int64(exactly: whole) {
      result = .integer(small)
    } else if let large = UInt64(exactly: whole) {
      result = .unsigned(large)
    } else {
      return .bad(cause: "\(value) does not fit 64 bits")
    }
    return whole == value ? .value(result) : .uncertain(result, cause: "\(value) is not a whole number")
  }
}

extension RegisterEncoding {
  /// One byte of a register.
  package var isByte: Bool { self == .int8 || self == .uint8 }
}

extension Value {
  /// The value as JSON in memory, where integers above `Int64.max` stay integers.
  var exactJSON: JSONValue {
    if case .unsigned(let value) = self { return .unsigned(value) }
    return json
  }
}
