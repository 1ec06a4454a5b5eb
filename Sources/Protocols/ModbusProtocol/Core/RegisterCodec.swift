public import DeviceKit

/// Reads and writes one property's value in registers: encoding, order, scale, offset and bit.
public struct RegisterCodec: Sendable, Hashable {
  public let encoding: RegisterEncoding
  public let order: RegisterOrder
  /// The value's type in the twin.
  public let type: PropertyType
  /// The bit of the raw integer that is the value, 0 the lowest; nil: the whole.
  public let bit: Int?
  /// How many registers the value takes.
  public let registerCount: Int
  let transform: DecimalTransform

  /// `registers` counts only for strings; `scale` is finite and not 0.
  public init(
    _ encoding: RegisterEncoding, order: RegisterOrder = .abcd, type: PropertyType = .number, scale: Double = 1,
    offset: Double = 0, bit: Int? = nil, registers: Int = 1
  ) {
    self.encoding = encoding
    self.order = order
    self.type = type
    self.bit = bit
    registerCount = encoding.registerCount ?? registers
    transform = DecimalTransform(scale: scale, offset: offset)
  }

  /// What registers say.
  public enum Decoded: Sendable, Hashable {
    case value(Value)
    /// A value that the property's type cannot hold exactly.
    case uncertain(Value, cause: String)
    case bad(cause: String)
  }

  /// The value in `registers`, which has ``registerCount`` elements.
  public func decode(_ registers: ArraySlice<UInt16>) -> Decoded {
    switch encoding {
    case .string: return .value(.string(bytes(of: registers).deviceText))
    case .float32: return decoded(Double(Float(bitPattern: UInt32(truncatingIfNeeded: word(of: registers)))))
    case .float64: return decoded(Double(bitPattern: word(of: registers)))
    case .bit, .uint16, .uint32:
      return decoded(Int64(word(of: registers)))
    case .int16: return decoded(Int64(Int16(truncatingIfNeeded: word(of: registers))))
    case .int32: return decoded(Int64(Int32(truncatingIfNeeded: word(of: registers))))
    case .int64: return decoded(Int64(bitPattern: word(of: registers)))
    case .uint64:
      let raw = word(of: registers)
      if let small = Int64(exactly: raw) { return decoded(small) }
      return decoded(wide: Int128(raw))
    }
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

  private func bytes(of registers: ArraySlice<UInt16>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(registers.count * 2)
    for register in order.reversesRegisters ? Array(registers.reversed())[...] : registers {
      bytes.append(bigEndian: order.swapsBytes ? register.byteSwapped : register)
    }
    return bytes
  }

  private func decoded(_ raw: Int64) -> Decoded {
    if let bit {
      let isSet = raw >> Int64(bit) & 1 == 1
      return .value(
        type == .boolean ? .boolean(isSet) : type == .integer ? .integer(isSet ? 1 : 0) : .number(isSet ? 1 : 0))
    }
    if type == .boolean { return .value(.boolean(raw != 0)) }
    if transform.isIdentity { return .value(type == .integer ? .integer(raw) : .number(Double(raw))) }
    return decoded(wide: Int128(raw))
  }

  private func decoded(wide raw: Int128) -> Decoded {
    if let bit { return decoded(Int64(raw >> Int128(bit) & 1) << Int64(bit)) }
    if type == .boolean { return .value(.boolean(raw != 0)) }
    switch transform.value(of: raw) {
    case .whole(let value):
      if type == .number { return .value(.number(Double(value))) }
      if let small = Int64(exactly: value) { return .value(.integer(small)) }
      if let large = UInt64(exactly: value) { return .value(.unsigned(large)) }
      return .bad(cause: "\(value) does not fit 64 bits")
    case .fraction(let value): return type == .integer ? rounded(value) : .value(.number(value))
    }
  }

  private func decoded(_ raw: Double) -> Decoded {
    guard raw.isFinite else { return .bad(cause: raw.isNaN ? "the device reports NaN" : "the device reports infinity") }
    let value = transform.value(of: raw)
    guard value.isFinite else { return .bad(cause: "not a finite number after scaling") }
    switch type {
    case .boolean: return .value(.boolean(value != 0))
    case .integer: return rounded(value)
    case .number, .string, .object, .array: return .value(.number(value))
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
