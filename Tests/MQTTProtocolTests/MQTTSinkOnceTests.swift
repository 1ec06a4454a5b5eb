import DeviceKit
import Documents
import Foundation
import MQTTClient
import MQTTSink
import SinkConformance
import SinkKit
import Synchronization
import TestSupport
import Testing

/// How often something has happened.
private final class Tally: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add() { value.withLock { $0 += 1 } }
}

/// QoS 2: each record once, whatever becomes of connections, clients and Brokers.
@Suite struct MQTTSinkOnceTests {
  @Test(arguments: MQTTVersion.allCases)
  func `QoS 2 brings each record once over lost connections`(version: MQTTVersion) async throws {
    let guarded = try await GuardedBroker()
    let credentials = ["-p", "\(guarded.broker.port)", "-u", "gateway", "-P", GuardedBroker.password]
    let receiver = try ChildProcess(
      ["mosquitto_sub", "-q", "2", "-c", "-i", "receiver", "-t", "c/#", "-F", "%p"] + credentials)
    // The gateway's way to the broker, which is cut again and again; the receiver's is not.
    let port = freePort()
    func way() throws -> ChildProcess {
      try ChildProcess([
        "socat", "TCP-LISTEN:\(port),bind=127.0.0.1,reuseaddr", "TCP:127.0.0.1:\(guarded.broker.port)",
      ])
    }
    let first = try way()
    var configuration = try BrokerConfiguration(
      url: "mqtt://127.0.0.1:\(port)", username: "gateway", password: GuardedBroker.password, clientID: "gateway",
      cleanSession: false, reconnectDelay: .milliseconds(10) ... .milliseconds(20))
    configuration.protocolVersion = version
    try await eventually("the receiver listens", seen: { receiver.errors }) {
      try await run(["mosquitto_pub", "-t", "c/probe", "-m", "probe"] + credentials).succeeded()
      return receiver.output.contains("probe")
    }
    configuration.endsFormerSession = true
    let connection = MQTTConnection(name: "default/cloud", configuration: configuration, logger: quiet)
    let batches = (0..<30).map { batch in
      (0..<100).map { MQTTPublication(topic: "c/d", payload: Array("\(batch * 100 + $0)".utf8), qos: 2) }
    }
    let done = Tally()
    let cuts = Tally()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { done.add() }
        for batch in batches {
          try await eventually("complete") {
            // A connection that is lost before any of it is sent gives the batch back.
            guard let pending = try? connection.begin(batch) else { return false }
            while true {
              guard let isComplete = try? await pending.isComplete(within: .seconds(1)) else { return false }
              if isComplete { return true }
            }
          }
        }
      }
      group.addTask {
        var current = first
        for number in 0..<400 where done.count == 0 {
          // Cut while something is under way: some time after a line has come through.
          let before = receiver.output.utf8.count
          if number < 12 {
            try await eventually("more is heard") {
              receiver.output.utf8.count > before || done.count > 0 || !current.isRunning
            }
          } else {
            try await eventually("over, or the way is closed") { done.count > 0 || !current.isRunning }
          }
          if done.count > 0 { break }
          if current.isRunning { cuts.add() }
          current.end(SIGKILL)
          current = try way()
        }
        withExtendedLifetime(current) {}
      }
      try await group.waitForAll()
    }
    func numbers() -> [Int] {
      receiver.output.split(separator: "\n").dropLast(receiver.output.hasSuffix("\n") ? 0 : 1).compactMap { Int($0) }
    }
    try await eventually("all arrived", seen: { "\(numbers().count) of 3000" }) { numbers().count >= 3_000 }
    #expect(numbers() == Array(0..<3_000))
    #expect(cuts.count > 3, "the way was cut too seldom to show anything")
    connection.close()
  }

  @Test(arguments: MQTTVersion.allCases)
  func `what a former client left half sent at QoS 2 takes nothing from the next`(version: MQTTVersion) async throws {
    // With Debian's settings: 20 messages in flight, what is beyond is thrown away.
    let broker = try await Mosquitto()
    let id = "gateway-default-s"
    // CONNECT with a session that is kept, 20 PUBLISH of QoS 2 and never a PUBREL; read are CONNACK and each PUBREC.
    let connect =
      "\\x10\\x\(hex(12 + id.utf8.count))\\x00\\x04MQTT\\x04\\x00\\x00\\x1e\\x00\\x\(hex(id.utf8.count))\(id)"
    let publishes = (1...20).map { "\\x34\\x08\\x00\\x03c/x\\x40\\x\(hex($0))?" }.joined()
    try await run([
      "bash", "-c",
      "exec 3<>/dev/tcp/127.0.0.1/\(broker.port); printf '\(connect)\(publishes)' >&3; head -c 84 <&3 >/dev/null",
    ]).succeeded()
    let receiver = try ChildProcess(["mosquitto_sub", "-q", "1", "-p", "\(broker.port)", "-t", "c/#", "-F", "%p"])
    try await eventually("the receiver listens", seen: { receiver.errors }) {
      try await broker.publish("c/probe", "probe")
      return receiver.output.contains("probe")
    }
    var configuration = try BrokerConfiguration(
      url: broker.url, clientID: "gateway", reconnectDelay: .milliseconds(20) ... .milliseconds(100))
    configuration.protocolVersion = version
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", configuration)
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(
        name: "default/s", specification: ["brokerRef": ["name": "cloud"], "topic": "c/{device}", "qos": 2]))
    let records = (0..<300).map { SinkUnderTest.sample($0) }
    try await eventually("delivered") { await writer.send(records) == .delivered }
    try await broker.publish("c/end", "end")
    try await eventually("the end arrived", seen: { receiver.errors }) { receiver.output.contains("end\n") }
    let numbers = receiver.output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0))["seq"]?.int }
    #expect(numbers == Array(0..<300), "\(numbers.count) of 300")
    await writer.close()
  }

  @Test(arguments: MQTTVersion.allCases)
  func `a batch begun at QoS 2 follows its Broker to another address`(version: MQTTVersion) async throws {
    let (former, present) = (try await Mosquitto(), try await Mosquitto())
    let receiver = try ChildProcess(["mosquitto_sub", "-q", "1", "-p", "\(present.port)", "-t", "c/#", "-F", "%p"])
    try await eventually("the receiver listens", seen: { receiver.errors }) {
      try await present.publish("c/probe", "probe")
      return receiver.output.contains("probe")
    }
    func configuration(_ broker: Mosquitto) throws -> BrokerConfiguration {
      var configuration = try BrokerConfiguration(
        url: broker.url, clientID: "gateway", reconnectDelay: .milliseconds(20) ... .milliseconds(100))
      configuration.protocolVersion = version
      return configuration
    }
    let pool = BrokerPool(logger: quiet)
    pool.set("default/cloud", try configuration(former))
    let writer = try MQTTSinkPlugin(brokers: pool).writer(
      for: SinkRequest(
        name: "default/s", specification: ["brokerRef": ["name": "cloud"], "topic": "c/{device}", "qos": 2]))
    try await eventually("delivered") { await writer.send([SinkUnderTest.sample(0)]) == .delivered }
    former.pause()
    defer { former.resume() }
    let records = (1...100).map { SinkUnderTest.sample($0) }
    let hasBegun = Mutex(false)
    let first = Task {
      hasBegun.withLock { $0 = true }
      return await writer.send(records)
    }
    try await eventually("begun") { hasBegun.withLock { $0 } }
    pool.set("default/cloud", try configuration(present))
    // Where the change came before the batch, there was nothing to begin anew.
    if await first.value != .delivered {
      try await eventually("delivered") { await writer.send(records) == .delivered }
    }
    try await eventually("all arrived", seen: { receiver.output }) {
      let numbers = receiver.output.split(separator: "\n").compactMap {
        try? JSONValue(parsing: String($0))["seq"]?.int
      }
      return numbers == Array(1...100)
    }
    await writer.close()
  }

  private func hex(_ byte: Int) -> String { String(byte + 256, radix: 16).suffix(2).lowercased() }
}
