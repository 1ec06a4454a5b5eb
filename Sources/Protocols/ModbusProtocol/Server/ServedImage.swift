package import DeviceKit
import Documents

/// What a server's addresses hold, as far as it was looked at: reads are answered from here, and encoded again only where
/// a property may have changed. Pure: what the properties are it is told.
package struct ServedImage: Sendable {
  package let map: ServedMap
  /// The properties' points, in the map's order.
  let points: [PointID]
  var tables = ServedTables()
  var cells: [Cell]

  /// What is known of one property of the map.
  struct Cell: Sendable {
    /// The version as of which it was looked at; nil: never.
    var version: UInt64?
    var type: PropertyType?
    var items: PropertyType?
    /// For that type; nil where the property cannot lie so.
    var codec: ServedCodec?
    /// Why it has no good value; nil: it has.
    var fault: String? = "never looked at"
    /// Whether the table holds a value of it, good or not.
    var hasWords = false
    /// What the table holds where it is good.
    var good: Value?
  }

  package init(_ map: ServedMap, point: (PointName) -> PointID) {
    self.map = map
    points = map.entries.prefix(map.propertyCount).map { entry in
      guard case .property(let property) = entry.content else { return PointID(index: .max) }
      return point(property.name)
    }
    cells = [Cell](repeating: Cell(), count: map.propertyCount)
    for table in RegisterTable.allCases where map.entries.contains(where: { $0.table == table }) {
      tables[table] = ServedTable(map, table)
    }
  }

  /// How the properties are, for the image.
  package struct Look {
    package var version: UInt64
    package var states: ([PointID]) -> [PropertyState?]
    /// How long the server has been serving.
    package var seconds: Int
    package init(version: UInt64, seconds: Int, states: @escaping ([PointID]) -> [PropertyState?]) {
      self.version = version
      self.seconds = seconds
      self.states = states
    }
  }

  /// The words at these addresses of a table: registers, or bits as 0 and 1. Throws exception 2 where nothing lies at one
  /// of them, 4 where a value there has no good quality and is to be told so.
  package mutating func read(
    _ table: RegisterTable, _ range: Range<Int>, _ look: Look
  ) throws(ModbusException) -> [UInt16] {
    guard range.upperBound <= 65_536, let served = tables[table] else { throw .illegalDataAddress }
    guard map.readsGapsAsZero || !served.hasGap(range) else { throw .illegalDataAddress }
    let found = served.entries(in: range, of: map)
    guard !found.isEmpty else { throw .illegalDataAddress }
    refresh(found, look)
    var words = tables[table]?.words(in: range) ?? []
    for index in found where index < map.propertyCount && cells[index].fault != nil {
      guard case .property(let property) = map.entries[index].content else { continue }
      switch property.onBad {
      case .exception: throw .serverDeviceFailure
      case .last: guard cells[index].hasWords else { throw .serverDeviceFailure }
      case .sentinel:
        guard let sentinel = cells[index].codec?.sentinel else { throw .serverDeviceFailure }
        let entry = map.entries[index]
        for address in max(range.lowerBound, entry.address)..<min(range.upperBound, entry.end) {
          let (mask, place) = (entry.mask(at: address), address - range.lowerBound)
          words[place] = words[place] & ~mask | sentinel[address - entry.address] & mask
        }
      }
    }
    return words
  }

  /// Looks at the entries that may have changed since they were looked at.
  mutating func refresh(_ found: [Int], _ look: Look) {
    var stale = found.filter { $0 < map.propertyCount && cells[$0].version != look.version }
    let shows = found.filter { $0 >= map.propertyCount }
    let showsQuality = shows.contains { map.entries[$0].content == .quality }
    if showsQuality { stale = cells.indices.filter { cells[$0].version != look.version } }
    if !stale.isEmpty {
      let states = look.states(stale.map { points[$0] })
      for (index, state) in zip(stale, states) { take(state, index, look.version) }
    }
    for index in shows {
      let entry = map.entries[index]
      switch entry.content {
      case .heartbeat: tables[entry.table]?.set(entry, [UInt16(truncatingIfNeeded: look.seconds)])
      case .quality:
        let words = qualityWords(entry)
        tables[entry.table]?.set(entry, words)
      case .property: break
      }
    }
  }

  private func qualityWords(_ entry: ServedEntry) -> [UInt16] {
    var words = [UInt16](repeating: 0, count: entry.count)
    for index in cells.indices where cells[index].fault == nil {
      if entry.table.holdsBits { words[index] = 1 } else { words[index / 16] |= 1 << UInt16(index % 16) }
    }
    return words
  }

  /// Takes a property's state in.
  private mutating func take(_ state: PropertyState?, _ index: Int, _ version: UInt64) {
    cells[index].version = version
    guard let state else {
      cells[index].codec = nil
      cells[index].fault = "no device of this gateway has the property"
      return
    }
    // What others have changed is no work for what has stayed: the usual case, and so the first.
    if state.reading.quality == .good, let value = state.reading.value, cells[index].fault == nil,
      cells[index].good == value, cells[index].type == state.type, cells[index].items == state.items,
      cells[index].codec != nil
    {
      return
    }
    cells[index].good = nil
    do throws(DeviceError) {
      try bind(index, state)
    } catch {
      cells[index].fault = error.message
      return
    }
    guard let value = state.reading.value else {
      cells[index].fault = state.reading.cause.isEmpty ? "there is no value" : state.reading.cause
      return
    }
    do throws(DeviceError) {
      guard let words = try cells[index].codec?.binding.served(value) else { return }
      tables[map.entries[index].table]?.set(map.entries[index], words)
      cells[index].hasWords = true
      cells[index].fault =
        state.reading.quality == .good
        ? Optional.none : state.reading.cause.isEmpty ? state.reading.quality.name : state.reading.cause
      if cells[index].fault == nil { cells[index].good = value }
    } catch {
      cells[index].fault = error.message
      cells[index].hasWords = false
    }
  }

  /// Sees to it that the cell's binding is for the property's type.
  private mutating func bind(_ index: Int, _ state: PropertyState) throws(DeviceError) {
    if cells[index].type == state.type, cells[index].items == state.items, cells[index].codec != nil { return }
    guard case .property(let property) = map.entries[index].content else { return }
    cells[index].codec = nil
    cells[index].hasWords = false
    let (binding, sentinel) = try property.codec(
      property.definition(type: state.type, items: state.items), place: map.entries[index].place)
    (cells[index].type, cells[index].items) = (state.type, state.items)
    cells[index].codec = ServedCodec(binding, sentinel: sentinel)
  }

  /// Up to `limit` entries that have no good value, with the cause, by the place in the manifest. Only what was looked at.
  package func faults(limit: Int) -> [String] {
    cells.indices.lazy.filter { cells[$0].version != nil && cells[$0].fault != nil }.prefix(limit).map { index in
      let (place, fault) = (map.entries[index].place, cells[index].fault ?? "")
      return fault.hasPrefix(place) ? fault : "\(place): \(fault)"
    }
  }

  package var faultCount: Int { cells.count { $0.version != nil && $0.fault != nil } }
}

