import DeviceKit
import Documents

/// One row of a register list on its way to a property.
struct PropertyDraft {
  let line: Int
  let label: String
  let place: (table: RegisterTable, address: Int)
  let options: RegisterListImport.Options
  private(set) var remarks: [String] = []

  private var type = RegisterListType(.uint16)
  private var registers = 1
  private var order: RegisterOrder?
  private var bit: Int?
  private var isBoolean = false
  private var unit = ""
  private var scale = 1.0
  private var offset = 0.0
  private var access = RegisterListCells.Access.read
  private var minimum: Double?
  private var maximum: Double?
  private var remark = ""

  init(line: Int, label: String, place: (table: RegisterTable, address: Int), options: RegisterListImport.Options) {
    self.line = line
    self.label = label
    self.place = place
    self.options = options
  }

  private func error(_ message: String) -> DeviceError {
    DeviceError(reason: "InvalidRow", message: message, isPermanent: true)
  }

  // MARK: Reading

  mutating func take(
    _ columns: RegisterListColumns, _ cells: [String], _ address: RegisterListCells.Address
  ) throws(DeviceError) {
    let typeText = columns.text(.type, in: cells)
    let countText = columns.text(.count, in: cells)
    var count = address.last.map { $0 - address.number + 1 }
    if !countText.isEmpty {
      guard let stated = RegisterListCells.decimal(countText.prefix { $0.isNumber }), stated >= 1, stated <= 125 else {
        throw error("'\(countText)' is no number of registers")
      }
      // A length of bytes is told by its type: 4 for an U32.
      let isBytes =
        count == nil && RegisterListType(typeText, count: Int(stated)) == nil
        && RegisterListType(typeText, count: Int(stated) / 2) != nil && Int(stated) % 2 == 0
      count = count ?? (isBytes ? Int(stated) / 2 : Int(stated))
      if isBytes { remarks.append("length \(countText) is taken as bytes") }
    }
    if place.table.holdsBits {
      type = RegisterListType(.bit)
    } else {
      guard let found = RegisterListType(typeText, count: count) else {
        let size = count.map { " over \($0) registers" } ?? ""
        throw error(
          typeText.isEmpty
            ? "no encoding has \(count ?? 1) registers; give the type" : "type '\(typeText)'\(size) is none known")
      }
      type = found
      if typeText.isEmpty { remarks.append("no type: taken as \(found.encoding.rawValue)") }
      try takeBit(columns, cells, address)
    }
    let orderText = columns.text(.order, in: cells)
    order = type.order ?? RegisterListType.order(RegisterListColumns.words(orderText))
    if type.encoding != .string { order = order ?? options.order }
    registers = type.encoding == .string ? type.registers ?? count ?? 0 : type.encoding.registerCount ?? 1
    guard registers > 0 else { throw error("a text needs its number of registers") }
    try takeScale(columns, cells)
    try takeAccess(columns, cells)
    remark = columns.text(.remark, in: cells)
  }

  private mutating func takeBit(
    _ columns: RegisterListColumns, _ cells: [String], _ address: RegisterListCells.Address
  ) throws(DeviceError) {
    bit = address.bit
    let text = columns.text(.bit, in: cells)
    if bit == nil, !text.isEmpty {
      let digits = text.lowercased().filter { $0.isNumber }
      guard let stated = Int(digits), (0...63).contains(stated), !text.contains("-") else {
        throw error("'\(text)' is no single bit")
      }
      bit = stated
    }
    if type.encoding == .bit, bit == nil {
      remarks.append("a boolean of a whole register: true for every number but 0")
    }
    if type.encoding == .bit || bit != nil, !type.encoding.isInteger || type.encoding == .bit || type.encoding.isByte {
      type.encoding = .uint16
      isBoolean = true
    }
    if bit != nil { isBoolean = true }
  }

  private mutating func takeScale(_ columns: RegisterListColumns, _ cells: [String]) throws(DeviceError) {
    let unitText = columns.text(.unit, in: cells)
    let (unitFactor, unitName) = RegisterListCells.unit(unitText)
    if let code = UnitOfMeasure.code(for: unitName) {
      unit = code
    } else if !unitName.isEmpty {
      remarks.append("unit '\(unitName)' is none known and left out")
    }
    for (meaning, isDivisor) in [(RegisterListColumns.Meaning.scale, false), (.gain, true)] {
      let text = columns.text(meaning, in: cells)
      guard !text.isEmpty else { continue }
      // "0.1 V" in the column of the scale.
      let (_, behind) = RegisterListCells.unit(text)
      let number = behind != text ? String(text.dropLast(behind.count)) : text
      guard let factor = RegisterListCells.factor(number), factor != 0 else {
        throw error("scale '\(text)' is no number")
      }
      if unit.isEmpty, behind != text, let code = UnitOfMeasure.code(for: behind) { unit = code }
      scale = isDivisor ? 1 / factor : factor
    }
    if unitFactor != 1 {
      if scale == 1 {
        scale = unitFactor
      } else if scale != unitFactor {
        remarks.append("scale \(scale) and unit '\(unitText)' differ: \(scale) is taken")
      }
    }
    let decimals = columns.text(.decimals, in: cells)
    if !decimals.isEmpty {
      guard let places = Int(decimals), (0...9).contains(places) else {
        throw error("'\(decimals)' is no number of decimals")
      }
      if scale == 1, let factor = RegisterListCells.powerOfTen(-places) { scale = factor }
    }
    let offsetText = columns.text(.offset, in: cells)
    if !offsetText.isEmpty {
      guard let number = RegisterListCells.decimal(offsetText) else {
        throw error("offset '\(offsetText)' is no number")
      }
      offset = number
    }
  }

