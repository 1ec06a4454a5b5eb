/// One thing to be read: `item` is the caller's index.
public struct ReadItem: Sendable, Hashable {
  public var item: Int
  public var table: RegisterTable
  public var address: Int
  public var length: Int
  public init(item: Int, table: RegisterTable, address: Int, length: Int) {
    self.item = item
    self.table = table
    self.address = address
    self.length = length
  }
  var end: Int { address + length }
}

/// One request: `count` addresses from `address`, and the items that lie in them.
public struct ReadBlock: Sendable, Hashable {
  public var table: RegisterTable
  public var address: Int
  public var count: Int
  /// By address.
  public var items: [ReadItem]

  public init(table: RegisterTable, address: Int, count: Int, items: [ReadItem]) {
    self.table = table
    self.address = address
    self.count = count
    self.items = items
  }

  public var request: ModbusRequest { .read(table, address: UInt16(address), count: UInt16(count)) }
}

/// Where a device refuses to be read, learned from its exceptions 2 and 3. Means the same under any plan.
public struct ReadRefusals: Sendable, Hashable {
  struct Border: Hashable {
    var table: RegisterTable
    /// No block holds items on both sides: some that start below and some that start here or later.
    var address: Int
  }
  struct Place: Hashable {
    var table: RegisterTable
    var address: Int
    var length: Int
  }
  var borders: Set<Border> = []
  /// Places that are read alone, since those that start with them are readable without them.
  var alone: Set<Place> = []
  public init() {}
  public var count: Int { borders.count + alone.count }
}

/// Merges reads of one unit into the fewest requests, and learns where the device refuses to be read across.
///
/// Within one table, items in order of address join a block while it stays within the limit and the addresses between
/// them that nobody asked for are few enough to be cheaper than another request, and none of them is forbidden. A block
/// that the device refuses is parted (``part(_:)``); the border is remembered, so that later plans never read across it.
public struct ReadPlanner: Sendable, Hashable {
  public struct Limits: Sendable, Hashable {
    public var registersPerRead: Int
    public var bitsPerRead: Int
    /// The longest run of addresses nobody asked for that is read along.
    public var registerGap: Int
    public var bitGap: Int
    /// Addresses that are read only where a property lies there: never as part of a gap.
    public var forbidden: [RegisterTable: [ClosedRange<Int>]] = [:]
    public init(registersPerRead: Int = 125, bitsPerRead: Int = 2000, registerGap: Int = 50, bitGap: Int = 400) {
      self.registersPerRead = min(registersPerRead, 125)
      self.bitsPerRead = min(bitsPerRead, 2000)
      self.registerGap = registerGap
      self.bitGap = bitGap
    }
    /// On a network a request costs more than the registers in its answer.
    public static let network = Limits()
    /// A line of unknown speed: one of 9,600 baud.
    public static let serial = line(SerialSettings())

    /// A further request costs 8 bytes there and 5 back beside the values, two silences of a frame's end and the device's
    /// delay, taken as 5 ms; a register read along costs 2 bytes, 8 bits one. The gap is where both cost the same: 12
    /// registers at 9,600 baud, 55 at 115,200.
    public static func line(_ settings: SerialSettings) -> Limits {
      let character = Double(settings.nanoseconds(characters: 1))
      let request = 13 * character + 2 * Double(settings.frameGap) + 5e6
      let bytes = request / character
      return Limits(registerGap: min(120, Int(bytes / 2)), bitGap: min(1_900, Int(bytes * 8)))
    }
  }

  public let limits: Limits
  public private(set) var refusals: ReadRefusals

  public init(limits: Limits = .network, refusals: ReadRefusals = ReadRefusals()) {
    self.limits = limits
    self.refusals = refusals
  }

  /// How many refusals have been learned.
  public var learned: Int { refusals.count }

  /// Plans from now on as if the device had refused this and nothing else.
  public mutating func setRefusals(_ refusals: ReadRefusals) { self.refusals = refusals }

  /// The requests that read `items`, each item in exactly one.
  public func plan(_ items: [ReadItem]) -> [ReadBlock] {
    let order = Dictionary(uniqueKeysWithValues: RegisterTable.allCases.enumerated().map { ($1, $0) })
    let sorted = items.sorted {
      ($0.table == $1.table)
        ? ($0.address, $0.length, $0.item) < ($1.address, $1.length, $1.item)
        : order[$0.table, default: 0] < order[$1.table, default: 0]
    }
    var blocks: [ReadBlock] = []
    var separate: [ReadBlock] = []
    for item in sorted {
      if !refusals.alone.isEmpty, refusals.alone.contains(ReadRefusals.Place(item)) {
        separate.append(ReadBlock(item))
      } else if let last = blocks.last, joins(item, last) {
        blocks[blocks.count - 1].items.append(item)
        blocks[blocks.count - 1].count = max(last.count, item.end - last.address)
      } else {
        blocks.append(ReadBlock(item))
      }
    }
    return blocks + separate
  }

  private func joins(_ item: ReadItem, _ block: ReadBlock) -> Bool {
    guard item.table == block.table else { return false }
    let limit = item.table.holdsBits ? limits.bitsPerRead : limits.registersPerRead
    let gap = item.table.holdsBits ? limits.bitGap : limits.registerGap
    let end = block.address + block.count
    guard max(end, item.end) - block.address <= limit, item.address - end <= gap else { return false }
    if item.address > end, let forbidden = limits.forbidden[item.table],
      forbidden.contains(where: { $0.overlaps(end...item.address - 1) })
    {
      return false
    }
    let previous = block.items.last?.address ?? block.address
    if item.address == previous || refusals.borders.isEmpty { return true }
    return !refusals.borders.contains { $0.table == item.table && previous < $0.address && $0.address <= item.address }
  }

  /// Parts a block that the device refused with exception 2 or 3, and remembers the border. Nil for a block that holds
  /// one place only: it is that place which the device refuses.
  public mutating func part(_ block: ReadBlock) -> [ReadBlock]? {
    guard let border = border(in: block) else { return partSameStart(block) }
    refusals.borders.insert(ReadRefusals.Border(table: block.table, address: border))
    return plan(block.items)
  }

  /// The start of the item behind the widest gap, the one nearest the middle among equals.
  private func border(in block: ReadBlock) -> Int? {
    var best: (gap: Int, distance: Int, address: Int)?
    var end = block.address
    let middle = block.address + block.count / 2
    for (index, item) in block.items.enumerated() {
      defer { end = max(end, item.end) }
      guard index > 0, item.address != block.items[index - 1].address else { continue }
      let gap = max(0, item.address - end)
      let distance = abs(item.address - middle)
      if let known = best, (known.gap, -known.distance) >= (gap, -distance) { continue }
      best = (gap, distance, item.address)
    }
    return best?.address
  }

  private mutating func partSameStart(_ block: ReadBlock) -> [ReadBlock]? {
    guard let longest = block.items.map(\.length).max(), block.items.contains(where: { $0.length < longest }) else {
      return nil
    }
    refusals.alone.formUnion(block.items.filter { $0.length == longest }.map { ReadRefusals.Place($0) })
    return plan(block.items)
  }
}

extension ReadRefusals.Place {
  fileprivate init(_ item: ReadItem) { self.init(table: item.table, address: item.address, length: item.length) }
}

extension ReadBlock {
  fileprivate init(_ item: ReadItem) {
    self.init(table: item.table, address: item.address, count: item.length, items: [item])
  }
}
