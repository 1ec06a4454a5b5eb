import DeviceKit
import Documents
import Foundation
import MQTTClient
import MQTTSink
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// Sparkplug messages as another implementation's decoder reads them: PyPI's pysparkplug, with Tahu's own definition.
struct SparkplugListener {
  struct Message {
    var type: String
    var device: String?
    var payload: JSONValue
    var sequence: Int? { payload["seq"]?.string.flatMap { Int($0) } }
    var metrics: [JSONValue] { payload["metrics"]?.array ?? [] }
    func metric(_ name: String) -> JSONValue? { metrics.first { $0["name"]?.string == name } }
  }

  private let process: ChildProcess

  init(_ broker: Mosquitto) async throws {
    process = try ChildProcess([
      "mosquitto_sub", "-p", "\(broker.port)", "-q", "1", "-t", "spBv1.0/#", "-t", "probe", "-F", "%t %r %q %x",
    ])
    let process = process
    try await eventually("the listener listens", seen: { process.errors }) {
      try await broker.publish("probe", "x")
      return process.output.contains("probe")
    }
  }

  /// All so far, in the order of their arrival.
  func messages() async throws -> [Message] {
    let lines = process.output.split(separator: "\n").filter { $0.hasPrefix("spBv1.0/") && !$0.contains("/STATE/") }
    let script = """
      import sys, json
      from google.protobuf.json_format import MessageToDict
      from pysparkplug._protobuf import Payload
      for line in sys.stdin:
          topic, retained, qos, payload = line.split()
          message = Payload()
          message.ParseFromString(bytes.fromhex(payload))
          assert retained == "0", line
          assert message.SerializeToString() == bytes.fromhex(payload), "not as the other one writes it: " + line
          print(topic, json.dumps(MessageToDict(message, preserving_proto_field_name=True), separators=(",", ":")))
      """
    let text = try await run(
      ["python3", "-c", script], input: lines.map { $0 + "\n" }.joined()
    ).succeeded()
    return try text.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      let levels = parts[0].split(separator: "/").map(String.init)
      return Message(
        type: levels[2], device: levels.count > 4 ? levels[4] : nil, payload: try JSONValue(parsing: String(parts[1])))
    }
  }

  func messages(_ what: String, until condition: ([Message]) -> Bool) async throws -> [Message] {
    try await eventually(what, seen: { "\(try await messages().map { ($0.type, $0.sequence) })" }) {
      let all = try await messages()
      return condition(all) ? all : nil
    }
  }
}

@Suite struct SparkplugTests {
  private func writer(_ broker: Mosquitto, _ pool: BrokerPool, host: String? = nil, state: String? = nil) throws
    -> any SinkWriter
  {
    pool.set(
      "default/cloud",
      try BrokerConfiguration(url: broker.url, reconnectDelay: .milliseconds(20) ... .milliseconds(100)))
    var sparkplug: JSONValue = ["group": "plant", "edgeNode": "edge-{node}"]
    if let host { sparkplug["primaryHost"] = .string(host) }
    return try MQTTSinkPlugin(brokers: pool, node: "gw-1", stateFolder: state).writer(
      for: SinkRequest(
        name: "default/s",
        specification: ["brokerRef": ["name": "cloud"], "format": "sparkplugB", "sparkplug": sparkplug]))
  }

  private func deliver(_ records: [TelemetryRecord], _ writer: any SinkWriter) async throws {
    try await eventually("delivered") { await writer.send(records) == .delivered }
  }

