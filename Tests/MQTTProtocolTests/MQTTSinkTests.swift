import DeviceKit
import Documents
import MQTTClient
import MQTTSink
import SinkKit
import TestSupport
import Testing

@Suite struct MQTTSinkTests {
  static func record(_ sequence: UInt64, _ fields: [TelemetryRecord.Field], start: Bool = false) -> TelemetryRecord {
    TelemetryRecord(
      series: SeriesDescription(
        node: "gw-1", device: DeviceKey(namespace: "plant", name: "room-1"), property: "temperature",
        model: "room-sensor", unit: "degC"),
      pipeline: "p", sequence: sequence, time: Timestamp(seconds: 10), windowStart: start ? Timestamp(seconds: 0) : nil,
      quality: .good, fields: fields)
  }

  static func specification(_ topic: String) -> JSONValue {
    ["brokerRef": ["name": "cloud"], "topic": .string(topic), "qos": 1, "retain": false]
  }

  @Test func recordsAreDeliveredOnceAllAreAcknowledged() async throws {
    // Debian's limit of 1,000 waiting messages would drop some for the receiver of this test.
    let broker = try await Mosquitto(["allow_anonymous true", "max_queued_messages 0"])
    let pool = BrokerPool(logger: quiet)
    let plugin = MQTTSinkPlugin(brokers: pool)
    let writer = try plugin.writer(
      for: SinkRequest(
        name: "plant/s", specification: Self.specification("{namespace}/{node}/{model}/{device}/{property}")))
    // Before its Broker exists the sink asks for patience.
    guard case .retry(let error, _) = await writer.send([Self.record(1, [])]) else {
      Issue.record("delivered without a broker")
      return
    }
    #expect(error.message.contains("plant/cloud"))
    pool.set(
      "plant/cloud", try BrokerConfiguration(url: broker.url, reconnectDelay: .milliseconds(20) ... .milliseconds(100)))
    let receiver = try await MQTTConnection.connected(to: broker)
    let heard = Heard()
    let subscription = receiver.subscribe([try TopicFilter("#")], handler: heard.take)
    try await receiver.publish(topic: "probe", payload: [1])
    try await eventually("subscribed") {
      _ = try? await receiver.publish(topic: "probe", payload: [1])
      return !heard.messages.isEmpty
    }
    try await eventually("connected") { pool.connection(named: "plant/cloud").state == .connected }
    let records = (0..<1_000).map { Self.record($0, [.init(name: "value", value: .integer(Int64($0)))]) }
    #expect(await writer.send(records) == .delivered)
    try await eventually("all arrived") { heard.messages.count { $0.topic != "probe" } >= 1_000 }
    let messages = heard.messages.filter { $0.topic != "probe" }
    #expect(messages.first?.topic == "plant/gw-1/room-sensor/room-1/temperature")
    let numbers = try messages.map { try JSONValue(parsing: $0.payload)["seq"]?.int }
    #expect(numbers == (0..<1_000).map(Optional.some))
    broker.kill()
    try await eventually("retry") { if case .retry = await writer.send(records) { true } else { false } }
    try await broker.start()
    try await eventually("delivered again") { await writer.send([records[0]]) == .delivered }
    subscription.cancel()
  }

  @Test func thePayloadKeepsIntegersExact() async throws {
    let broker = try await Mosquitto()
    let pool = BrokerPool(logger: quiet)
    pool.set("plant/cloud", try BrokerConfiguration(url: broker.url))
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(name: "plant/s", specification: ["brokerRef": ["name": "cloud"], "topic": "t", "retain": true]))
    let record = Self.record(
      7,
      [
        .init(name: "value", value: .unsigned(.max)), .init(name: "low", value: .integer(.min)),
        .init(name: "mean", value: .number(0.1)),
      ], start: true)
    try await eventually("delivered") { await writer.send([record]) == .delivered }
    let receiver = try await MQTTConnection.connected(to: broker)
    let heard = Heard()
    let subscription = receiver.subscribe([try TopicFilter("t")], handler: heard.take)
    try await eventually("retained") { !heard.messages.isEmpty }
    #expect(
      heard.texts[0]
        == #"{"time":"1970-01-01T00:00:10.000Z","start":"1970-01-01T00:00:00.000Z","seq":7,"quality":"Good","unit":"degC","value":18446744073709551615,"low":-9223372036854775808,"mean":0.1}"#
    )
    subscription.cancel()
  }

  @Test(arguments: [
    ("a/{x}", "{x}"), ("a/{device", "without '}'"), ("a/+/b", "wildcard"), ("a/#", "wildcard"),
    ("a/{field}", "unknown"),
  ])
  func aTopicThatCannotBeServedIsRefused(topic: String, reason: String) {
    do throws(SinkError) {
      _ = try MQTTSinkPlugin(brokers: BrokerPool(logger: quiet)).writer(
        for: SinkRequest(name: "n/s", specification: Self.specification(topic)))
      Issue.record("accepted \(topic)")
    } catch {
      #expect(error.message.contains("spec.mqtt.topic") && error.message.contains(reason), "\(error)")
    }
  }
}
