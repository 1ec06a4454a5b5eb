internal import MQTTClient
internal import SinkKit

/// Makes a batch of records messages in JSON: pure.
struct RecordMessages: Sendable {
  var topic: NameTemplate
  var qos: UInt8
  var retain: Bool
  var expiry: Duration?
  /// Whether the records of one topic share a message.
  var joinsBatch: Bool
  /// A shared message is closed at this size.
  private static let sizeLimit = 256 << 10

  init(topic: NameTemplate, qos: UInt8, retain: Bool, expiry: Duration?, joinsBatch: Bool) {
    self.topic = topic
    self.qos = qos
    self.retain = retain
    self.expiry = expiry
    self.joinsBatch = joinsBatch
  }

  /// The messages in the order of the records; in a shared one the order is that of the topic's records.
  func publications(of records: [TelemetryRecord]) -> [MQTTPublication] {
    joinsBatch ? joined(records) : records.map(publication(of:))
  }

  private func publication(of record: TelemetryRecord) -> MQTTPublication {
    var payload: [UInt8] = []
    RecordPayload.write(record, to: &payload)
    return message(
      topic.name(of: record, escape: TopicName.level), payload,
      [.init("sequence", record.sequence.description), .init("pipeline", record.pipeline)])
  }

  private func joined(_ records: [TelemetryRecord]) -> [MQTTPublication] {
    var done: [MQTTPublication] = []
    var order: [String] = []
    var open: [String: [UInt8]] = [:]
    for record in records {
      let name = topic.name(of: record, escape: TopicName.level)
      if open[name] == nil { order.append(name) }
      open[name, default: []].append(UInt8(ascii: open[name] == nil ? "[" : ","))
      RecordPayload.write(record, to: &open[name, default: []])
      if let size = open[name]?.count, size >= Self.sizeLimit {
        done.append(closed(name, open.removeValue(forKey: name) ?? []))
        order.removeAll { $0 == name }
      }
    }
    return done + order.map { closed($0, open[$0] ?? []) }
  }

  private func closed(_ name: String, _ content: [UInt8]) -> MQTTPublication {
    message(name, content + [UInt8(ascii: "]")], [])
  }

  private func message(_ name: String, _ payload: [UInt8], _ user: [MQTTProperties.UserProperty]) -> MQTTPublication {
    MQTTPublication(
      topic: name, payload: payload, qos: qos, retain: retain,
      properties: MQTTProperties(expiry: expiry, contentType: "application/json", user: user))
  }
}