  @Test func `births come before data, and another implementation reads every value`() async throws {
    let broker = try await Mosquitto()
    let listener = try await SparkplugListener(broker)
    let pool = BrokerPool(logger: quiet)
    let writer = try writer(broker, pool)
    let values: [(String, Value)] = [
      ("a", .integer(.min)), ("b", .unsigned(.max)), ("c", .number(0.1)), ("d", .boolean(true)),
      ("e", .string("Grüße 🌡")), ("f", .object(["x": [1, 2]])),
    ]
    try await deliver(values.enumerated().map { SinkUnderTest.sample($0, property: $1.0, value: $1.1) }, writer)
    try await deliver([SinkUnderTest.sample(1, device: "press-7", value: .number(.nan))], writer)
    var bad = SinkUnderTest.record(9, property: "a", [])
    bad.quality = .bad
    try await deliver([bad], writer)
    let all = try await listener.messages("all") { messages in messages.count { $0.type == "DDATA" } >= 3 }
    #expect(all.first?.type == "NBIRTH" && all.first?.sequence == 0)
    #expect(all.map(\.sequence) == all.indices.map { $0 % 256 })
    #expect(all[0].metric("Node Control/Rebirth")?["boolean_value"] == false)
    #expect(all[0].metric("bdSeq")?["long_value"] == "0")
    let birth = try #require(all.last { $0.type == "DBIRTH" && $0.device == "boiler-1" })
    #expect(birth.metrics.map { $0["name"]?.string } == ["a", "b", "c", "d", "e", "f"])
    #expect(birth.metrics.map { $0["datatype"]?.int } == [4, 8, 10, 11, 12, 12])
    #expect(birth.metrics[0]["properties"]?[path: "values"]?.array?.first?["string_value"] == "Cel")
    let aliases = birth.metrics.map { $0["alias"]?.string }
    #expect(Set(aliases).count == 6)
    let data = all.filter { $0.type == "DDATA" && $0.device == "boiler-1" }.flatMap(\.metrics)
    func last(_ index: Int) -> JSONValue? {
      data.last { $0["alias"]?.string == aliases[index] && $0["is_null"] == nil }
    }
    #expect(last(0)?["long_value"] == "9223372036854775808", "two's complement")
    #expect(last(1)?["long_value"] == "18446744073709551615")
    #expect(last(2)?["double_value"] == 0.1 && last(3)?["boolean_value"] == true)
    #expect(last(4)?["string_value"] == "Grüße 🌡" && last(5)?["string_value"] == #"{"x":[1,2]}"#)
    // Times before the birth were stored: they are historical.
    #expect(data.allSatisfy { $0["is_historical"] == true && $0["name"] == nil && $0["datatype"] == nil })
    #expect(data.last?["is_null"] == true && data.last?[path: "properties", "keys"] == ["Quality"])
    let nan = all.last { $0.type == "DDATA" && $0.device == "press-7" }?.metrics.first
    #expect(nan?["is_null"] == true)
    await writer.close()
    let end = try await listener.messages("death") { $0.last?.type == "NDEATH" }
    #expect(end.last?.metric("bdSeq")?["long_value"] == "0" && end.last?.sequence == nil)
  }

  @Test func `sequence numbers wrap after 255`() async throws {
    let broker = try await Mosquitto()
    let listener = try await SparkplugListener(broker)
    let pool = BrokerPool(logger: quiet)
    let writer = try writer(broker, pool)
    let records = (0..<300).map { SinkUnderTest.sample($0, device: "d\($0)") }
    try await deliver(records, writer)
    let all = try await listener.messages("all") { messages in messages.count { $0.type == "DDATA" } >= 300 }
    #expect(all.map(\.sequence) == all.indices.map { $0 % 256 })
    await writer.close()
  }

  @Test func `a host's command bears everything anew`() async throws {
    let broker = try await Mosquitto()
    let listener = try await SparkplugListener(broker)
    let pool = BrokerPool(logger: quiet)
    let writer = try writer(broker, pool)
    try await deliver([SinkUnderTest.sample(1)], writer)
    let script = """
      import sys
      from pysparkplug._protobuf import Payload
      payload = Payload(timestamp=1)
      payload.metrics.add(name="Node Control/Rebirth", datatype=11, boolean_value=True)
      sys.stdout.buffer.write(payload.SerializeToString())
      """
    let file = try ScratchFolder()
    try await run(["sh", "-c", "python3 -c '\(script)' > \(file("command"))"]).succeeded()
    try await run(
      ["mosquitto_pub", "-p", "\(broker.port)", "-q", "1", "-t", "spBv1.0/plant/NCMD/edge-gw-1", "-f", file("command")]
    ).succeeded()
    let all = try await listener.messages("born again") { messages in messages.count { $0.type == "DBIRTH" } >= 2 }
      .filter { $0.type != "NCMD" }
    #expect(all.map(\.type) == ["NBIRTH", "DBIRTH", "DDATA", "NBIRTH", "DBIRTH"])
    #expect(all.map(\.sequence) == [0, 1, 2, 0, 1])
    #expect(all[3].metric("bdSeq")?["long_value"] == "0")
    await writer.close()
  }

