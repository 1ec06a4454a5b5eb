public import DeviceKit
import Documents

/// Where and how a property lies in a device: the model's `modbus:` fragment, checked.
public struct PropertyBinding: Sendable, Hashable {
  public var property: PropertyDefinition
  public var point: PointID
  public var table: RegisterTable
  /// Zero-based.
  public var address: UInt16
  public var codec: RegisterCodec
  /// How long a coil that is set stays set; nil: until it is written again.
  public var pulse: Duration?

  /// How many addresses of its table the value takes.
  public var length: Int { table.holdsBits ? 1 : codec.registerCount }

  /// Reads `property.binding`. Throws a permanent ``DeviceError`` `InvalidBinding` that names the property and field.
  public init(_ property: PropertyDefinition, point: PointID) throws(DeviceError) {
    let fields = BindingFields(property: property.name, values: property.binding)
    (table, address) = try fields.location()
    codec = try fields.codec(table: table, type: property.type)
    pulse = try fields.pulse(table: table, access: property.access)
    self.property = property
    self.point = point
    guard Int(address) + length <= 65_536 else {
      throw fields.error("address", "\(address) + \(length) registers lead past 65535")
    }
  }
}

/// The fragment's fields, read one by one.
private struct BindingFields {
  let property: String
  let values: JSONValue

  func error(_ field: String, _ message: String) -> DeviceError {
    DeviceError(
      reason: "InvalidBinding", message: "property '\(property)': modbus.\(field): \(message)", isPermanent: true)
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ field: String, _ type: Choice.Type
  ) throws(DeviceError) -> Choice? {
    guard let value = values[field] else { return nil }
    guard let text = value.string, let choice = Choice(rawValue: text) else {
      throw error(field, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  private func whole(_ field: String, _ range: ClosedRange<Int>) throws(DeviceError) -> Int? {
    guard let value = values[field] else { return nil }
    guard let number = value.int, range.contains(number) else {
      throw error(field, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func number(_ field: String) throws(DeviceError) -> Double? {
    guard let value = values[field] else { return nil }
    guard let number = value.number, number.isFinite else { throw error(field, "must be a number") }
    return number
  }

  func pulse(table: RegisterTable, access: PropertyDefinition.Access) throws(DeviceError) -> Duration? {
    guard let value = values["pulse"] else { return nil }
    guard let length = value.string.flatMap({ Duration(manifest: $0) }), length > .zero, length <= .seconds(60) else {
      throw error("pulse", "must be a duration above zero and of at most 60s, such as 500ms")
    }
    guard table == .coil, access == .write else {
      throw error("pulse", "is for coils whose access is Write: nobody could read back what ends by itself")
    }
    return length
  }

  func location() throws(DeviceError) -> (RegisterTable, UInt16) {
    let table = try choice("table", RegisterTable.self)
    let address = try whole("address", 0...65_535)
    guard let register = try whole("register", 1...465_536) else {
      guard let table else { throw error("table", "is needed with `address` (or give `register: 40001`)") }
      guard let address else { throw error("address", "or `register` is needed") }
      return (table, UInt16(address))
    }
    guard address == nil else { throw error("register", "and `address` say the same: give one of them") }
    guard let place = ModiconRegister(register) else {
      throw error(
        "register", "\(register) is no Modicon number: 1-9999, 10001-19999, 30001-39999, 40001-49999, or six digits")
    }
    guard table == nil || table == place.table else {
      throw error("register", "\(register) lies in table \(place.table.rawValue), not \(table?.rawValue ?? "")")
    }
    return (place.table, place.address)
  }

  func codec(table: RegisterTable, type: PropertyType) throws(DeviceError) -> RegisterCodec {
    let given = try choice("encoding", RegisterEncoding.self)
    let order = try choice("order", RegisterOrder.self) ?? .abcd
    let scale = try number("scale") ?? 1
    guard scale != 0 else { throw error("scale", "must not be 0") }
    let offset = try number("offset") ?? 0
    let registers = try whole("registers", 1...125)
    guard type != .object, type != .array else {
      throw error("encoding", "no encoding gives a property of type \(type.rawValue)")
    }
    if table.holdsBits {
      guard given == nil || given == .bit else {
        throw error("encoding", "table \(table.rawValue) holds bits: only bit")
      }
      for field in ["bit", "registers", "scale", "offset", "order"] where values[field] != nil {
        throw error(field, "has no meaning in table \(table.rawValue), which holds single bits")
      }
      guard type == .boolean || type == .integer else {
        throw error("table", "a bit gives a boolean or an integer, the property is of type \(type.rawValue)")
      }
      return RegisterCodec(.bit, type: type, bit: 0)
    }
    let encoding = given ?? .uint16
    guard (encoding == .string) == (type == .string) else {
      throw error("encoding", "\(encoding.rawValue) does not give a property of type \(type.rawValue)")
    }
    let bit = try whole("bit", 0...63)
    if let bit {
      guard let range = encoding.integerRange else { throw error("bit", "needs an integer encoding") }
      let width = encoding == .bit ? 16 : (encoding.registerCount ?? 1) * 16
      guard bit < width else {
        throw error("bit", "\(bit) is beyond \(encoding.rawValue), \(range.upperBound) at most")
      }
      guard type == .boolean || type == .integer else {
        throw error("bit", "gives a boolean or an integer, the property is of type \(type.rawValue)")
      }
      guard scale == 1, offset == 0 else { throw error("scale", "and offset have no meaning for a single bit") }
    } else if encoding == .bit {
      throw error("bit", "is needed: encoding bit in a register means one of its bits, 0 to 15")
    }
    if encoding == .string {
      guard registers != nil else { throw error("registers", "is needed for a string") }
    } else if let registers, let fixed = encoding.registerCount, registers != fixed {
      throw error("registers", "\(encoding.rawValue) takes \(fixed), not \(registers)")
    }
    return RegisterCodec(
      encoding == .bit ? .uint16 : encoding, order: order, type: type, scale: scale, offset: offset, bit: bit,
      registers: registers ?? 1)
  }
}

/// A register number as Modicon manuals write it: the table's digit, then four or five digits counted from 1.
public struct ModiconRegister: Sendable, Hashable {
  public var table: RegisterTable
  /// Zero-based.
  public var address: UInt16

  /// Nil for a number in no table. A coil's leading 0 is lost in an integer: 1 to 9999 are coils.
  public init?(_ number: Int) {
    for table in RegisterTable.allCases {
      for (base, count) in [(table.modiconDigit * 10_000, 9_999), (table.modiconDigit * 100_000, 65_536)] {
        if table == .coil, base == 0, count == 65_536 { continue }
        guard (base + 1...base + count).contains(number) else { continue }
        self.table = table
        address = UInt16(number - base - 1)
        return
      }
    }
    return nil
  }
}
