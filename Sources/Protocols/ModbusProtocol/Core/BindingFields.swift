import DeviceKit
import Documents

/// The fields of a property's `modbus:` fragment, read one by one; every method throws a permanent ``DeviceError``
/// `InvalidBinding` that names the property and the field.
struct BindingFields {
  let property: PropertyDefinition
  /// Where the fields stand, for messages; nil: in a model.
  var place: String?
  var values: JSONValue { property.binding }

  func error(_ field: String, _ message: String) -> DeviceError {
    DeviceError(
      reason: "InvalidBinding", message: "\(place ?? "property '\(property.name)': modbus").\(field): \(message)",
      isPermanent: true)
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ field: String, _ type: Choice.Type, in values: JSONValue? = nil, under: String = ""
  ) throws(DeviceError) -> Choice? {
    guard let value = (values ?? self.values)[field] else { return nil }
    guard let text = value.string, let choice = Choice(rawValue: text) else {
      throw error(under + field, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  func whole(
    _ field: String, _ range: ClosedRange<Int>, in values: JSONValue? = nil, under: String = ""
  ) throws(DeviceError) -> Int? {
    guard let value = (values ?? self.values)[field] else { return nil }
    guard let number = value.int, range.contains(number) else {
      throw error(under + field, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func number(_ field: String) throws(DeviceError) -> Double? {
    guard let value = values[field] else { return nil }
    guard let number = value.number, number.isFinite else { throw error(field, "must be a number") }
    return number
  }

  func pulse(table: RegisterTable) throws(DeviceError) -> Duration? {
    guard let value = values["pulse"] else { return nil }
    guard let length = value.string.flatMap({ Duration(manifest: $0) }), length > .zero, length <= .seconds(60) else {
      throw error("pulse", "must be a duration above zero and of at most 60s, such as 500ms")
    }
    guard table == .coil, property.access == .write, values["count"] == nil else {
      throw error("pulse", "is for single coils whose access is Write: nobody could read back what ends by itself")
    }
    return length
  }

  /// Table and zero-based address, of the property or of the fragment `values` below it.
  func location(
    in values: JSONValue? = nil, under: String = "", table implied: RegisterTable? = nil
  ) throws(DeviceError) -> (RegisterTable, UInt16) {
    let table = try choice("table", RegisterTable.self, in: values, under: under) ?? implied
    let address = try whole("address", 0...65_535, in: values, under: under)
    guard let register = try whole("register", 1...465_536, in: values, under: under) else {
      guard let table else { throw error(under + "table", "is needed with `address` (or give `register: 40001`)") }
      guard let address else { throw error(under + "address", "or `register` is needed") }
      return (table, UInt16(address))
    }
    guard address == nil else { throw error(under + "register", "and `address` say the same: give one of them") }
    guard let place = ModiconRegister(register) else {
      throw error(
        under + "register",
        "\(register) is no Modicon number: 1-9999, 10001-19999, 30001-39999, 40001-49999, or six digits")
    }
    guard table == nil || table == place.table else {
      throw error(under + "register", "\(register) lies in table \(place.table.rawValue), not \(table?.rawValue ?? "")")
    }
    return (place.table, place.address)
  }

  // MARK: Tables of bits

  private static let registerFields = [
    "bit", "bits", "byte", "registers", "scale", "offset", "order", "fractionBits", "scaleFrom", "notAvailable",
    "states",
    "flags", "text",
  ]

  func bitCodec(table: RegisterTable) throws(DeviceError) -> RegisterCodec {
    let given = try choice("encoding", RegisterEncoding.self)
    guard given == nil || given == .bit else {
      throw error("encoding", "table \(table.rawValue) holds bits: only bit")
    }
    for field in Self.registerFields where values[field] != nil {
      throw error(field, "has no meaning in table \(table.rawValue), which holds single bits")
    }
    let elements = try elementCount()
    let type = elements == nil ? property.type : property.items ?? .boolean
    guard type == .boolean || type == .integer else {
      throw error("table", "a bit gives a boolean or an integer, the property is of type \(type.rawValue)")
    }
    var codec = RegisterCodec(.bit, type: type)
    codec.elements = elements
    return codec
  }

  /// The length of an array that is not made of flags; nil for a single value.
  private func elementCount() throws(DeviceError) -> Int? {
    let count = try whole("count", 1...2000)
    if values["flags"] != nil {
      guard count == nil else { throw error("count", "and flags exclude each other: flags are of one value") }
      return nil
    }
    guard (count != nil) == (property.type == .array) else {
      throw error(
        "count",
        count == nil
          ? "or flags are needed, since the property is an array"
          : "makes an array, the property is of type \(property.type.rawValue)")
    }
    return count
  }

  // MARK: Tables of registers

  func registerCodec() throws(DeviceError) -> RegisterCodec {
    let given = try choice("encoding", RegisterEncoding.self) ?? .uint16
    let encoding = given == .bit ? .uint16 : given
    let elements = try elementCount()
    let type = try valueType(encoding, elements: elements)
    let scale = try number("scale") ?? 1
    guard scale != 0 else { throw error("scale", "must not be 0") }
    let registers = try whole("registers", 1...125)
    if encoding == .string {
      guard registers != nil else { throw error("registers", "is needed for a string") }
    } else if let registers, let fixed = encoding.registerCount, registers != fixed {
      throw error("registers", "\(encoding.rawValue) takes \(fixed), not \(registers)")
    }
    var codec = RegisterCodec(
      encoding, order: try choice("order", RegisterOrder.self) ?? .abcd, type: type, scale: scale,
      offset: try number("offset") ?? 0, registers: registers ?? 1)
    codec.elements = elements
    if let fractionBits = try whole("fractionBits", 1...62) {
      guard encoding.isInteger, type == .number else {
        throw error("fractionBits", "needs an integer encoding and a property of type number")
      }
      codec.transform = DecimalTransform(
        scale: scale, offset: codec.transform.offset, fractionBits: fractionBits)
    }
    codec.field = try field(encoding, isBit: given == .bit, type)
    if values["bit"] != nil, !codec.transform.isIdentity {
      throw error("scale", "and offset have no meaning for a single bit")
    }
    if codec.field != nil, elements != nil { throw error("count", "goes with whole registers only") }
    codec.states = try states(codec)
    codec.flags = try flags(encoding)
    codec.text = try text(encoding)
    (codec.notAvailable, codec.text.isEmptyNotAvailable) = try notAvailable(codec)
    if values["scaleFrom"] != nil, type != .number || encoding.isFloat || codec.field != nil {
      throw error("scaleFrom", "needs an encoding of whole registers, no float, and a property of type number")
    }
    if !codec.transform.isIdentity || values["scaleFrom"] != nil, !codec.states.isEmpty || !codec.flags.isEmpty {
      throw error("scale", "and offset have no meaning for states and flags")
    }
    return codec
  }

  /// The type that the encoding has to give: of an array's elements, of states the integer's.
  private func valueType(_ encoding: RegisterEncoding, elements: Int?) throws(DeviceError) -> PropertyType {
    var type = property.type
    if elements != nil {
      let isFraction =
        values["scale"] != nil || values["offset"] != nil || values["fractionBits"] != nil
        || values["scaleFrom"] != nil
      let natural: PropertyType =
        encoding == .string || values["states"] != nil ? .string : encoding.isFloat || isFraction ? .number : .integer
      type = property.items ?? natural
    }
    if values["flags"] != nil {
      guard type == .object || type == .array && (property.items ?? .string) == .string else {
        throw error("flags", "give an array of strings or an object, the property is of type \(type.rawValue)")
      }
      return type
    }
    if values["states"] != nil {
      guard type == .string else { throw error("states", "give strings, the property is of type \(type.rawValue)") }
      return type
    }
    guard type != .object, type != .array else {
      throw error("encoding", "no encoding gives a property of type \(type.rawValue); flags do")
    }
    guard (encoding == .string) == (type == .string) else {
      throw error(
        "encoding",
        "\(encoding.rawValue) does not give a property of type \(type.rawValue)\(type == .string ? "; states do" : "")")
    }
    return type
  }

  /// The bits that are the value: `bit`, `bits`, or a byte.
  private func field(_ encoding: RegisterEncoding, isBit: Bool, _ type: PropertyType) throws(DeviceError) -> BitField? {
    let width = (encoding.registerCount ?? 1) * 16
    enum Byte: String, CaseIterable { case low = "Low", high = "High" }
    let byte = try choice("byte", Byte.self)
    if encoding.isByte {
      for field in ["bit", "bits"] where values[field] != nil {
        throw error(field, "goes with whole registers: take an encoding of 16 bits")
      }
      return BitField(from: byte == .high ? 8 : 0, count: 8)
    }
    guard byte == nil else { throw error("byte", "goes with the encodings int8 and uint8") }
    let bit = try whole("bit", 0...63)
    if values["bits"] != nil || bit != nil, !encoding.isInteger {
      throw error(bit == nil ? "bits" : "bit", "needs an integer encoding")
    }
    if let bits = values["bits"] {
      guard bit == nil, !isBit else { throw error("bits", "and bit exclude each other: give one of them") }
      guard let from = try whole("from", 0...63, in: bits, under: "bits."),
        let count = try whole("count", 1...64, in: bits, under: "bits.")
      else { throw error("bits", "needs from, the lowest bit, and count") }
      guard from + count <= width else {
        throw error("bits", "from \(from) and count \(count) lead beyond \(encoding.rawValue), which has \(width) bits")
      }
      return BitField(from: from, count: count)
    }
    guard let bit else {
      if isBit { throw error("bit", "is needed: encoding bit in a register means one of its bits, 0 to 15") }
      return nil
    }
    guard bit < width else { throw error("bit", "\(bit) is beyond \(encoding.rawValue), \(width - 1) at most") }
    guard type == .boolean || type == .integer else {
      throw error("bit", "gives a boolean or an integer, the property is of type \(type.rawValue)")
    }
    return BitField(from: bit, count: 1)
  }
}