  @Test func `a lost connection is a death by will, and the next birth has the next number, over restarts too`()
    async throws
  {
    let broker = try await Mosquitto()
    let listener = try await SparkplugListener(broker)
    let state = try ScratchFolder()
    let pool = BrokerPool(logger: quiet)
    let writer = try writer(broker, pool, state: state.path)
    try await deliver([SinkUnderTest.sample(1)], writer)
    // Another client under the node's own client ID: the broker drops the node without its farewell.
    let id = "selvedge-default-s"
    _ = try await run(["mosquitto_pub", "-p", "\(broker.port)", "-i", id, "-t", "x", "-m", "x"])
    let all = try await listener.messages("born again") { messages in messages.count { $0.type == "NBIRTH" } >= 2 }
    let numbers = all.filter { $0.type == "NBIRTH" || $0.type == "NDEATH" }.map {
      "\($0.type) \($0.metric("bdSeq")?["long_value"]?.string ?? "?")"
    }
    #expect(numbers == ["NBIRTH 0", "NDEATH 0", "NBIRTH 1"])
    await writer.close()
    let successor = try self.writer(broker, BrokerPool(logger: quiet), state: state.path)
    try await deliver([SinkUnderTest.sample(2)], successor)
    let rest = try await listener.messages("third birth") { messages in messages.count { $0.type == "NBIRTH" } >= 3 }
    #expect(rest.last { $0.type == "NBIRTH" }?.metric("bdSeq")?["long_value"] == "2")
    await successor.close()
  }

  @Test func `nothing is sent before the primary host is online, nor after it has gone`() async throws {
    let broker = try await Mosquitto()
    let listener = try await SparkplugListener(broker)
    let pool = BrokerPool(logger: quiet)
    let writer = try writer(broker, pool, host: "scada")
    try await broker.publish("spBv1.0/STATE/scada", #"{"online":false,"timestamp":10}"#, isRetained: true)
    try await eventually("told") {
      guard case .retry(let error, _) = await writer.send([SinkUnderTest.sample(1)]) else { return false }
      return error.reason == "PrimaryHostOffline"
    }
    #expect(try await listener.messages().isEmpty)
    try await broker.publish("spBv1.0/STATE/scada", #"{"online":true,"timestamp":20}"#, isRetained: true)
    try await deliver([SinkUnderTest.sample(1)], writer)
    // An older word of the host says nothing.
    try await broker.publish("spBv1.0/STATE/scada", #"{"online":false,"timestamp":15}"#)
    try await deliver([SinkUnderTest.sample(2)], writer)
    try await broker.publish("spBv1.0/STATE/scada", #"{"online":false,"timestamp":30}"#, isRetained: true)
    let all = try await listener.messages("death") { $0.last?.type == "NDEATH" }
    #expect(all.map(\.type).first == "NBIRTH")
    try await eventually("told again") {
      guard case .retry(let error, _) = await writer.send([SinkUnderTest.sample(3)]) else { return false }
      return error.reason == "PrimaryHostOffline"
    }
    await writer.close()
  }

  @Test(
    arguments: [
      (["format": "sparkplugB"], "spec.mqtt.sparkplug"), (["format": "xml"], "spec.mqtt.format"),
      (["format": "sparkplugB", "sparkplug": ["group": "a/b"]], "spec.mqtt.sparkplug.group"),
      (["format": "sparkplugB", "sparkplug": [:]], "spec.mqtt.sparkplug.group"),
      (["format": "sparkplugB", "sparkplug": ["group": "g", "device": "{x}"]], "spec.mqtt.sparkplug.device"),
      (["topic": "t", "qos": 3], "spec.mqtt.qos"), (["topic": "t", "payload": "All"], "spec.mqtt.payload"),
      (["topic": "t", "messageExpiry": "0s"], "spec.mqtt.messageExpiry"), ([:], "spec.mqtt.topic"),
    ] as [(JSONValue, String)])
  func `what cannot be served is refused by its field`(json: JSONValue, field: String) {
    var specification = json
    specification["brokerRef"] = ["name": "cloud"]
    #expect {
      _ = try MQTTSinkPlugin(brokers: BrokerPool(logger: quiet)).writer(
        for: SinkRequest(name: "n/s", specification: specification))
    } throws: {
      "\($0)".contains(field)
    }
  }
}
