import DeviceKit
import Documents
import Plant
import TestSupport
import Testing

@Suite("Simulated MQTT devices on a real mosquitto")
struct RoomDeviceTests {
  private func rooms(_ broker: Mosquitto, count: Int = 2, interval: Duration = .milliseconds(20)) -> PlantConfiguration
  {
    PlantConfiguration(
      rooms: RoomConfiguration(
        count: count, broker: MQTTEndpoint(host: "127.0.0.1", port: Int(broker.port)), interval: interval))
  }

  @Test("each device publishes numbered samples in the documented shape")
  func samples() async throws {
    let broker = try await Mosquitto()
    defer { broker.stop() }
    let heard = try await Subscriber(broker, "sensors/+")
    defer { heard.stop() }
    var configuration = rooms(broker)
    configuration.clock = WallClock { Timestamp(seconds: 1_700_000_000) }
    try await withPlant(configuration) { _ in
      #expect(await becomesTrue { heard.messages.count { $0.topic == "sensors/room-2" } >= 10 })
    }
    for room in ["sensors/room-1", "sensors/room-2"] {
      let samples = try heard.messages.filter { $0.topic == room }.map { try $0.json() }
      #expect(samples.compactMap { $0["seq"]?.int } == Array(1...samples.count))
      let first = try #require(samples.first)
      #expect(first["temperature"]?.number != nil)
      #expect(first["humidity"]?.number != nil)
      #expect(first[path: "config", "interval"]?.number == 0.02)
      #expect(first["time"]?.string == "2023-11-14T22:13:20.000Z")
    }
  }

  @Test("a new interval is confirmed at once; what is no interval is refused")
  func settings() async throws {
    let broker = try await Mosquitto()
    defer { broker.stop() }
    let heard = try await Subscriber(broker, "sensors/room-1")
    defer { heard.stop() }
    try await withPlant(rooms(broker, count: 1, interval: .seconds(3_600))) { plant in
      #expect(await becomesTrue { plant.rooms[0].acknowledged == 1 })
      for payload in ["{\"interval\": 0}", "{\"interval\": \"5\"}", "nonsense", "{\"interval\": 30}"] {
        try await broker.publish("sensors/room-1/set", payload)
      }
      #expect(await becomesTrue { heard.messages.count == 2 })
      #expect(try heard.messages[1].json()[path: "config", "interval"]?.int == 30)
      #expect(plant.rooms[0].interval == .seconds(30))
      #expect(plant.rooms[0].acceptedSettings == 1)
      #expect(plant.rooms[0].refusedSettings == 3)
    }
  }

  @Test("while the broker is away the devices go on numbering, and every number is acknowledged when it is back")
  func outage() async throws {
    let broker = try await Mosquitto()
    defer { broker.stop() }
    let before = try await Subscriber(broker, "sensors/room-1")
    try await withPlant(rooms(broker, count: 1)) { plant in
      #expect(await becomesTrue { before.messages.count >= 5 })
      broker.kill()
      before.stop()
      let atKill = plant.rooms[0].sequence
      #expect(await becomesTrue { plant.mqtt?.isConnected == false && plant.rooms[0].sequence > atKill + 20 })
      try await broker.start()
      let after = try await Subscriber(broker, "sensors/room-1")
      defer { after.stop() }
      let target = plant.rooms[0].sequence
      #expect(await becomesTrue { plant.rooms[0].acknowledged >= target })
      #expect(plant.rooms[0].dropped == 0)
      #expect(plant.mqtt?.connections == 2)
    }
  }

  @Test("a full queue gives up its oldest samples, and counts them")
  func overflow() async throws {
    let broker = try await Mosquitto()
    broker.stop()
    var configuration = rooms(broker, count: 1, interval: .milliseconds(2))
    configuration.rooms?.queueLimit = 10
    try await withPlant(configuration) { plant in
      #expect(await becomesTrue { plant.rooms[0].sequence > 60 })
      #expect(await becomesTrue { plant.mqtt?.waiting == 10 })
      #expect(await becomesTrue { plant.mqtt.map { $0.dropped >= 50 && $0.lastError != nil } == true })
    }
  }

  @Test("a silent device publishes nothing and numbers nothing; a deaf one ignores its set topic")
  func faults() async throws {
    let broker = try await Mosquitto()
    defer { broker.stop() }
    let heard = try await Subscriber(broker, "sensors/+")
    defer { heard.stop() }
    try await withPlant(rooms(broker)) { plant in
      #expect(plant.control("fault room-1 silence") == "ok")
      #expect(plant.control("fault room-2 garbage") == "ok")
      let silentAt = plant.rooms[0].sequence
      #expect(await becomesTrue { heard.messages.contains { $0.topic == "sensors/room-2" && (try? $0.json()) == nil } })
      #expect(plant.rooms[0].sequence == silentAt)
      #expect(plant.control("clear all") == "ok")
      #expect(await becomesTrue { plant.rooms[0].sequence > silentAt })
    }
  }
}
