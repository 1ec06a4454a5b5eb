import DeviceKit
import Documents
import Foundation
import MQTTClient
import MQTTSink
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// What a Sparkplug host makes of a node's messages: births give aliases a name and a type, data bring values.
private struct SparkplugHost {
  private struct Definition {
    var name: String
    var dataType: UInt64
  }

  private var definitions: [String: [UInt64: Definition]] = [:]
  private(set) var arrivals: [SinkUnderTest.Arrival] = []

  mutating func take(_ message: MQTTMessage) throws {
    let levels = message.topic.split(separator: "/").map { $0.removingPercentEncoding ?? "?" }
    guard levels.count == 5, levels[2] == "DBIRTH" || levels[2] == "DDATA" else { return }
    var reader = ProtobufReader(message.payload)
    while let (field, content) = try reader.next() {
      guard field == 2, let metric = content.bytes else { continue }
      try take(metric, of: levels[4], isBirth: levels[2] == "DBIRTH")
    }
  }

  private mutating func take(_ metric: [UInt8], of device: String, isBirth: Bool) throws {
    var (numbers, texts): ([Int: UInt64], [Int: [UInt8]]) = ([:], [:])
    var reader = ProtobufReader(metric)
    while let (field, content) = try reader.next() {
      switch content {
      case .varint(let value), .fixed64(let value): numbers[field] = value
      case .bytes(let bytes): texts[field] = bytes
      case .fixed32: throw Trouble("a float in field \(field)")
      }
    }
    let alias = numbers[2] ?? 0
    if isBirth {
      let name = String(decoding: texts[1] ?? [], as: UTF8.self)
      definitions[device, default: [:]][alias] = Definition(name: name, dataType: numbers[4] ?? 0)
      return
    }
    guard let known = definitions[device]?[alias] else { throw Trouble("data before birth: \(device), alias \(alias)") }
    var (property, field) = (known.name, "value")
    for name in ["mean", "min", "count"] where known.name.hasSuffix("/" + name) {
      (property, field) = (String(known.name.dropLast(name.count + 1)), name)
    }
    let time = Timestamp(milliseconds: Int64(numbers[3] ?? 0))
    var fields: [String: Value] = [:]
    if numbers[7] != 1 { fields[field] = try value(known.dataType, numbers, texts) }
    // The metrics of one record follow one another.
    if field != "value", let last = arrivals.last, last.device == device, last.property == property, last.time == time {
      arrivals[arrivals.count - 1].fields.merge(fields) { $1 }
    } else {
      arrivals.append(SinkUnderTest.Arrival(device: device, property: property, time: time, fields: fields))
    }
  }

  private func value(_ dataType: UInt64, _ numbers: [Int: UInt64], _ texts: [Int: [UInt8]]) throws -> Value {
    switch dataType {
    case 4: return .integer(Int64(bitPattern: numbers[11] ?? 0))
    case 8: return .unsigned(numbers[11] ?? 0)
    case 10: return .number(Double(bitPattern: numbers[13] ?? 0))
    case 11: return .boolean(numbers[14] == 1)
    case 12: return .string(String(decoding: texts[15] ?? [], as: UTF8.self))
    default: throw Trouble("data type \(dataType)")
    }
  }
}

@Suite struct SparkplugConformanceTests {
  private func subject() async throws -> SinkUnderTest {
    let guarded = try await GuardedBroker()
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", try guarded.configuration(.v5))
    pool.set("default/wrong", try guarded.configuration(.v5, password: "wrong-s3cret", clientID: "w"))
    let heard = Heard()
    let receiver = MQTTConnection(
      name: "default/receiver", configuration: try guarded.configuration(.v3_1_1, clientID: "receiver"), logger: quiet)
    let filters = try ["spBv1.0/#", "c/probe"].map { try TopicFilter($0, qos: 1) }
    let subscription = receiver.subscribe(filters, handler: heard.take)
    try await eventually("the receiver listens") {
      _ = try? await receiver.publish(topic: "c/probe", payload: [])
      return !heard.messages.isEmpty
    }
    let plugin = MQTTSinkPlugin(brokers: pool, node: "gw-1")
    @Sendable func writer(_ broker: String) throws -> any SinkWriter {
      try plugin.writer(
        for: SinkRequest(
          name: "default/s",
          specification: [
            "brokerRef": ["name": .string(broker)], "format": "sparkplugB", "sparkplug": ["group": "g"],
          ]))
    }
    return SinkUnderTest(
      writer: { try writer("cloud") },
      received: {
        withExtendedLifetime((subscription, receiver, guarded)) {}
        var host = SparkplugHost()
        for message in heard.messages { try host.take(message) }
        return host.arrivals
      },
      misconfigured: { try writer("wrong") }, secrets: [GuardedBroker.password, "wrong-s3cret"], bigBatch: 5_000)
  }

  /// Objects travel as strings; a broker that stops may lose what is of QoS 0 on its way to a subscriber.
  @Test(
    arguments: SinkConformance.rules(
      for: Set(SinkUnderTest.Ability.allCases).subtracting([.outage, .objects, .refusal])))
  func `keeps the rules of a sink`(rule: SinkRule) async throws { try await rule.hold(on: try await subject()) }
}
