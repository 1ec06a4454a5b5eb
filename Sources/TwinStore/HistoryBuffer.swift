internal import DeviceKit
internal import Documents

/// An entry of the history on its way to the file.
struct HistoryRow: Sendable {
  /// Bytes that an entry takes in the file beside its body, with its place in the index; measured.
  static let overhead = 48
  /// Bytes of an entry as most are.
  static let typicalBytes = 160

  var id: Int64
  var twin: Int
  var property: Int
  /// The rows that the entry belongs to: the twin's place may have another tenant by now.
  var deviceRow: Int64
  var propertyRow: Int64
  var version: UInt64
  var time: Int64
  var kind: TwinHistoryEntry.Kind
  /// JSON, an object.
  var body: String
}

/// What the file does not have yet, and how much each property has told lately.
struct HistoryBuffer {
  /// What is known of one property.
  private struct Mark {
    var kept: Value?
    var minute: Int64 = .min
    var count = 0
    var skipped = 0
  }

  /// Entries that wait for the file; more are dropped, reported values first.
  static let capacity = 4_096
  /// Changes that one property may tell in a minute, apart from what ends in a state that stays.
  static let perMinute = 10

  private(set) var waiting: [HistoryRow] = []
  /// In the commit that is under way.
  private(set) var writing: [HistoryRow] = []
  var nextID: Int64 = 1
  /// The property whose entries are in a commit already that comes before their cause.
  var muted: (twin: Int, property: Int)?
  /// Something waits that is not to wait for reported values.
  var isUrgent = false
  private(set) var dropped = 0
  private var lastVersion: UInt64 = 0
  private var marks: [UInt32: Mark] = [:]

  /// Half full: it is time to write.
  var isPressing: Bool { waiting.count >= Self.capacity / 2 }

  /// What is not known to be in the file.
  var unwritten: [HistoryRow] { writing + waiting }

  mutating func takeID() -> Int64 {
    defer { nextID += 1 }
    return nextID
  }

  /// The version that an entry gets: never less than an earlier one's.
  mutating func stamp(_ version: UInt64) -> UInt64 {
    lastVersion = Swift.max(lastVersion, version)
    return lastVersion
  }

  mutating func append(_ row: HistoryRow) {
    if waiting.count >= Self.capacity {
      dropped += 1
      if row.kind == .reported { return }
      waiting.remove(at: waiting.firstIndex { $0.kind == .reported } ?? 0)
    }
    waiting.append(row)
  }

  /// Hands everything that waits to a commit.
  mutating func take() -> [HistoryRow] {
    writing = waiting
    waiting = []
    isUrgent = false
    return writing
  }

  mutating func succeeded() { writing = [] }

  mutating func failed() {
    let since = waiting
    waiting = writing
    writing = []
    for row in since { append(row) }
  }

  /// The value of a property that was kept last, as far as this run knows.
  func kept(_ point: UInt32) -> Value? { marks[point]?.kept }

  /// Whether a property may tell one more thing now, and how many it had to skip before. Nil: no.
  mutating func admit(_ point: UInt32, at time: Int64) -> Int? {
    var mark = marks[point] ?? Mark()
    let minute = time / 60_000_000_000
    if mark.minute != minute {
      mark.minute = minute
      mark.count = 0
    }
    defer { marks[point] = mark }
    guard mark.count < Self.perMinute else {
      mark.skipped += 1
      return nil
    }
    mark.count += 1
    defer { mark.skipped = 0 }
    return mark.skipped
  }

  mutating func keep(_ value: Value?, of point: UInt32) { marks[point, default: Mark()].kept = value }
  mutating func forget(_ point: UInt32) { marks[point] = nil }
}
