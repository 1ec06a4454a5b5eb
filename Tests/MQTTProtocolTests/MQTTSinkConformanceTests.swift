import DeviceKit
import Documents
import Foundation
import MQTTClient
import MQTTSink
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// A broker with a name and a password, and rights: only below `c/` is anything allowed to be published.
struct GuardedBroker {
  static let password = "right-s3cret"
  let broker: Mosquitto
  let files: ScratchFolder

  init() async throws {
    files = try ScratchFolder()
    try await run(["mosquitto_passwd", "-b", "-c", files("passwords"), "gateway", Self.password]).succeeded()
    try files.write("user gateway\ntopic readwrite c/#\ntopic write spBv1.0/#\ntopic read #\n", to: "rights")
    // 20 messages in flight is mosquitto's own limit, and common.
    broker = try await Mosquitto([
      "allow_anonymous false", "password_file \(files("passwords"))", "acl_file \(files("rights"))",
      "persistence true", "persistence_location \(files.path)/", "max_queued_messages 0", "max_inflight_messages 20",
      "max_packet_size 300000",
    ])
  }

  func configuration(_ version: MQTTVersion, password: String = Self.password, clientID: String = "gateway")
    throws -> BrokerConfiguration
  {
    var configuration = try BrokerConfiguration(
      url: broker.url, username: "gateway", password: password, clientID: clientID, cleanSession: false,
      reconnectDelay: .milliseconds(20) ... .milliseconds(100))
    configuration.protocolVersion = version
    return configuration
  }
}