/// How one property lies in a server's table. An object: what looks at a cell for every value of every request is not to
/// copy a binding.
final class ServedCodec: Sendable {
  let binding: PropertyBinding
  /// What is served where there is no good value, if anything.
  let sentinel: [UInt16]?

  init(_ binding: PropertyBinding, sentinel: [UInt16]?) {
    self.binding = binding
    self.sentinel = sentinel
  }
}

extension PropertyBinding {
  /// The words of the value in the table: registers, or bits as 0 and 1. Of a value that takes only some bits of its
  /// registers the others are 0.
  func served(_ value: Value) throws(DeviceError) -> [UInt16] {
    if table.holdsBits { return try codec.encodeBits(value).map { $0 ? 1 : 0 } }
    return codec.isMasked ? try codec.encodeMasked(value) : try codec.encode(value)
  }

  /// The value of ``served(_:)``'s words. Throws exception 3 where they are none that can be written.
  func wished(_ words: [UInt16]) throws(ModbusException) -> Value {
    guard table.holdsBits else {
      guard case .value(let value) = codec.decode(words[...]) else { throw .illegalDataValue }
      return value
    }
    func bit(_ word: UInt16) -> Value { codec.type == .integer ? .integer(Int64(word)) : .boolean(word != 0) }
    guard codec.elements != nil else { return bit(words[0]) }
    return .object(.array(words.map { bit($0).json }))
  }
}