  private mutating func takeAccess(_ columns: RegisterListColumns, _ cells: [String]) throws(DeviceError) {
    minimum = RegisterListCells.decimal(columns.text(.minimum, in: cells))
    maximum = RegisterListCells.decimal(columns.text(.maximum, in: cells))
    let range = columns.text(.range, in: cells)
    if let (low, high) = RegisterListCells.range(range) {
      (minimum, maximum) = (low, high)
    } else if !range.isEmpty {
      remarks.append("range '\(range)' is not two numbers and left out")
    }
    if let low = minimum, let high = maximum, low >= high {
      remarks.append("minimum \(low) is not below maximum \(high): both are left out")
      (minimum, maximum) = (nil, nil)
    }
    let text = columns.text(.access, in: cells)
    guard !text.isEmpty else { return }
    guard let stated = RegisterListCells.access(text) else { throw error("access '\(text)' is none of R, W and R/W") }
    access = stated
  }

  // MARK: Writing

  private var propertyType: PropertyType {
    if place.table.holdsBits || isBoolean { return .boolean }
    if type.encoding == .string { return .string }
    let isWhole = scale.rounded() == scale && offset.rounded() == offset && !type.encoding.isFloat
    return isWhole && unit.isEmpty ? .integer : .number
  }

  /// The property as a model has it. Throws what ``PropertyBinding`` has against it.
  mutating func property(name: String) throws(DeviceError) -> JSONValue {
    let kind = propertyType
    var binding: JSONValue = ["table": .string(place.table.rawValue), "address": .integer(Int64(place.address))]
    if !place.table.holdsBits {
      binding["encoding"] = .string(type.encoding.rawValue)
      if registers > 1, type.encoding != .string { binding["order"] = .string((order ?? .abcd).rawValue) }
      if type.encoding == .string {
        binding["registers"] = .integer(Int64(registers))
        if let order, order != .abcd { binding["order"] = .string(order.rawValue) }
      }
      if let bit { binding["bit"] = .integer(Int64(bit)) }
      if kind != .boolean, kind != .string {
        if scale != 1 { binding["scale"] = Self.number(scale) }
        if offset != 0 { binding["offset"] = Self.number(offset) }
      }
    }
    if !place.table.isWritable, access != .read {
      remarks.append("table \(place.table.rawValue) cannot be written: access is Read")
      access = .read
    }
    let isNumber = kind == .integer || kind == .number
    if access != .read, isNumber, minimum == nil || maximum == nil {
      guard access == .readWrite else { throw error("a number that is written only needs minimum and maximum") }
      remarks.append("access is Read, since the list has no bounds: add minimum and maximum, then ReadWrite")
      access = .read
    }
    var property: JSONValue = [
      "name": .string(name), "type": .string(kind.rawValue), "poll": ["every": .string(options.every)],
      "modbus": binding,
      "description": .string(Self.shortened(remark.isEmpty || remark == label ? label : "\(label): \(remark)")),
      "access": .string(access == .read ? "Read" : access == .readWrite ? "ReadWrite" : "Write"),
    ]
    if isNumber {
      if !unit.isEmpty { property["unit"] = .string(unit) }
      if let minimum { property["minimum"] = Self.number(minimum) }
      if let maximum { property["maximum"] = Self.number(maximum) }
    }
    if access != .read {
      property["write"] = ["onReconnect": "Hold", "onDrift": "Hold"]
      if isNumber, !type.encoding.isFloat, scale.magnitude != 1 {
        property["write"]?["tolerance"] = Self.number(scale.magnitude / 2)
      }
    }
    try check(property, kind)
    return property
  }

  private func check(_ property: JSONValue, _ kind: PropertyType) throws(DeviceError) {
    let definition = PropertyDefinition(
      name: property["name"]?.string ?? "", type: kind,
      access: access == .read ? .read : access == .readWrite ? .readWrite : .write, minimum: minimum, maximum: maximum,
      binding: property["modbus"] ?? [:])
    let findings = RegisterLint.findings(in: [definition], model: [:])
    if let first = findings.first(where: { $0.severity == .error }) { throw error(first.message) }
  }

  private static func number(_ value: Double) -> JSONValue {
    Int64(exactly: value).map { .integer($0) } ?? .double(value)
  }

  private static func shortened(_ text: String) -> String { text.count <= 200 ? text : String(text.prefix(199)) + "…" }
}

extension RegisterListType {
  init(_ encoding: RegisterEncoding) { self.encoding = encoding }
}