@Suite struct MQTTSinkConformanceTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    var version: MQTTVersion
    var qos: Int
    var payload = "Record"
    var testDescription: String { "MQTT \(version == .v5 ? "5" : "3.1.1"), QoS \(qos), \(payload)" }

    static let all = [
      Setting(version: .v3_1_1, qos: 1), Setting(version: .v3_1_1, qos: 2), Setting(version: .v5, qos: 1),
      Setting(version: .v5, qos: 2), Setting(version: .v3_1_1, qos: 1, payload: "Batch"),
    ]
  }

  private func subject(_ setting: Setting) async throws -> SinkUnderTest {
    let guarded = try await GuardedBroker()
    let logger = quiet
    let pool = BrokerPool(logger: logger)
    pool.set("default/cloud", try guarded.configuration(setting.version))
    pool.set("default/wrong", try guarded.configuration(setting.version, password: "wrong-s3cret", clientID: "w"))
    let heard = Heard()
    let receiver = MQTTConnection(
      name: "default/receiver", configuration: try guarded.configuration(.v3_1_1, clientID: "receiver"), logger: logger)
    let subscription = receiver.subscribe([try TopicFilter("c/#", qos: 1)], handler: heard.take)
    try await eventually("the receiver listens") {
      _ = try? await receiver.publish(topic: "c/probe", payload: [])
      return !heard.messages.isEmpty
    }
    // The first attempt of a pool's connection takes a moment.
    try await eventually("connected") { pool.connection(named: "default/cloud").state == .connected }
    let plugin = MQTTSinkPlugin(brokers: pool)
    @Sendable func writer(_ broker: String) throws -> any SinkWriter {
      try plugin.writer(
        for: SinkRequest(
          name: "default/s",
          specification: [
            "brokerRef": ["name": .string(broker)], "topic": "c/{device}/{property}",
            "qos": .integer(Int64(setting.qos)),
            "payload": .string(setting.payload),
          ]))
    }
    return SinkUnderTest(
      writer: { try writer("cloud") },
      received: {
        withExtendedLifetime((subscription, receiver)) {}
        return try heard.messages.filter { $0.topic != "c/probe" }.flatMap(Self.arrivals)
      },
      takeAway: { guarded.broker.stop() },
      bringBack: { try await guarded.broker.start() },
      poison: setting.version == .v5
        ? SinkUnderTest.sample(0, value: .string(String(repeating: "x", count: 400_000)))
        : SinkUnderTest.sample(0, device: String(repeating: "x", count: 70_000)),
      misconfigured: { try writer("wrong") }, secrets: [GuardedBroker.password, "wrong-s3cret"], bigBatch: 5_000)
  }

  private static func arrivals(_ message: MQTTMessage) throws -> [SinkUnderTest.Arrival] {
    let levels = message.topic.split(separator: "/").map { $0.removingPercentEncoding ?? "?" }
    let json = try JSONValue(parsing: message.payload)
    return try (json.array ?? [json]).map { object in
      guard let text = object["time"]?.string, let time = Timestamp(text), levels.count == 3 else {
        throw Trouble("on \(message.topic): \(object)")
      }
      var fields: [String: Value] = [:]
      for (name, value) in object.object ?? [:] where !["time", "start", "seq", "quality", "unit"].contains(name) {
        fields[name] = Value(received: value)
      }
      return SinkUnderTest.Arrival(device: levels[1], property: levels[2], time: time, fields: fields)
    }
  }

  @Test(.serialized, arguments: Setting.all)
  func `keeps the rules of a sink`(setting: Setting) async throws {
    // One rule after the other: each starts a broker, and some restart it.
    for rule in SinkConformance.rules(for: Set(SinkUnderTest.Ability.allCases)) {
      do {
        try await rule.hold(on: try await subject(setting))
      } catch {
        Issue.record("\(rule.name): \(error)")
      }
    }
  }

  @Test func `QoS 0 is delivered when the broker has read it`() async throws {
    let setting = Setting(version: .v3_1_1, qos: 0)
    for rule in SinkConformance.rules(for: [.exactIntegers, .strings, .anyNames, .refusal]) {
      do {
        try await rule.hold(on: try await subject(setting))
      } catch {
        Issue.record("\(rule.name): \(error)")
      }
    }
  }
  @Test func `MQTT 5 tells content type, expiry and sequence beside the payload`() async throws {
    let broker = try await Mosquitto()
    var configuration = try BrokerConfiguration(url: broker.url)
    configuration.protocolVersion = .v5
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", configuration)
    let receiver = try ChildProcess([
      "mosquitto_sub", "-V", "mqttv5", "-p", "\(broker.port)", "-t", "c/#", "-F", "%t|%C|%E|%P",
    ])
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(
        name: "default/s",
        specification: ["brokerRef": ["name": "cloud"], "topic": "c/{device}", "messageExpiry": "1h"]))
    try await eventually("heard", seen: { receiver.output + receiver.errors }) {
      _ = await writer.send([SinkUnderTest.sample(7)])
      return receiver.output.contains("\n")
    }
    let line = receiver.output.split(separator: "\n")[0]
    let parts = line.split(separator: "|", omittingEmptySubsequences: false)
    #expect(parts.count == 4 && parts[0] == "c/boiler-1" && parts[1] == "application/json", "\(line)")
    #expect(Int(parts[2]).map { (3_590...3_600).contains($0) } == true, "\(line)")
    #expect(parts[3].contains("sequence:7") && parts[3].contains("pipeline:default/conformance"), "\(line)")
  }

  @Test func `what the broker's rules forbid is told by MQTT 5 and kept`() async throws {
    let guarded = try await GuardedBroker()
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", try guarded.configuration(.v5))
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(
        name: "default/s", specification: ["brokerRef": ["name": "cloud"], "topic": "forbidden/{device}"]))
    try await eventually("connected") { pool.connection(named: "default/cloud").state == .connected }
    guard case .retry(let error, _) = await writer.send([SinkUnderTest.sample(1)]) else {
      Issue.record("delivered against the rules, or destroyed")
      return
    }
    #expect(error.reason == "NotAuthorised" && error.message.contains("forbidden/boiler-1"), "\(error)")
  }

  @Test(arguments: MQTTVersion.allCases)
  func `a session outlives its connection`(version: MQTTVersion) async throws {
    let guarded = try await GuardedBroker()
    let heard = Heard()
    let sender = MQTTConnection(
      name: "default/sender", configuration: try guarded.configuration(.v3_1_1, clientID: "sender"), logger: quiet)
    do {
      let first = MQTTConnection(
        name: "default/first", configuration: try guarded.configuration(version, clientID: "keeper"), logger: quiet)
      let subscription = first.subscribe([try TopicFilter("c/#", qos: 1)], handler: heard.take)
      try await eventually("heard") {
        _ = try? await sender.publish(topic: "c/1", payload: Array("here".utf8))
        return heard.texts.contains("here")
      }
      first.close()
      try await eventually("closed") { if case .disconnected = first.state { true } else { false } }
      withExtendedLifetime(subscription) {}
    }
    try await sender.publish(topic: "c/1", payload: Array("away".utf8))
    let second = MQTTConnection(name: "default/second", logger: quiet)
    let again = Heard()
    let subscription = second.subscribe([try TopicFilter("c/#", qos: 1)], handler: again.take)
    second.configure(try guarded.configuration(version, clientID: "keeper"))
    try await eventually("kept for it", seen: { "\(again.texts) \(second.state)" }) { again.texts.contains("away") }
    withExtendedLifetime(subscription) {}
  }

  @Test(arguments: MQTTVersion.allCases)
  func `a session that another client takes over is taken back, and nothing is lost`(version: MQTTVersion) async throws
  {
    let guarded = try await GuardedBroker()
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", try guarded.configuration(version, clientID: "same"))
    let connection = pool.connection(named: "default/cloud")
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(name: "default/s", specification: ["brokerRef": ["name": "cloud"], "topic": "c/{device}"]))
    let credentials = ["-p", "\(guarded.broker.port)", "-u", "gateway", "-P", GuardedBroker.password]
    let receiver = try ChildProcess(["mosquitto_sub", "-q", "1", "-t", "c/#", "-F", "%p"] + credentials)
    try await eventually("heard", seen: { receiver.errors }) {
      _ = await writer.send([SinkUnderTest.sample(0)])
      return !receiver.output.isEmpty
    }
    let session = connection.session
    _ = try await run(["mosquitto_pub", "-i", "same", "-t", "c/other", "-m", "{}"] + credentials)
    for number in 1...20 {
      try await eventually("delivered") { await writer.send([SinkUnderTest.sample(number)]) == .delivered }
    }
    try await eventually("all arrived", seen: { receiver.output }) {
      let numbers = try receiver.output.split(separator: "\n").map { try JSONValue(parsing: String($0))["seq"]?.int }
      return Set(0...20).isSubset(of: Set(numbers.compactMap { $0 }))
    }
    #expect(connection.session > session)
  }

  @Test func `a sink's client certificate is checked by the broker`() async throws {
    let files = try ScratchFolder()
    func openssl(_ words: String...) async throws { try await run(["openssl"] + words).succeeded() }
    try await openssl(
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", files("ca.key"), "-out", files("ca.crt"), "-days",
      "2",
      "-subj", "/CN=Test CA")
    try files.write("subjectAltName=IP:127.0.0.1\n", to: "names")
    for name in ["server", "client"] {
      try await openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", files("\(name).key"), "-out", files("\(name).csr"), "-subj",
        "/CN=\(name)")
      try await openssl(
        "x509", "-req", "-in", files("\(name).csr"), "-CA", files("ca.crt"), "-CAkey", files("ca.key"),
        "-CAcreateserial",
        "-out", files("\(name).crt"), "-days", "2", "-extfile", files("names"))
    }
    let broker = try await Mosquitto(listener: [
      "cafile \(files("ca.crt"))", "certfile \(files("server.crt"))", "keyfile \(files("server.key"))",
      "require_certificate true", "use_identity_as_username true",
    ])
    func outcome(_ certificate: String?, authority: String = "ca", verifies: Bool = true) async throws -> SinkOutcome {
      let pool = BrokerPool(logger: quiet)
      var configuration = try BrokerConfiguration(
        url: "mqtts://127.0.0.1:\(broker.port)", caFile: files("\(authority).crt"),
        certificateFile: certificate.map { files("\($0).crt") }, keyFile: certificate.map { files("\($0).key") },
        reconnectDelay: .milliseconds(20) ... .milliseconds(100))
      configuration.verifiesBroker = verifies
      pool.set("default/cloud", configuration)
      let writer = try MQTTSinkPlugin(brokers: pool).writer(
        for: SinkRequest(name: "default/s", specification: ["brokerRef": ["name": "cloud"], "topic": "t", "qos": 1]))
      let connection = pool.connection(named: "default/cloud")
      try await eventually("decided", seen: { "\(connection.state)" }) {
        switch connection.state {
        case .connected: true
        case .disconnected(let error): error.kind != .notConfigured
        case .connecting: false
        }
      }
      defer { pool.close() }
      return await writer.send([SinkUnderTest.sample(1)])
    }
    #expect(try await outcome("client") == .delivered)
    // An authority that did not sign the broker's certificate, with and without the check.
    #expect(try await outcome("client", authority: "client") != .delivered)
    #expect(try await outcome("client", authority: "client", verifies: false) == .delivered)
    guard case .retry(let error, _) = try await outcome(nil) else {
      Issue.record("let in without a certificate")
      return
    }
    #expect(error.message.count > 10)
  }
}
