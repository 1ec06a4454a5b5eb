import DeviceKit
import Documents
import MQTTClient
import MQTTProtocol
import Synchronization
import TestSupport
import Testing

final class Reports: Sendable {
  private let contents = Mutex<[DiscoveryReport]>([])
  var all: [DiscoveryReport] { contents.withLock { $0 } }
  var names: [String]? { all.last?.devices.map(\.nameHint) }
  func take(_ report: DiscoveryReport) { contents.withLock { $0.append(report) } }
}

@Suite struct MQTTDiscoveryTests {
  @Test func aPatternNamesTheDevicesItFinds() throws {
    var discovery = TopicDiscovery(
      [TopicPattern(filter: try TopicFilter("sensors/+"), name: "{1}", modelName: "room-sensor")], broker: "local")
    let topics = [("sensors/room-1", "{}"), ("sensors/room-1", "{}"), ("other/room-2", "{}"), ("sensors/room-9", "")]
    let changes = topics.map { discovery.handle($0.0, Array($0.1.utf8)) }
    #expect(changes == [true, false, false, false])
    let device = try #require(discovery.devices.first)
    #expect(device.connection == ["brokerRef": ["name": "local"], "base": "sensors/room-1"])
    #expect(device.stableID == "sensors/room-1" && device.nameHint == "room-1" && device.isNameExact)
    #expect(device.modelName == "room-sensor")
    _ = discovery.handle("sensors/room-1", [])
    #expect(discovery.devices.isEmpty)
  }

  @Test func aBaseGathersSeveralTopics() throws {
    var discovery = TopicDiscovery(
      [TopicPattern(filter: try TopicFilter("plant/+/+"), name: "{1}", base: "plant/{1}")], broker: "local")
    let payloads: [(String, [UInt8])] = [
      ("plant/a/t", [1]), ("plant/a/h", [1]), ("plant/a/t", []), ("plant/a/h", []), ("plant/b/t", [1]),
    ]
    let changes = payloads.map { discovery.handle($0.0, $0.1) }
    #expect(changes == [true, false, false, true, true])
    #expect(discovery.devices.map(\.stableID) == ["plant/b"])
  }

  @Test func devicesAreReportedAndGoWithTheirRetainedMessage() async throws {
    let broker = try await Mosquitto()
    let pool = BrokerPool(logger: quiet)
    let plugin = MQTTPlugin(brokers: pool, clock: .system, logger: quiet)
    let specification: JSONValue = [
      "brokerRef": ["name": "local"], "conventions": ["sparkplug"],
      "topics": [["pattern": "sensors/+", "name": "{1}", "modelRef": ["name": "room-sensor"]]],
    ]
    let discoverer = try #require(
      try plugin.discoverer(
        for: DiscoveryRequest(name: "d", namespace: "ns", specification: specification, every: .seconds(900))))
    pool.set("ns/local", try BrokerConfiguration(url: broker.url))
    let outside = try await MQTTConnection.connected(to: broker)
    try await outside.publish(topic: "sensors/room-1", payload: Array("{}".utf8), retain: true)
    let reports = Reports()
    let running = Task { try await discoverer.run { report in reports.take(report) } }
    try await eventually("first report") { reports.names == ["room-1"] }
    #expect(reports.all[0].warnings.contains { $0.contains("sparkplug") })
    try await outside.publish(topic: "sensors/room-2", payload: Array("{}".utf8))
    try await eventually("second device") { reports.names == ["room-1", "room-2"] }
    try await outside.publish(topic: "sensors/room-1", payload: [], retain: true)
    try await eventually("first device gone") { reports.names == ["room-2"] }
    broker.kill()
    await #expect(throws: DeviceError.self) { try await running.value }
  }

  @Test(
    arguments: [
      (["pattern": "a/#/b"], "topics[0].pattern"), (["pattern": "a/+", "name": "{2}"], "topics[0].name"),
      (["pattern": "a/+", "base": "{1}/{3}"], "topics[0].base"),
    ] as [(JSONValue, String)]) func aPatternThatCannotBeServedIsRefused(entry: JSONValue, field: String) throws
  {
    let plugin = MQTTPlugin(brokers: BrokerPool(logger: quiet), clock: .system, logger: quiet)
    do throws(DeviceError) {
      _ = try plugin.discoverer(
        for: DiscoveryRequest(
          name: "d", specification: ["brokerRef": ["name": "b"], "topics": .array([entry])], every: .seconds(1)))
      Issue.record("accepted \(entry)")
    } catch {
      #expect(error.isPermanent && error.message.contains(field), "\(error)")
    }
  }

}
