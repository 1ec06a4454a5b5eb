public import DeviceKit
import Documents

extension RegisterCodec {
  /// The registers that hold `value`: scale and offset undone, rounded to the nearest raw integer, the encoding's range
  /// checked. `power` is what the scale factor's register holds, for a codec that has one. Throws ``DeviceError``
  /// `InvalidValue` or `OutOfRange`; not for a codec that ``isMasked``.
  public func encode(_ value: Value, power: Int = 0) throws(DeviceError) -> [UInt16] {
    let transform = transform.scaled(byPowerOfTen: power)
    guard elements != nil else { return try encoded(value, transform) }
    var registers: [UInt16] = []
    for (index, element) in try elementValues(value).enumerated() {
      do { registers += try encoded(element, transform) } catch {
        throw DeviceError(reason: error.reason, message: "[\(index)]: \(error.message)", isPermanent: true)
      }
    }
    return registers
  }

  /// Whether a write leaves bits of the value's registers as they are.
  package var isMasked: Bool { field != nil || !flags.isEmpty }

  /// The bits of its registers that are the value's.
  package var masks: [UInt16] {
    if let field { return registers(of: (~0 >> UInt64(64 - field.count)) << UInt64(field.from)) }
    if !flags.isEmpty { return registers(of: flags.reduce(UInt64(0)) { $0 | 1 << UInt64($1.bit) }) }
    return [UInt16](repeating: .max, count: valueCount)
  }

