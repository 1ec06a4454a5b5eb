public import DeviceKit
public import Documents

/// Makes a DeviceModel of a maker's register list.
public struct RegisterListImport: Sendable {
  public struct Options: Sendable {
    /// The model's metadata.name.
    public var name: String
    public var manufacturer: String
    /// The maker's name for the device.
    public var model: String
    /// What the list's first register has for a number: 0 or 1; nil: by what the list looks like.
    public var base: Int?
    /// Of values over several registers where the list says nothing; nil: ABCD, and a remark.
    public var order: RegisterOrder?
    /// Of addresses that say no table.
    public var table = RegisterTable.holding
    /// The period of reading.
    public var every = "10s"
    public init(
      name: String, manufacturer: String = "", model: String = "", base: Int? = nil, order: RegisterOrder? = nil
    ) {
      self.name = name
      self.manufacturer = manufacturer
      self.model = model
      self.base = base
      self.order = order
    }
  }

  /// Something to know of a line of the list.
  public struct Remark: Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1; 0 for the list as a whole.
    public var line: Int
    /// Whether the line gave no property.
    public var isLeftOut: Bool
    public var message: String
    public var description: String {
      (line > 0 ? "line \(line): " : "") + (isLeftOut ? "left out: " : "") + message
    }
  }

  /// The model's properties as its spec has them, in the list's order.
  public private(set) var properties: [JSONValue] = []
  public private(set) var remarks: [Remark] = []
  /// Rows below the heading that name an address.
  public private(set) var rowCount = 0

  private let options: Options
  private var names: Set<String> = []

  /// Reads a list of comma-separated values, with any of `,`, `;`, tab and `|` as separator. Throws ``DeviceError``
  /// `InvalidList` where no row is a heading with an address.
  public init(_ bytes: [UInt8], _ options: Options) throws(DeviceError) {
    self.options = options
    let table = CSVTable(bytes)
    if let line = table.openQuote {
      remark(0, "the quote on line \(line) is never closed: the rest was read as one cell")
    }
    var heading: (index: Int, columns: RegisterListColumns)?
    for (index, row) in table.rows.prefix(40).enumerated() where heading == nil {
      if let columns = RegisterListColumns(row.cells) { heading = (index, columns) }
    }
    guard let (index, columns) = heading else {
      throw DeviceError(
        reason: "InvalidList",
        message:
          "no row of the first 40 is a heading with an address and two more columns known: name one column Address or Register, others Name, Type, Unit, Scale, Access",
        isPermanent: true)
    }
    let rows = table.rows[(index + 1)...].filter { RegisterListColumns($0.cells) == nil }
    let (numbering, note) = Self.numbering(rows, columns, options)
    if let note { remark(0, note) }
    for row in rows { read(row, columns, numbering) }
    if !properties.isEmpty, properties.contains(where: { $0["modbus"]?["order"] != nil }), options.order == nil,
      !columns.has(.order)
    {
      remark(
        0,
        "values over several registers are taken high word first (ABCD); say --order CDAB where it is the other way round"
      )
    }
  }

  /// The DeviceModel.
  public var document: JSONValue {
    var spec: JSONValue = ["protocol": "modbus", "properties": .array(properties)]
    if !options.manufacturer.isEmpty { spec["manufacturer"] = .string(options.manufacturer) }
    if !options.model.isEmpty { spec["model"] = .string(options.model) }
    return [
      "apiVersion": "selvedge.dev/v1alpha1", "kind": "DeviceModel", "metadata": ["name": .string(options.name)],
      "spec": spec,
    ]
  }

  private mutating func remark(_ line: Int, _ message: String) {
    remarks.append(Remark(line: line, isLeftOut: false, message: message))
  }

  private mutating func leaveOut(_ line: Int, _ message: String) {
    remarks.append(Remark(line: line, isLeftOut: true, message: message))
  }

  // MARK: Numbering

  private enum Numbering {
    case modicon
    case counted(from: Int)
  }

  /// Modicon numbers where every address is one and none lies in another table than its row says; else counted from 0.
  private static func numbering(_ rows: [CSVTable.Row], _ columns: RegisterListColumns, _ options: Options)
    -> (numbering: Numbering, note: String?)
  {
    if let base = options.base { return (.counted(from: base), nil) }
    let addresses = rows.compactMap { row in
      RegisterListCells.address(
        columns.text(.address, in: row.cells), isHexadecimal: columns.hasHexadecimalAddresses
      ).map { (address: $0, table: RegisterListCells.table(columns.text(.function, in: row.cells))) }
    }
    let isModicon = addresses.allSatisfy { address, table in
      guard !address.isHexadecimal, address.table == nil, let place = ModiconRegister(address.number) else {
        return false
      }
      return table.map { $0 == place.table } ?? (place.table != .coil || options.table == .coil)
    }
    if isModicon, !addresses.isEmpty {
      return (
        .modicon,
        "addresses are taken for Modicon numbers (40001 is the first holding register); say --base 0 or 1 where they are not"
      )
    }
    return (
      .counted(from: 0), "addresses are taken as sent on the wire, from 0; say --base 1 where the list counts from 1"
    )
  }

  private func place(
    _ address: RegisterListCells.Address, _ row: CSVTable.Row, _ columns: RegisterListColumns, _ numbering: Numbering
  ) -> (table: RegisterTable, address: Int)? {
    switch numbering {
    case .modicon: return ModiconRegister(address.number).map { ($0.table, Int($0.address)) }
    case .counted(let base):
      let table = address.table ?? RegisterListCells.table(columns.text(.function, in: row.cells)) ?? options.table
      let number = address.number - base
      return (0...65_535).contains(number) ? (table, number) : nil
    }
  }

  // MARK: Rows

  private mutating func read(_ row: CSVTable.Row, _ columns: RegisterListColumns, _ numbering: Numbering) {
    let text = columns.text(.address, in: row.cells)
    // A row of one cell is a title, one without an address a remark or the end of the row above.
    guard !text.isEmpty else { return }
    guard row.cells.filter({ !$0.isEmpty }).count > 1 else { return }
    rowCount += 1
    guard let address = RegisterListCells.address(text, isHexadecimal: columns.hasHexadecimalAddresses),
      let place = place(address, row, columns, numbering)
    else {
      return leaveOut(row.line, "'\(text)' is no address")
    }
    let label = columns.text(.name, in: row.cells)
    if ["reserved", "reserviert", "reserve", "not used", "unused", "spare"].contains(
      where: label.lowercased().hasPrefix)
    {
      return leaveOut(row.line, "'\(label)' is reserved")
    }
    var draft = PropertyDraft(
      line: row.line, label: label.isEmpty ? ModiconRegister.text(place.table, place.address) : label,
      place: place, options: options)
    do throws(DeviceError) {
      try draft.take(columns, row.cells, address)
      let property = try draft.property(name: freeName(for: draft.label))
      names.insert(property["name"]?.string ?? "")
      properties.append(property)
      for message in draft.remarks { remark(row.line, "'\(draft.label)': \(message)") }
    } catch {
      leaveOut(row.line, "'\(label)': \(error.message)")
    }
  }

  /// A name of the label that no property has yet.
  private func freeName(for label: String) -> String {
    let words = RegisterListColumns.words(label).map { $0.filter { $0.isASCII } }.filter { !$0.isEmpty && $0 != "#" }
    var name = String(words.joined(separator: "-").prefix(58)).lowercased()
    while name.hasSuffix("-") { name.removeLast() }
    if name.isEmpty { name = "register" }
    if ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(name) { name += "-value" }
    guard names.contains(name) else { return name }
    return (2...).lazy.map { "\(name)-\($0)" }.first { !self.names.contains($0) } ?? name
  }
}
