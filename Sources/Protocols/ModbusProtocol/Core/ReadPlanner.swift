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

  public var request: ModbusRequest { .read(table, address: UInt16(address), count: UInt16(count)) }
}

/// Merges reads of one unit into the fewest requests, and learns where the device refuses to be read across.
///
/// Within one table, items in order of address join a block while it stays within the limit and the addresses between
/// them that nobody asked for are few enough to be cheaper than another request. A block that the device refuses is
/// parted (``part(_:)``); the border is remembered, so that later plans never read across it.
public struct ReadPlanner: Sendable, Hashable {
  public struct Limits: Sendable, Hashable {
    public var registersPerRead: Int
    public var bitsPerRead: Int
    /// The longest run of addresses nobody asked for that is read along.
    public var registerGap: Int
    public var bitGap: Int
    public init(registersPerRead: Int = 125, bitsPerRead: Int = 2000, registerGap: Int = 50, bitGap: Int = 400) {
      self.registersPerRead = min(registersPerRead, 125)
      self.bitsPerRead = min(bitsPerRead, 2000)
      self.registerGap = registerGap
      self.bitGap = bitGap
    }
    /// On a network a request costs more than the registers in its answer.
    public static let network = Limits()
    /// At 9,600 baud a further request costs about as much as 12 registers: 13 bytes, two pauses and the device's delay.
    public static let serial = Limits(registerGap: 12, bitGap: 192)
  }

  private struct Border: Hashable {
    var table: RegisterTable
    /// No block holds items on both sides: some that start below and some that start here or later.
    var address: Int
  }

  public let limits: Limits
  private var borders: Set<Border> = []
  /// Items that are read alone, since those that start with them are readable without them.
  private var alone: Set<ReadItem> = []

  public init(limits: Limits = .network) { self.limits = limits }

  /// How many refusals have been learned.
  public var learned: Int { borders.count + alone.count }

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
      if alone.contains(item) {
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
    let previous = block.items.last?.address ?? block.address
    if item.address == previous || borders.isEmpty { return true }
    return !borders.contains { $0.table == item.table && previous < $0.address && $0.address <= item.address }
  }

  /// Parts a block that the device refused with exception 2 or 3, and remembers the border. Nil for a block that holds
  /// one place only: it is that place which the device refuses.
  public mutating func part(_ block: ReadBlock) -> [ReadBlock]? {
    guard let border = border(in: block) else { return partSameStart(block) }
    borders.insert(Border(table: block.table, address: border))
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
    alone.formUnion(block.items.filter { $0.length == longest })
    return plan(block.items)
  }
}

extension ReadBlock {
  fileprivate init(_ item: ReadItem) {
    self.init(table: item.table, address: item.address, count: item.length, items: [item])
  }
}
