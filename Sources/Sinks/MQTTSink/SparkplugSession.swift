internal import DeviceKit
internal import Documents
internal import MQTTClient
internal import SinkKit

/// An edge node's messages: births, data and death with their numbers (Eclipse Sparkplug 3.0, chapters 5 and 6): pure,
/// without a clock.
///
/// A device is born with all metrics that were seen of it; one more metric, or another type, bears it anew. Data are of
/// QoS 0, as the specification has it.
struct SparkplugSession {
  private struct Metric {
    var name: String
    var alias: UInt64
    var dataType: SparkplugMetric.DataType
    var unit: String
    var last: (time: Timestamp, value: Value?, quality: Quality)
  }

  private struct Device {
    var metrics: [Metric] = []
    var indices: [String: Int] = [:]
  }

  private let group: String
  private let edgeNode: String
  private let deviceTemplate: NameTemplate
  private var devices: [String: Device] = [:]
  private var order: [String] = []
  private var nextAlias: UInt64 = 1
  private var nextSequence: UInt8 = 0
  /// What the present session was born with and when; nil: nothing is born.
  private(set) var born: (number: UInt8, at: Timestamp)?

  init(group: String, edgeNode: String, device: NameTemplate) {
    self.group = group
    self.edgeNode = edgeNode
    deviceTemplate = device
  }

  /// The topic of commands to the node.
  var commandTopic: String { "spBv1.0/\(group)/NCMD/\(edgeNode)" }

  /// NDEATH: the will of the connection in which ``birth(number:at:)`` has the same number.
  func death(number: UInt8, at time: Timestamp) -> MQTTPublication {
    MQTTPublication(
      topic: "spBv1.0/\(group)/NDEATH/\(edgeNode)",
      payload: SparkplugPayload.bytes(at: time, sequence: nil, [Self.sessionNumber(number, time)]), qos: 1)
  }

  /// Nothing is born any more.
  mutating func end() { born = nil }

  /// NBIRTH, and a DBIRTH for each device that is known.
  mutating func birth(number: UInt8, at time: Timestamp) -> [MQTTPublication] {
    born = (number, time)
    nextSequence = 0
    let metrics = [
      Self.sessionNumber(number, time),
      SparkplugMetric(name: "Node Control/Rebirth", time: time, dataType: .boolean, value: .boolean(false)),
    ]
    return [message("NBIRTH", nil, time, metrics)] + order.map { deviceBirth($0, time) }
  }

  /// The messages for records, in their order for each device: DBIRTH where a device has something new, DDATA.
  /// A value older than the session is historical.
  mutating func data(_ records: [TelemetryRecord], at time: Timestamp) -> [MQTTPublication] {
    var messages: [MQTTPublication] = []
    var waiting: [String: [SparkplugMetric]] = [:]
    var touched: [String] = []
    let names = records.map { deviceTemplate.name(of: $0, escape: TopicName.level) }
    // All that is new in the batch goes into one birth a device.
    var unborn: [String] = []
    for (record, device) in zip(records, names) where introduce(record, to: device, changesTypes: false) {
      if !unborn.contains(device) { unborn.append(device) }
    }
    messages += unborn.map { deviceBirth($0, time) }
    for (record, device) in zip(records, names) {
      if introduce(record, to: device, changesTypes: true) {
        flush(device, &waiting, &touched, time, &messages)
        messages.append(deviceBirth(device, time))
      }
      if waiting[device] == nil { touched.append(device) }
      waiting[device, default: []] += take(record, of: device)
      if waiting[device]?.count ?? 0 >= 500 { flush(device, &waiting, &touched, time, &messages) }
    }
    for device in touched { flush(device, &waiting, &touched, time, &messages) }
    return messages
  }

  private mutating func flush(
    _ device: String, _ waiting: inout [String: [SparkplugMetric]], _ touched: inout [String], _ time: Timestamp,
    _ messages: inout [MQTTPublication]
  ) {
    touched.removeAll { $0 == device }
    guard let metrics = waiting.removeValue(forKey: device), !metrics.isEmpty else { return }
    messages.append(message("DDATA", device, time, metrics))
  }

  // MARK: Metrics

  /// A record's values by metric name: `property`, or `property/field` for anything but a sample.
  private static func values(of record: TelemetryRecord) -> [(name: String, value: Value?)] {
    if record.fields.isEmpty { return [(record.series.property, nil)] }
    return record.fields.map {
      ($0.name == "value" ? record.series.property : "\(record.series.property)/\($0.name)", $0.value)
    }
  }

  /// Takes note of metrics that are new, and where `changesTypes` of new types; whether there are any.
  private mutating func introduce(_ record: TelemetryRecord, to name: String, changesTypes: Bool) -> Bool {
    var device = devices[name] ?? Device()
    var isNew = false
    for (metric, value) in Self.values(of: record) {
      if let index = device.indices[metric] {
        guard changesTypes, let value, SparkplugMetric.dataType(of: value) != device.metrics[index].dataType else {
          continue
        }
        device.metrics[index].dataType = SparkplugMetric.dataType(of: value)
      } else {
        device.indices[metric] = device.metrics.count
        device.metrics.append(
          Metric(
            name: metric, alias: nextAlias, dataType: value.map(SparkplugMetric.dataType(of:)) ?? .double,
            unit: record.series.unit, last: (record.time, value, record.quality)))
        nextAlias += 1
      }
      isNew = true
    }
    if devices[name] == nil { order.append(name) }
    devices[name] = device
    return isNew
  }

  private mutating func take(_ record: TelemetryRecord, of name: String) -> [SparkplugMetric] {
    Self.values(of: record).compactMap { metric, value in
      guard let index = devices[name]?.indices[metric], let known = devices[name]?.metrics[index] else { return nil }
      devices[name]?.metrics[index].last = (record.time, value, record.quality)
      return SparkplugMetric(
        alias: known.alias, time: record.time, value: value, isHistorical: born.map { record.time < $0.at } ?? false,
        quality: record.quality)
    }
  }

  // MARK: Messages

  private mutating func deviceBirth(_ name: String, _ time: Timestamp) -> MQTTPublication {
    let metrics = (devices[name]?.metrics ?? []).map { metric in
      SparkplugMetric(
        name: metric.name, alias: metric.alias, time: metric.last.time, dataType: metric.dataType,
        value: metric.last.value.flatMap { SparkplugMetric.dataType(of: $0) == metric.dataType ? $0 : nil },
        unit: metric.unit, quality: metric.last.quality)
    }
    return message("DBIRTH", name, time, metrics)
  }

  private mutating func message(
    _ type: String, _ device: String?, _ time: Timestamp, _ metrics: [SparkplugMetric]
  ) -> MQTTPublication {
    let payload = SparkplugPayload.bytes(at: time, sequence: nextSequence, metrics)
    nextSequence &+= 1
    return MQTTPublication(
      topic: "spBv1.0/\(group)/\(type)/\(edgeNode)" + (device.map { "/\($0)" } ?? ""), payload: payload, qos: 0)
  }

  private static func sessionNumber(_ number: UInt8, _ time: Timestamp) -> SparkplugMetric {
    SparkplugMetric(name: "bdSeq", time: time, dataType: .int64, value: .integer(Int64(number)))
  }
}