  /// For a codec that ``isMasked``: what `value` makes of the bits in ``masks``, all others being 0.
  package func encodeMasked(_ value: Value) throws(DeviceError) -> [UInt16] {
    guard let field else {
      let names = try flagNames(value)
      return registers(of: flags.reduce(UInt64(0)) { names.contains($1.name) ? $0 | 1 << UInt64($1.bit) : $0 })
    }
    let raw: Int128
    if type == .boolean || (field.count == 1 && states.isEmpty) {
      raw = try encodeBit(value) ? 1 : 0
    } else {
      raw = try encodedRaw(value, transform)
    }
    return registers(of: (UInt64(truncatingIfNeeded: raw) & (~0 >> UInt64(64 - field.count))) << UInt64(field.from))
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

  /// The booleans for consecutive coils.
  package func encodeBits(_ value: Value) throws(DeviceError) -> [Bool] {
    guard elements != nil else { return [try encodeBit(value)] }
    var bits: [Bool] = []
    for element in try elementValues(value) { bits.append(try encodeBit(element)) }
    return bits
  }

  /// The elements of an array of the right length.
  package func elementValues(_ value: Value) throws(DeviceError) -> [Value] {
    guard case .object(.array(let items)) = value, items.count == elements else {
      throw DeviceError(
        reason: "InvalidValue", message: "an array of \(elements ?? 1) elements is wanted, not \(value.shown)",
        isPermanent: true)
    }
    var values: [Value] = []
    for item in items {
      guard let element = Value(item, as: type) else {
        throw DeviceError(
          reason: "InvalidValue", message: "[\(values.count)]: \(item) is of another type than \(type.rawValue)",
          isPermanent: true)
      }
      values.append(element)
    }
    return values
  }

  private func encoded(_ value: Value, _ transform: DecimalTransform) throws(DeviceError) -> [UInt16] {
    let word: UInt64
    switch encoding {
    case .string: return try encoded(text: value)
    case .float16:
      let number = Float16(try rawNumber(value, transform))
      guard number.isFinite else { throw outOfRange(value, transform) }
      word = UInt64(number.bitPattern)
    case .float32:
      let number = Float(try rawNumber(value, transform))
      guard number.isFinite else { throw outOfRange(value, transform) }
      word = UInt64(number.bitPattern)
    case .float64:
      let number = try rawNumber(value, transform)
      guard number.isFinite else { throw outOfRange(value, transform) }
      word = number.bitPattern
    case .bcd16, .bcd32, .bcd64: word = BinaryCodedDecimal.word(try encodedRaw(value, transform))
    default: word = UInt64(truncatingIfNeeded: try encodedRaw(value, transform))
    }
    return registers(of: word)
  }

  /// The raw integer in the range of the field or encoding.
  private func encodedRaw(_ value: Value, _ transform: DecimalTransform) throws(DeviceError) -> Int128 {
    guard let raw = try rawInteger(value, transform), let range = rawRange, range.contains(raw) else {
      throw outOfRange(value, transform)
    }
    if !notAvailable.isEmpty, !encoding.isBCD {
      let bits = UInt64(truncatingIfNeeded: raw) & (~0 >> UInt64(64 - (field?.count ?? encoding.bitWidth)))
      guard !notAvailable.contains(bits) else {
        throw DeviceError(
          reason: "OutOfRange",
          message: "\(value.shown) would be written as \(hexadecimal(bits)), which means no value",
          isPermanent: true)
      }
    }
    return raw
  }

  /// The registers of one value, as the order has them.
  func registers(of word: UInt64) -> [UInt16] {
    if registerCount == 1 {
      let register = UInt16(truncatingIfNeeded: word)
      return [order.swapsBytes ? register.byteSwapped : register]
    }
    var registers: [UInt16] = []
    registers.reserveCapacity(registerCount)
    for index in 0..<registerCount {
      let register = UInt16(truncatingIfNeeded: word >> UInt64(16 * (registerCount - 1 - index)))
      registers.append(order.swapsBytes ? register.byteSwapped : register)
    }
    if order.reversesRegisters { registers.reverse() }
    return registers
  }

  private func rawInteger(_ value: Value, _ transform: DecimalTransform) throws(DeviceError) -> Int128? {
    if !states.isEmpty {
      guard case .string(let text) = value, let state = states.first(where: { $0.text == text }) else {
        throw DeviceError(
          reason: "InvalidValue",
          message: "\(value.shown) is none of the states \(states.map(\.text).joined(separator: ", "))",
          isPermanent: true)
      }
      return Int128(state.raw)
    }
    switch value {
    case .boolean(let value): return value ? 1 : 0
    case .integer(let value): return transform.isIdentity ? Int128(value) : transform.raw(of: Int128(value))
    case .unsigned(let value): return transform.raw(of: Int128(value))
    case .number(let value): return transform.raw(of: value)
    case .string, .object: throw notNumber(value)
    }
  }

  private func rawNumber(_ value: Value, _ transform: DecimalTransform) throws(DeviceError) -> Double {
    if case .boolean(let value) = value { return value ? 1 : 0 }
    guard let number = value.number else { throw notNumber(value) }
    return transform.rawNumber(of: number)
  }

  private func encoded(text value: Value) throws(DeviceError) -> [UInt16] {
    guard case .string(let string) = value else {
      throw DeviceError(reason: "InvalidValue", message: "a string is wanted, not \(value.shown)", isPermanent: true)
    }
    var registers = try text.registers(of: string, count: registerCount)
    if order.swapsBytes { registers = registers.map(\.byteSwapped) }
    if order.reversesRegisters { registers.reverse() }
    return registers
  }

  /// The names of the flags that `value` sets. An object says of each whether it is set.
  private func flagNames(_ value: Value) throws(DeviceError) -> Set<String> {
    let known = Set(flags.map(\.name))
    switch value {
    case .object(.array(let items)) where type != .object:
      let names = items.compactMap(\.string)
      guard names.count == items.count, known.isSuperset(of: names) else { break }
      return Set(names)
    case .object(.object(let members)) where type == .object:
      guard Set(members.keys) == known, members.values.allSatisfy({ $0.bool != nil }) else { break }
      return Set(members.filter { $0.value == true }.keys)
    default: break
    }
    let names = flags.map(\.name).joined(separator: ", ")
    throw DeviceError(
      reason: "InvalidValue",
      message: type == .object
        ? "an object with true or false for each of \(names) is wanted" : "an array of some of \(names) is wanted",
      isPermanent: true)
  }

  private func notNumber(_ value: Value) -> DeviceError {
    DeviceError(reason: "InvalidValue", message: "a number is wanted, not \(value.shown)", isPermanent: true)
  }

  private func outOfRange(_ value: Value, _ transform: DecimalTransform) -> DeviceError {
    var message = "\(value.shown) does not fit "
    if let field, !encoding.isByte {
      message += "\(field.count) \(field.count == 1 ? "bit" : "bits")"
    } else {
      message += encoding.rawValue
    }
    if let range = rawRange, !transform.isIdentity {
      message +=
        " after undoing scale \(transform.factor) and offset \(transform.offset) (raw \(range.lowerBound) to \(range.upperBound))"
    } else if let range = rawRange {
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
    case .object(.array(let elements)): "an array of \(elements.count)"
    case .object: "an object"
    }
  }
}
