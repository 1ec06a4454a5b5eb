public import DeviceKit

extension RegisterCodec {
  /// The registers that hold `value`: scale and offset undone, rounded to the nearest raw integer, the encoding's range
  /// checked. Throws ``DeviceError`` `InvalidValue` or `OutOfRange`; not for a codec with a `bit`.
  public func encode(_ value: Value) throws(DeviceError) -> [UInt16] {
    switch encoding {
    case .string: return try encode(text: value)
    case .float32:
      let number = Float(try rawNumber(value))
      guard number.isFinite else { throw outOfRange(value) }
      return registers(of: UInt64(number.bitPattern))
    case .float64:
      let number = try rawNumber(value)
      guard number.isFinite else { throw outOfRange(value) }
      return registers(of: number.bitPattern)
    case .bit, .int16, .uint16, .int32, .uint32, .int64, .uint64:
      guard let raw = try rawInteger(value), let range = encoding.integerRange, range.contains(raw) else {
        throw outOfRange(value)
      }
      return registers(of: UInt64(truncatingIfNeeded: raw))
    }
  }

  /// The boolean that `value` is, for coils and bits: `true`, `false`, 0 or 1.
  public func encodeBit(_ value: Value) throws(DeviceError) -> Bool {
    switch value {
    case .boolean(let value): return value
    case .integer(0), .number(0): return false
    case .integer(1), .number(1): return true
    default:
      throw DeviceError(
        reason: "InvalidValue", message: "a bit takes true or false, not \(value.shown)", isPermanent: true)
    }
  }

  private func registers(of word: UInt64) -> [UInt16] {
    var registers: [UInt16] = []
    for index in 0..<registerCount {
      let register = UInt16(truncatingIfNeeded: word >> UInt64(16 * (registerCount - 1 - index)))
      registers.append(order.swapsBytes ? register.byteSwapped : register)
    }
    if order.reversesRegisters { registers.reverse() }
    return registers
  }

  private func rawInteger(_ value: Value) throws(DeviceError) -> Int128? {
    switch value {
    case .boolean(let value): return value ? 1 : 0
    case .integer(let value): return transform.raw(of: Int128(value))
    case .unsigned(let value): return transform.raw(of: Int128(value))
    case .number(let value): return transform.raw(of: value)
    case .string, .object: throw notNumber(value)
    }
  }

  private func rawNumber(_ value: Value) throws(DeviceError) -> Double {
    if case .boolean(let value) = value { return value ? 1 : 0 }
    guard let number = value.number else { throw notNumber(value) }
    return transform.rawNumber(of: number)
  }

  private func encode(text value: Value) throws(DeviceError) -> [UInt16] {
    guard case .string(let text) = value else {
      throw DeviceError(reason: "InvalidValue", message: "a string is wanted, not \(value.shown)", isPermanent: true)
    }
    var bytes = Array(text.utf8)
    guard bytes.count <= registerCount * 2 else {
      throw DeviceError(
        reason: "OutOfRange",
        message: "the text has \(bytes.count) bytes, its \(registerCount) registers hold \(registerCount * 2)",
        isPermanent: true)
    }
    bytes += [UInt8](repeating: 0, count: registerCount * 2 - bytes.count)
    var registers = (0..<registerCount).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    if order.swapsBytes { registers = registers.map(\.byteSwapped) }
    if order.reversesRegisters { registers.reverse() }
    return registers
  }

  private func notNumber(_ value: Value) -> DeviceError {
    DeviceError(reason: "InvalidValue", message: "a number is wanted, not \(value.shown)", isPermanent: true)
  }

  private func outOfRange(_ value: Value) -> DeviceError {
    var message = "\(value.shown) does not fit \(encoding.rawValue)"
    if let range = encoding.integerRange, !transform.isIdentity {
      message +=
        " after undoing scale \(transform.scale) and offset \(transform.offset) (raw \(range.lowerBound) to \(range.upperBound))"
    } else if let range = encoding.integerRange {
      message += " (\(range.lowerBound) to \(range.upperBound))"
    }
    return DeviceError(reason: "OutOfRange", message: message, isPermanent: true)
  }
}

extension Value {
  /// The value as a message shows it.
  var shown: String {
    switch self {
    case .boolean(let value): value.description
    case .integer(let value): value.description
    case .unsigned(let value): value.description
    case .number(let value): value.description
    case .string(let value): "\"\(value)\""
    case .object: "an object"
    }
  }
}
