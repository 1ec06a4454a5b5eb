internal import DeviceKit
internal import Documents

/// The latest sample of one point: what ingest reads and writes, in 48 bytes.
struct TwinSlot {
  struct Flags: OptionSet {
    let rawValue: UInt8
    /// A property is attached here.
    static let accepts = Flags(rawValue: 1)
    /// Not yet on disk.
    static let dirty = Flags(rawValue: 2)
    /// Good when last read, but not read since the start or since the link was lost: shown as Uncertain.
    static let stale = Flags(rawValue: 4)
    static let hasCause = Flags(rawValue: 8)
    /// There is a desired value that reports may confirm or contradict.
    static let wished = Flags(rawValue: 16)
    /// Its changes go into the history.
    static let kept = Flags(rawValue: 32)
    /// Somebody is told of its changes.
    static let told: Flags = [.wished, .kept]
    /// What a sample must meet, ``accepts`` and none of the others, for ingest to have no more to look at.
    static let looked: Flags = [.accepts, .hasCause, .wished, .kept]
  }
  var payload: UInt64 = 0
  var sourceTime: Int64 = 0
  var gatewayTime: Int64 = 0
  var version: UInt64 = 0
  var twin: Int32 = -1
  var property: Int32 = -1
  var kind = SampleKind.none
  var quality = Quality.bad
  /// `.side` stands for strings and objects.
  var expected = SampleKind.none
  var flags: Flags = []
  /// Index into ``TwinState/groups``.
  var group: UInt8 = 0
}

/// One property of a twin, apart from its latest sample.
struct TwinProperty {
  var name: String
  var point: PointID
  var rowID: Int64
  var definition: PropertyDefinition?
  var machine = DesiredState()
  /// What the Device's spec wished when it was last seen.
  var specSeen: JSONValue?
  /// A local change that the spec overrules.
  var drift: DesiredDrift?
  /// Since when the device has not held what is desired; nil: it does, or nothing is desired.
  var differsSince: Timestamp?
  var stateVersion: UInt64 = 0
  /// The twin's version at which somebody last wished something of it, the same or another thing, or took that back.
  var wishVersion: UInt64 = 0
  var hasRow = false
  var isDesiredDirty = false
}

/// One device's twin in memory.
struct TwinRecord {
  var key: DeviceKey
  var rowID: Int64
  var uid: String
  var created: Timestamp
  var createdVersion: UInt64
  var version: UInt64
  /// The version at which something was last wished, changed or cleared.
  var desiredVersion: UInt64
  var isPresent = true
  var hasRow = false
  var isAttached = false
  var isConnected = false
  var writesEnabled = false
  /// Another gateway may write to the device, at present or soon.
  var isLeaseLost = false
  var policy = DesiredPolicy.latestWins
  var writeOrder = TwinWriteOrder()
  /// Gates are being told, or several changes made at once.
  var isRegating = false
  var properties: [TwinProperty] = []
  var indexes: [String: Int] = [:]
  /// Indexes into `properties` in the model's order.
  var order: [Int] = []
  /// The read or write that each property waits for and nobody has fetched, by index.
  var work: [Int: DesiredState.Directive] = [:]
  /// Commands in the order they came, the first being carried out or next.
  var commands: [QueuedCommand] = []
  /// Whether the last work handed out was a command: desired values take turns with them.
  var hadCommand = false
  let wakeup = Wakeup()
}
