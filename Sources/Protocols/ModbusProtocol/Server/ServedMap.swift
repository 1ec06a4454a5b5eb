package import DeviceKit
package import Documents

/// What a Modbus server shows: entries of four tables, none over another. Pure.
package struct ServedMap: Sendable, Hashable {
  /// Those of `map` in its order, then heartbeat and quality.
  package private(set) var entries: [ServedEntry] = []
  /// How many of the entries are properties; they come first.
  package let propertyCount: Int
  /// Whether a gap reads as 0 and not as exception 2.
  package let readsGapsAsZero: Bool

  /// Reads the fields of `Gateway.spec.servers[].modbus`, which stand at `path`. Throws a permanent ``DeviceError``
  /// `InvalidServer` that names the field.
  package init(_ specification: JSONValue, path: String) throws(DeviceError) {
    let list = specification["map"]?.array ?? []
    guard !list.isEmpty else { throw ServerFields.error(path, "map", "names no property: list what is to be served") }
    readsGapsAsZero = specification["gaps"]?.string == "Zero"
    propertyCount = list.count
    let onBad = try ServerFields.choice(BadValuePolicy.self, specification["onBad"], path, "onBad") ?? .exception
    for (index, fields) in list.enumerated() {
      entries.append(try Self.entry(fields, onBad: onBad, place: "\(path).map[\(index)]"))
    }
    if let fields = specification["heartbeat"] {
      entries.append(try Self.special(.heartbeat, fields, count: 1, place: "\(path).heartbeat"))
    }
    if let fields = specification["quality"] {
      entries.append(try Self.special(.quality, fields, count: list.count, place: "\(path).quality"))
    }
    try refuseOverlaps()
  }

  /// Whether clients may write anything of a table.
  package func isWritable(_ table: RegisterTable) -> Bool {
    entries.contains { entry in
      guard case .property(let property) = entry.content else { return false }
      return entry.table == table && property.isWritable
    }
  }

  private static func entry(
    _ fields: JSONValue, onBad: BadValuePolicy, place: String
  ) throws(DeviceError) -> ServedEntry {
    guard let device = fields["device"]?.string, !device.isEmpty else {
      throw ServerFields.error(place, "device", "is needed: NAME, or NAMESPACE/NAME")
    }
    guard let name = fields["property"]?.string, !name.isEmpty else {
      throw ServerFields.error(place, "property", "is needed")
    }
    for field in ["scaleFrom", "pulse"] where fields[field] != nil {
      throw ServerFields.error(place, field, "has no meaning in a server")
    }
    let parts = device.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var binding = fields
    for field in ["device", "property", "access", "onBad"] { binding[field] = nil }
    let property = ServedProperty(
      name: PointName(
        device: DeviceKey(namespace: parts.count == 2 ? parts[0] : "default", name: parts[parts.count - 1]),
        property: name),
      isWritable: fields["access"]?.string == "ReadWrite",
      onBad: try ServerFields.choice(BadValuePolicy.self, fields["onBad"], place, "onBad") ?? onBad, binding: binding)
    let read: PropertyBinding
    do throws(DeviceError) {
      read = try property.codec(property.naturalDefinition, place: place).0
    } catch {
      throw DeviceError(reason: "InvalidServer", message: error.message, isPermanent: true)
    }
    guard !property.isWritable || read.table.isWritable else {
      throw ServerFields.error(place, "access", "ReadWrite needs the table coil or holding, not \(read.table.rawValue)")
    }
    let count = read.codec.valueCount
    return ServedEntry(
      content: .property(property), table: read.table, address: Int(read.address), count: count,
      masks: read.table.holdsBits ? [UInt16](repeating: 1, count: count) : read.codec.masks, place: place)
  }

  private static func special(
    _ content: ServedEntry.Content, _ fields: JSONValue, count: Int, place: String
  ) throws(DeviceError) -> ServedEntry {
    guard let table = try ServerFields.choice(RegisterTable.self, fields["table"], place, "table") else {
      throw ServerFields.error(place, "table", "is needed")
    }
    guard let address = fields["address"]?.int, (0...65_535).contains(address) else {
      throw ServerFields.error(place, "address", "must be a whole number from 0 to 65535")
    }
    if case .heartbeat = content, table.holdsBits {
      throw ServerFields.error(place, "table", "must be input or holding: the count is a register")
    }
    if table == .coil { throw ServerFields.error(place, "table", "must be discrete, input or holding") }
    let addresses = table.holdsBits ? count : (count + 15) / 16
    guard address + addresses <= 65_536 else {
      throw ServerFields.error(place, "address", "\(address) + \(addresses) leads past 65535")
    }
    return ServedEntry(
      content: content, table: table, address: address, count: addresses,
      masks: [UInt16](repeating: table.holdsBits ? 1 : .max, count: addresses), place: place)
  }

  private func refuseOverlaps() throws(DeviceError) {
    struct Cell: Hashable {
      var table: RegisterTable
      var address: Int
    }
    var taken: [Cell: [(mask: UInt16, place: String)]] = [:]
    for entry in entries {
      for address in entry.address..<entry.end {
        let cell = Cell(table: entry.table, address: address)
        let mask = entry.mask(at: address)
        if let other = taken[cell]?.first(where: { $0.mask & mask != 0 }) {
          throw DeviceError(
            reason: "InvalidServer",
            message:
              "\(entry.place): lies over \(other.place) at \(entry.table.rawValue) address \(address): give one of them another",
            isPermanent: true)
        }
        taken[cell, default: []].append((mask, entry.place))
      }
    }
  }
}

/// The fields of a server's manifest.
enum ServerFields {
  static func error(_ path: String, _ field: String, _ message: String) -> DeviceError {
    DeviceError(reason: "InvalidServer", message: "\(path).\(field): \(message)", isPermanent: true)
  }

  static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ type: Choice.Type, _ value: JSONValue?, _ path: String, _ field: String
  ) throws(DeviceError) -> Choice? {
    guard let value else { return nil }
    guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
      throw error(path, field, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }
}
