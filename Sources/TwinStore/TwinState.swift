internal import DeviceKit
internal import Documents

/// All twins in memory: plain data, changed under one lock, knowing neither clock nor disk.
struct TwinState {
  let points: PointTable
  let isReadOnlyGateway: Bool
  var slots: [TwinSlot] = []
  /// Strings and objects, by point.
  var sides: [UInt32: Value] = [:]
  var causes: [UInt32: String] = [:]
  var twins: [TwinRecord] = []
  var indexes: [DeviceKey: Int] = [:]
  var freeTwins: [Int] = []

  var version: UInt64 = 0
  /// The version up to which the file allows; a restart goes on from there.
  var versionMark: UInt64 = 0
  /// The version below which a watch cannot be resumed: a removal is not remembered.
  var lastRemoval: UInt64 = 0
  var nextDeviceRow: Int64 = 1
  var nextPropertyRow: Int64 = 1

  /// The reported values that are to be written, by how often they may be; the first is the store's default.
  var groups: [PersistGroup]
  var dirtyDesired: [(twin: Int, property: Int)] = []
  var removedRows: [Int64] = []
  var wantsCommit = false
  /// Something is to be written that may wait a moment for others.
  var wantsSettling = false

  var feeds: [WeakFeed] = []
  var transitionStreams: [Int: AsyncStream<TwinTransition>.Continuation] = [:]
  var nextStream = 0
  var statistics = TwinStatistics()
  var touchedTwins: [Int] = []
  var touchStamps: [UInt64] = []
  var batchStamp: UInt64 = 0
  let validator = DesiredValidator()

  /// Commands that came to an end and whose callers do not know it yet.
  var endedCommands: [UInt64: (device: DeviceKey, outcome: TwinCommandOutcome)] = [:]
  var nextCommand: UInt64 = 1
  /// What happened and is not on disk yet.
  var history = HistoryBuffer()

  struct WeakFeed { weak var feed: TwinChangeFeed? }

  /// Versions reserved ahead in the file: a commit of one row for every so many changes.
  static let versionBlock: UInt64 = 1 << 24

  init(points: PointTable, isReadOnlyGateway: Bool, reportedInterval: Duration = .seconds(60)) {
    self.points = points
    self.isReadOnlyGateway = isReadOnlyGateway
    groups = [PersistGroup(interval: reportedInterval)]
  }

  mutating func bump() -> UInt64 {
    version += 1
    if version + Self.versionBlock / 2 > versionMark { wantsCommit = true }
    return version
  }

  mutating func touch(_ twin: Int, _ change: TwinChange) {
    let key = twins[twin].key
    var hasEnded = false
    for entry in feeds {
      if let feed = entry.feed { feed.add(key, change) } else { hasEnded = true }
    }
    if hasEnded { feeds.removeAll { $0.feed == nil } }
  }

  /// The twin of `key`, made if there is none.
  mutating func twinIndex(making key: DeviceKey, now: Timestamp) -> Int {
    if let index = indexes[key] { return index }
    let version = bump()
    let record = TwinRecord(
      key: key, rowID: nextDeviceRow, uid: Self.makeUID(), created: now, createdVersion: version, version: version,
      desiredVersion: version)
    nextDeviceRow += 1
    return place(record)
  }

  mutating func place(_ record: TwinRecord) -> Int {
    let index: Int
    if let free = freeTwins.popLast() {
      index = free
      twins[free] = record
    } else {
      index = twins.count
      twins.append(record)
      touchStamps.append(0)
    }
    indexes[record.key] = index
    touch(index, .shape)
    return index
  }

  mutating func propertyIndex(making name: String, of twin: Int) -> Int {
    if let index = twins[twin].indexes[name] { return index }
    let row = nextPropertyRow
    nextPropertyRow += 1
    return place(
      TwinProperty(
        name: name, point: points.id(of: PointName(device: twins[twin].key, property: name)), rowID: row), in: twin)
  }

  mutating func place(_ property: TwinProperty, in twin: Int) -> Int {
    let index = twins[twin].properties.count
    // Most twins have few, and each takes some hundred bytes: twice as many places would stay empty for good.
    if index == twins[twin].properties.capacity {
      twins[twin].properties.reserveCapacity(index + max(4, index / 4))
    }
    twins[twin].properties.append(property)
    twins[twin].indexes[property.name] = index
    let slot = Int(property.point.index)
    if slot >= slots.count {
      slots.append(contentsOf: repeatElement(TwinSlot(), count: slot + 1 - slots.count))
    }
    slots[slot].twin = Int32(twin)
    slots[slot].property = Int32(index)
    return index
  }

  /// A random UUID (RFC 9562, version 4).
  private static func makeUID() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }
}
