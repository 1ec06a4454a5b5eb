import DeviceKit
import Documents
import MQTTClient
import MQTTProtocol
import Synchronization
import TestSupport
import Testing

/// A feed that keeps what it is given.
final class RecordingFeed: DeviceFeed {
  private let contents = Mutex<(readings: [(PointID, Reading)], states: [ConnectionState])>(([], []))
  func deliver(_ batch: SampleBatch) async {
    contents.withLock { contents in
      for index in 0..<batch.count { contents.readings.append((batch.points[index], batch.reading(at: index))) }
    }
  }
  func connection(of device: DeviceKey, is state: ConnectionState) { contents.withLock { $0.states.append(state) } }
  func readings(_ index: UInt32) -> [Reading] {
    contents.withLock { $0.readings.filter { $0.0.index == index }.map(\.1) }
  }
  var states: [ConnectionState] { contents.withLock { $0.states } }
}

/// A plugin with a real broker and one served device, `sensors/room-1`.
struct ServedRoom {
  let broker: Mosquitto
  let pool: BrokerPool
  let plugin: MQTTPlugin
  let feed = RecordingFeed()
  let session: any DeviceSession
  let outside: MQTTConnection

  static let properties = [
    PropertyDefinition(name: "temperature", type: .number, binding: ["path": "temperature", "timePath": "time"]),
    PropertyDefinition(name: "humidity", type: .integer, binding: ["path": "air[0].humidity"]),
    PropertyDefinition(
      name: "interval", type: .integer, access: .readWrite,
      binding: ["path": "config.interval", "setTopic": "{base}/set", "setPayload": "{\"interval\": {value}}"]),
    PropertyDefinition(name: "mode", type: .string, binding: ["topic": "{base}/mode", "encoding": "text"]),
  ]

  init(silentAfter: String? = nil) async throws {
    broker = try await Mosquitto()
    pool = BrokerPool(logger: quiet)
    plugin = MQTTPlugin(brokers: pool, clock: .system, logger: quiet)
    pool.set(
      "default/local",
      try BrokerConfiguration(url: broker.url, reconnectDelay: .milliseconds(20) ... .milliseconds(100)))
    var connection: JSONValue = ["brokerRef": ["name": "local"], "base": "sensors/room-1"]
    if let silentAfter { connection["silentAfter"] = .string(silentAfter) }
    session = try plugin.session(
      for: SessionRequest(
        device: DeviceKey(namespace: "default", name: "room-1"), connection: connection, properties: Self.properties,
        points: (0..<4).map { PointID(index: $0) }), feed: feed)
    outside = try await MQTTConnection.connected(to: broker)
  }

  /// Runs the session while `body` runs.
  func served(_ body: @Sendable @escaping (ServedRoom) async throws -> Void) async throws {
    let running = Task { [session] in await session.run() }
    defer { running.cancel() }
    try await eventually("connected") { feed.states.contains(.connected) }
    try await eventually("listening") {
      try? await say("{\"probe\":1}")
      return plugin.counters.count(of: .missingPath) > 0
    }
    try await body(self)
    running.cancel()
    await running.value
  }

  func say(_ text: String, on topic: String = "sensors/room-1", retain: Bool = false) async throws {
    try await outside.publish(topic: topic, payload: Array(text.utf8), retain: retain)
  }
}

