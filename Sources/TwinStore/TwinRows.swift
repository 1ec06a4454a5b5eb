internal import DeviceKit
internal import Documents

/// A device's row.
struct DeviceRow {
  var id: Int64
  var key: DeviceKey
  var uid: String
  var created: Timestamp
  var policy = DesiredPolicy.latestWins
}

/// A property's row: its name, once, so that the moving rows are small.
struct PropertyRow {
  var id: Int64
  var device: Int64
  var name: String
}

/// A property's latest reading as it is stored.
struct ReportedRow {
  var property: Int64
  var point: UInt32
  var kind: SampleKind
  var payload: UInt64
  var side: Value?
  var quality: Quality
  var cause: String
  var sourceTime: Int64
  var gatewayTime: Int64
  var version: UInt64
}

/// A property's desired value and its machine as they are stored.
struct DesiredRow {
  var property: Int64
  /// JSON; nil: nothing is desired.
  var value: String?
  var source: String
  var time: Int64
  /// JSON; what the Device's spec wished when it was last seen.
  var specSeen: String?
  var record: String
  /// JSON; a local change that the spec overrules.
  var drift: String?

  init(
    property: Int64, value: String?, source: String, time: Int64, specSeen: String?, record: String,
    drift: String? = nil
  ) {
    self.property = property
    self.value = value
    self.source = source
    self.time = time
    self.specSeen = specSeen
    self.record = record
    self.drift = drift
  }

  init(_ entry: TwinProperty) {
    let wish = entry.machine.wish
    self.init(
      property: entry.rowID, value: wish?.value.description, source: wish?.source.description ?? "",
      time: wish?.time.nanoseconds ?? 0, specSeen: entry.specSeen?.description,
      record: entry.machine.record.merging(["wishVersion": .string(entry.wishVersion.description)]).description,
      drift: entry.drift?.json.description)
  }

  /// Nothing is desired and the spec wishes nothing: no row is needed.
  var isEmpty: Bool { value == nil && specSeen == nil && drift == nil }
}

/// What one transaction writes, in this order.
struct TwinCommit {
  var removedDevices: [Int64] = []
  var devices: [DeviceRow] = []
  var properties: [PropertyRow] = []
  var desired: [DesiredRow] = []
  var reported: [ReportedRow] = []
  var policies: [(device: Int64, policy: DesiredPolicy)] = []
  var commands: [CommandRow] = []
  var history: [HistoryRow] = []
  var versionMark: UInt64?
  /// Where the rows came from: to take note of success, or to mark them again after a failure.
  var twins: [(twin: Int, rowID: Int64)] = []
  var twinProperties: [(twin: Int, property: Int, rowID: Int64)] = []
  var desiredSources: [(twin: Int, property: Int, rowID: Int64)] = []

  var isEmpty: Bool {
    removedDevices.isEmpty && desired.isEmpty && reported.isEmpty && policies.isEmpty && commands.isEmpty
      && history.isEmpty && versionMark == nil
  }
}
