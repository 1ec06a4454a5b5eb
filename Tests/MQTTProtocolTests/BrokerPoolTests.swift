import Documents
import Logging
import MQTTClient
import TestSupport
import Testing

@Suite struct BrokerPoolTests {
  @Test func aSubscriberMayComeBeforeItsBroker() async throws {
    let pool = BrokerPool(logger: quiet)
    let connection = pool.connection(named: "default/later")
    let heard = Heard()
    let subscription = connection.subscribe([try TopicFilter("a")], handler: heard.take)
    await #expect(throws: MQTTError.self) { try await connection.publish(topic: "a", payload: [1]) }
    let broker = try await Mosquitto()
    pool.set("default/later", try BrokerConfiguration(url: broker.url))
    #expect(pool.connection(named: "default/later") === connection)
    try await eventually("heard") {
      _ = try? await connection.publish(topic: "a", payload: [7])
      return heard.messages.contains { $0.payload == [7] }
    }
    subscription.cancel()
    pool.close()
  }

  @Test func messagesArriveByTheClockOfThePool() async throws {
    // A gateway's clock goes on by itself until it takes a step that the machine's has made.
    let pool = BrokerPool(logger: quiet, now: { Timestamp(seconds: 1_700_000_000) })
    let broker = try await Mosquitto()
    pool.set("ns/b", try BrokerConfiguration(url: broker.url))
    let connection = pool.connection(named: "ns/b")
    let heard = Heard()
    let subscription = connection.subscribe([try TopicFilter("a")], handler: heard.take)
    try await eventually("heard") {
      _ = try? await connection.publish(topic: "a", payload: [7])
      return !heard.messages.isEmpty
    }
    #expect(heard.messages.allSatisfy { $0.arrival == Timestamp(seconds: 1_700_000_000) })
    subscription.cancel()
    pool.close()
  }

  @Test func aChangedBrokerIsConnectedAnewAndARemovedOneIsLeft() async throws {
    let pool = BrokerPool(logger: quiet)
    let (one, two) = (try await Mosquitto(), try await Mosquitto())
    let heard = Heard()
    pool.set("ns/b", try BrokerConfiguration(url: one.url))
    let connection = pool.connection(named: "ns/b")
    let subscription = connection.subscribe([try TopicFilter("a")], handler: heard.take)
    try await eventually("connected") { connection.state == .connected }
    pool.set("ns/b", try BrokerConfiguration(url: two.url))
    let other = try await MQTTConnection.connected(to: two)
    try await eventually("heard from the second") {
      _ = try? await other.publish(topic: "a", payload: [2])
      return heard.messages.contains { $0.payload == [2] }
    }
    pool.remove("ns/b")
    let error = try await eventually("left") { () -> MQTTError? in
      if case .disconnected(let error) = connection.state { error } else { nil }
    }
    #expect(error.kind == .notConfigured)
    #expect(pool.names.isEmpty)
    pool.set("ns/b", try BrokerConfiguration(url: one.url))
    try await eventually("connected again") { connection.state == .connected }
    subscription.cancel()
    pool.close()
  }

  @Test func theStatesOfAllBrokersCanBeFollowed() async throws {
    let pool = BrokerPool(logger: quiet)
    let broker = try await Mosquitto()
    let states = pool.states
    pool.set("ns/b", try BrokerConfiguration(url: broker.url))
    var seen: [MQTTState] = []
    for await state in states {
      #expect(state.name == "ns/b")
      seen.append(state.state)
      if state.state == .connected { break }
    }
    #expect(seen.contains(.connecting))
    pool.close()
  }

  @Test(arguments: [
    ("mqtt://host", "mqtt://host:1883"), ("mqtts://host/", "mqtts://host:8883"), ("mqtt://[::1]:9", "mqtt://[::1]:9"),
  ])
  func aUrlIsRead(url: String, canonical: String) throws {
    #expect(try BrokerConfiguration(url: url).description == canonical)
  }

  @Test(arguments: [
    ("http://host", "unknown scheme"), ("mqtt://", "host is missing"), ("mqtt://host:0", "1…65535"),
    ("mqtt://host:99999", "1…65535"), ("mqtt://user:secret@host", "credentialsSecretRef"),
    ("mqtt://host/path", "nothing"),
    ("mqtt://[::1", "without ']'"),
  ])
  func aBadUrlIsRefusedWithItsReason(url: String, reason: String) {
    do throws(MQTTError) {
      _ = try BrokerConfiguration(url: url)
      Issue.record("accepted \(url)")
    } catch {
      #expect(error.message.contains(reason), "\(error.message)")
      #expect(!error.message.contains("secret@"))
    }
  }
}