/// A feed that keeps the batches that it is given, and is stuck with one that has the number 1 until it is let go.
private final class StuckFeed: DeviceFeed {
  private let contents = Mutex<(batches: [SampleBatch], isLetGo: Bool)>(([], false))
  var batches: [SampleBatch] { contents.withLock { $0.batches } }
  func letGo() { contents.withLock { $0.isLetGo = true } }
  func deliver(_ batch: SampleBatch) async {
    contents.withLock { $0.batches.append(batch) }
    while batch.payloads.contains(1), !contents.withLock({ $0.isLetGo }) {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }
  func connection(of device: DeviceKey, is state: ConnectionState) {}
}

@Suite struct MQTTPluginTests {
  @Test func whatATurnBringsOfSeveralDevicesIsDeliveredTogetherAndInOrder() async throws {
    let broker = try await Mosquitto()
    let pool = BrokerPool(logger: quiet)
    let plugin = MQTTPlugin(brokers: pool, clock: .system, logger: quiet)
    pool.set("default/local", try BrokerConfiguration(url: broker.url))
    let feed = StuckFeed()
    let sessions = try (0..<3).map { index in
      try plugin.session(
        for: SessionRequest(
          device: DeviceKey(namespace: "default", name: "room-\(index)"),
          connection: ["brokerRef": ["name": "local"], "base": .string("rooms/\(index)")],
          properties: [PropertyDefinition(name: "number", type: .integer, binding: ["path": "number"])],
          points: [PointID(index: UInt32(index))]), feed: feed)
    }
    let outside = try await MQTTConnection.connected(to: broker)
    func say(_ number: Int, of room: Int) async throws {
      try await outside.publish(topic: "rooms/\(room)", payload: Array("{\"number\":\(number)}".utf8))
    }
    func numbers(of room: Int) -> [UInt64] {
      feed.batches.flatMap { batch in
        batch.points.indices.filter { batch.points[$0].index == room }.map { batch.payloads[$0] }
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for session in sessions { group.addTask { await session.run() } }
      defer { group.cancelAll() }
      try await eventually("all listen") {
        for room in 0..<3 { try? await say(0, of: room) }
        return (0..<3).allSatisfy { !numbers(of: $0).isEmpty }
      }
      try await say(1, of: 0)
      try await eventually("a delivery waits") { numbers(of: 0).last == 1 }
      for number in 2...6 {
        for room in 0..<3 { try await say(number, of: room) }
      }
      feed.letGo()
      try await eventually("all came") { (0..<3).allSatisfy { numbers(of: $0).last == 6 } }
    }
    #expect(feed.batches.contains { Set($0.points.map(\.index)).count == 3 })
    for room in 0..<3 { #expect(numbers(of: room).drop { $0 == 0 }.elementsEqual(room == 0 ? 1...6 : 2...6)) }
    pool.close()
  }

  @Test func aMessageGivesEveryPropertyOfItsTopic() async throws {
    try await ServedRoom().served { room in
      #expect(await room.session.read(["temperature"])["temperature"]?.error?.reason == "NothingHeard")
      try await room.say(
        #"{"temperature": 21.5, "time": "2026-01-02T03:04:05Z", "air": [{"humidity": 9223372036854775807}], "config": {"interval": 10}}"#
      )
      try await room.say("auto", on: "sensors/room-1/mode")
      try await eventually("mode") { !room.feed.readings(3).isEmpty }
      let temperature = try #require(room.feed.readings(0).last)
      #expect(temperature.value == .number(21.5))
      #expect(temperature.quality == .good)
      #expect(temperature.sourceTime.description == "2026-01-02T03:04:05.000Z")
      #expect(room.feed.readings(1).last?.value == .integer(.max))
      #expect(room.feed.readings(2).last?.value == .integer(10))
      #expect(room.feed.readings(3).last?.value == .string("auto"))
      let read = await room.session.read(["interval", "nothing"])
      #expect(try read["interval"]?.get().value == .integer(10))
      #expect(read["nothing"]?.error?.reason == "UnknownProperty")
    }
  }

  @Test func malformedJSONKeepsTheLastGoodValueAsUncertain() async throws {
    try await ServedRoom().served { room in
      try await room.say(#"{"temperature": 20}"#)
      try await room.say(#"{"temperature": 99,"#)
      try await eventually("doubted") { room.feed.readings(0).last?.quality == .uncertain }
      let reading = try #require(room.feed.readings(0).last)
      #expect(reading.value == .number(20))
      #expect(reading.cause.contains("malformed JSON on 'sensors/room-1'"))
      #expect(room.plugin.counters.count(of: .malformedJSON) == 1)
      try await room.say(#"{"temperature": "warm"}"#)
      try await eventually("wrong type") { room.plugin.counters.count(of: .wrongType) == 1 }
      try await eventually("doubted again") { room.feed.readings(0).last?.cause.contains("number") ?? false }
      #expect(room.feed.readings(0).last?.value == .number(20))
      try await room.say(#"{"temperature": 22}"#)
      try await eventually("good again") { room.feed.readings(0).last?.quality == .good }
    }
  }

  @Test func aWriteIsPublishedAndAcknowledged() async throws {
    try await ServedRoom().served { room in
      let heard = Heard()
      let device = room.outside.subscribe([try TopicFilter("sensors/room-1/set")], handler: heard.take)
      try await eventually("heard") {
        let results = await room.session.write([
          PropertyWrite(property: "interval", value: .integer(30)),
          PropertyWrite(property: "temperature", value: .number(1)),
          PropertyWrite(property: "absent", value: .number(1)),
        ])
        #expect(results[0] == nil)
        #expect(results[1]?.reason == "NotWritable")
        #expect(results[1]?.message.contains("setTopic") ?? false)
        #expect(results[2]?.reason == "UnknownProperty")
        return heard.texts.contains(#"{"interval": 30}"#)
      }
      device.cancel()
      room.broker.kill()
      try await eventually("refused") {
        await room.session.write([PropertyWrite(property: "interval", value: .integer(1))])[0] != nil
      }
    }
  }

  @Test func aLostBrokerMakesValuesUncertainAndComesBack() async throws {
    try await ServedRoom().served { room in
      try await room.say(#"{"temperature": 20}"#)
      try await eventually("good") { room.feed.readings(0).last?.quality == .good }
      room.broker.kill()
      try await eventually("uncertain") { room.feed.readings(0).last?.quality == .uncertain }
      let isLost = room.feed.states.contains { if case .disconnected = $0 { true } else { false } }
      #expect(isLost)
      try await room.broker.start()
      try await eventually("heard again") {
        try? await room.say(#"{"temperature": 23}"#)
        return room.feed.readings(0).last?.value == .number(23)
      }
      #expect(room.feed.states.last == .connected)
    }
  }

  @Test func aSilentDeviceIsSaidToBeDisconnected() async throws {
    try await ServedRoom(silentAfter: "200ms").served { room in
      try await room.say(#"{"temperature": 20}"#)
      try await eventually("silent") {
        room.feed.states.contains { if case .disconnected(let error) = $0 { error.reason == "Silent" } else { false } }
      }
      try await eventually("uncertain") { room.feed.readings(0).last?.quality == .uncertain }
      let before = room.feed.states.count
      try await room.say(#"{"temperature": 21}"#)
      // On a busy machine the next silence may have begun by the time that the test looks.
      try await eventually("connected again") { room.feed.states.dropFirst(before).contains(.connected) }
    }
  }

  @Test func aRepeatedRetainedMessageIsNoNewSample() async throws {
    try await ServedRoom().served { room in
      try await room.say(#"{"temperature": 20}"#, retain: true)
      try await eventually("heard") { room.feed.readings(0).count == 1 }
      // Another subscriber of the gateway makes the broker send the retained message again.
      let other = Heard()
      let subscription = room.pool.connection(named: "default/local").subscribe(
        [try TopicFilter("sensors/+")], handler: other.take)
      try await eventually("retained for the other") { other.messages.contains(where: \.isRetained) }
      try await eventually("counted") { room.plugin.counters.count(of: .retainedRepeat) >= 1 }
      #expect(room.feed.readings(0).count == 1)
      subscription.cancel()
    }
  }

  @Test(
    arguments: [
      (["topic": "a/+"], "wildcard"), (["topic": "{base}", "path": "a..b"], "empty key"),
      (["encoding": "text", "path": "a"], "no paths"),
      (["setTopic": "s", "setPayload": "on"], "{value}"),
    ] as [([String: String], String)])
  func aBindingThatCannotBeServedIsRefused(binding: [String: String], reason: String) throws {
    let plugin = MQTTPlugin(brokers: BrokerPool(logger: quiet), clock: .system, logger: quiet)
    let property = PropertyDefinition(name: "p", type: .number, binding: .object(binding.mapValues { .string($0) }))
    do throws(DeviceError) {
      _ = try plugin.session(
        for: SessionRequest(
          device: DeviceKey(namespace: "n", name: "d"), connection: ["brokerRef": ["name": "b"], "base": "x"],
          properties: [property], points: [PointID(index: 0)]), feed: RecordingFeed())
      Issue.record("accepted \(binding)")
    } catch {
      #expect(error.isPermanent)
      #expect(error.message.contains("property 'p'") && error.message.contains(reason), "\(error.message)")
    }
  }
}

extension Result {
  var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
