import Documents
import Foundation
import Logging
import MQTTClient
import Synchronization
import TestSupport
import Testing

let quiet: Logger = {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}()

extension MQTTConnection {
  /// A connection to `broker` that is connected.
  static func connected(
    to broker: Mosquitto, clientID: String? = nil, cleanSession: Bool = true, username: String? = nil,
    password: String? = nil
  ) async throws -> MQTTConnection {
    let configuration = try BrokerConfiguration(
      url: broker.url, username: username, password: password, clientID: clientID, cleanSession: cleanSession,
      reconnectDelay: .milliseconds(20) ... .milliseconds(100))
    let connection = MQTTConnection(name: "default/test", configuration: configuration, logger: quiet)
    try await eventually("connected") { connection.state == .connected }
    return connection
  }
}

@Suite struct MQTTConnectionTests {
  @Test func publishedMessagesArriveInOrder() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let heard = Heard()
    let subscription = connection.subscribe([try TopicFilter("t/+")], handler: heard.take)
    try await connection.publish(topic: "t/0", payload: Array("first".utf8))
    try await eventually("subscribed") {
      _ = try? await connection.publish(topic: "t/0", payload: Array("again".utf8))
      return !heard.messages.isEmpty
    }
    let before = heard.messages.count
    let many = (0..<2_000).map { MQTTPublication(topic: "t/\($0 % 7)", payload: Array("\($0)".utf8), qos: 1) }
    try await connection.publish(many)
    try await eventually("all heard") { heard.messages.count >= before + 2_000 }
    #expect(heard.texts.suffix(2_000) == (0..<2_000).map(String.init)[...])
    subscription.cancel()
  }

  @Test func overlappingSubscribersHearEachMessageOnceAndEveryoneGetsTheRetained() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    try await connection.publish(topic: "s/room-1", payload: Array("old".utf8), retain: true)
    let (wide, narrow, late) = (Heard(), Heard(), Heard())
    let first = connection.subscribe([try TopicFilter("s/+")], handler: wide.take)
    try await eventually("retained") { wide.texts == ["old"] }
    let second = connection.subscribe([try TopicFilter("s/room-1")], handler: narrow.take)
    try await eventually("retained for the second") { narrow.texts == ["old"] }
    let third = connection.subscribe([try TopicFilter("s/room-1")], handler: late.take)
    try await eventually("retained for the third") { late.texts == ["old"] }
    for number in 0..<50 { try await connection.publish(topic: "s/room-1", payload: Array("\(number)".utf8)) }
    try await eventually("last") { [wide, narrow, late].allSatisfy { $0.texts.last == "49" } }
    for heard in [wide, narrow, late] {
      let live = heard.messages.filter { !$0.isRetained }.map { String(decoding: $0.payload, as: UTF8.self) }
      #expect(live == (0..<50).map(String.init))
    }
    // Without the wide filter the narrow one stands on its own.
    first.cancel()
    try await eventually("heard alone") {
      _ = try? await connection.publish(topic: "s/room-1", payload: Array("alone".utf8))
      return narrow.texts.last == "alone"
    }
    second.cancel()
    third.cancel()
  }

  @Test func aRestartedBrokerIsFoundAgainWithItsSubscriptions() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let heard = Heard()
    let subscription = connection.subscribe(try (0..<150).map { try TopicFilter("d/\($0)") }, handler: heard.take)
    broker.kill()
    try await eventually("lost") { if case .disconnected = connection.state { true } else { false } }
    await #expect(throws: MQTTError.self) { try await connection.publish(topic: "d/1", payload: [1]) }
    try await broker.start()
    try await eventually("back") { connection.state == .connected }
    try await eventually("subscribed again") {
      _ = try? await connection.publish(topic: "d/149", payload: [1])
      return heard.messages.contains { $0.topic == "d/149" }
    }
    #expect(heard.states.contains(.connected))
    subscription.cancel()
  }

  @Test func aPubackWaitsForTheHandlerSoThatAnUnhandledMessageComesAgain() async throws {
    let broker = try await Mosquitto()
    let publisher = try await MQTTConnection.connected(to: broker)
    let heard = Heard()
    let isStuck = Mutex(true)
    let subscriber = try await MQTTConnection.connected(to: broker, clientID: "keeper", cleanSession: false)
    let subscription = subscriber.subscribe([try TopicFilter("q")]) { event in
      heard.take(event)
      guard case .messages = event else { return }
      while isStuck.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(2)) }
    }
    let probe = Heard()
    let probing = subscriber.subscribe([try TopicFilter("ready")], handler: probe.take)
    try await eventually("subscribed") {
      _ = try? await publisher.publish(topic: "ready", payload: [1])
      return !probe.messages.isEmpty
    }
    try await publisher.publish(topic: "q", payload: Array("precious".utf8))
    try await eventually("in the handler") { heard.texts == ["precious"] }
    // A second client of the same ID takes the session over while the first still holds the acknowledgement.
    let successor = MQTTConnection(name: "default/successor", logger: quiet)
    let redelivered = Heard()
    let hadConnected = Mutex<Bool?>(nil)
    let second = successor.subscribe([try TopicFilter("q")]) { event in
      if case .messages = event {
        hadConnected.withLock { $0 = $0 ?? redelivered.states.contains { $0 == .connected } }
      }
      redelivered.take(event)
    }
    successor.configure(try BrokerConfiguration(url: broker.url, clientID: "keeper", cleanSession: false))
    try await eventually("delivered again") { redelivered.texts.contains("precious") }
    #expect(hadConnected.withLock { $0 } == true, "the connection is told before what the broker kept for it")
    subscriber.close()
    isStuck.withLock { $0 = false }
    subscription.cancel()
    probing.cancel()
    second.cancel()
  }

  @Test func aPubackWaitsForTheEndOfTheTurnOfWhoTakesMessagesOneByOne() async throws {
    let broker = try await Mosquitto()
    let publisher = try await MQTTConnection.connected(to: broker)
    let keeping = KeepingTaker()
    let subscriber = try await MQTTConnection.connected(to: broker, clientID: "keeper", cleanSession: false)
    // Two subscriptions of one taker are told of the turn's end once.
    let subscriptions = try ["q", "r"].map { topic in
      subscriber.subscribe([try TopicFilter(topic)], taker: keeping) { event in keeping.handle(event) }
    }
    try await eventually("subscribed") {
      _ = try? await publisher.publish(topic: "q", payload: Array("ready".utf8))
      _ = try? await publisher.publish(topic: "r", payload: Array("ready".utf8))
      return Set(keeping.topics) == ["q", "r"]
    }
    #expect(keeping.hadConnected == true, "the handler is told of the connection before a message is taken")
    try await publisher.publish(topic: "q", payload: Array("precious".utf8))
    try await eventually("taken") { keeping.holdsPrecious }
    let successor = MQTTConnection(name: "default/successor", logger: quiet)
    let redelivered = Heard()
    let second = successor.subscribe([try TopicFilter("q")], handler: redelivered.take)
    successor.configure(try BrokerConfiguration(url: broker.url, clientID: "keeper", cleanSession: false))
    try await eventually("delivered again") { redelivered.texts.contains("precious") }
    subscriber.close()
    keeping.letGo()
    for subscription in subscriptions { subscription.cancel() }
    second.cancel()
  }

  @Test func aSilentBrokerMakesAPublicationFailAtItsDeadline() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    broker.pause()
    defer { broker.resume() }
    do throws(MQTTError) {
      try await connection.publish(topic: "x", payload: [1], within: .milliseconds(200))
      Issue.record("acknowledged by a stopped broker")
    } catch {
      #expect(error.kind == .timeout)
    }
  }

  @Test func aCancelledPublisherReturnsAtOnce() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    broker.pause()
    defer { broker.resume() }
    let task = Task { try await connection.publish(topic: "x", payload: [1], within: .seconds(60)) }
    task.cancel()
    await #expect(throws: MQTTError.self) { try await task.value }
  }

  @Test func aFullQueueRefusesMore() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    broker.pause()
    let many = Array(repeating: MQTTPublication(topic: "x", payload: [1]), count: MQTTConnection.queueLimit)
    // Each of the two fills the queue alone, so one is refused at once and the other waits for the broker.
    @Sendable func outcome() async -> MQTTError.Kind? {
      do throws(MQTTError) {
        try await connection.publish(many, within: .seconds(60))
        return nil
      } catch {
        broker.resume()
        return error.kind
      }
    }
    async let one = outcome()
    async let two = outcome()
    let outcomes = await [one, two]
    #expect(Set(outcomes) == [.queueFull, nil])
    try await connection.publish(topic: "x", payload: [3])
  }

  @Test func wrongCredentialsAndForbiddenTopicsAreNamed() async throws {
    let broker = try await Mosquitto()
    broker.kill()
    let (passwords, access) = (broker.folder + "/passwords", broker.folder + "/access")
    try await run(["/usr/bin/mosquitto_passwd", "-c", "-b", passwords, "gateway", "secret"]).succeeded()
    try "user gateway\ntopic readwrite open/#\n".write(toFile: access, atomically: true, encoding: .utf8)
    let settings =
      "listener \(broker.port) 127.0.0.1\nuser root\nlog_dest none\npassword_file \(passwords)\nacl_file \(access)\n"
    try settings.write(toFile: broker.folder + "/conf", atomically: true, encoding: .utf8)
    try await broker.start()
    let wrong = MQTTConnection(
      name: "default/wrong",
      configuration: try BrokerConfiguration(url: broker.url, username: "gateway", password: "guess"), logger: quiet)
    let error = try await eventually("refused") { () -> MQTTError? in
      if case .disconnected(let error) = wrong.state, error.kind != .notConfigured { error } else { nil }
    }
    #expect(error.kind == .unauthorised)
    #expect(!error.message.contains("guess"))
    let right = try await MQTTConnection.connected(to: broker, username: "gateway", password: "secret")
    try await right.publish(topic: "open/1", payload: [1])
  }

  @Test func aBrokerThatIsNotThereIsNamedWithTheSystemsReason() async throws {
    let connection = MQTTConnection(
      name: "default/gone", configuration: try BrokerConfiguration(url: "mqtt://127.0.0.1:\(freePort())"),
      logger: quiet)
    let error = try await eventually("refused") { () -> MQTTError? in
      if case .disconnected(let error) = connection.state, error.kind != .notConfigured { error } else { nil }
    }
    #expect(error.kind == .unreachable)
    #expect(error.message.contains("Connection refused"), "\(error.message)")
    #expect(error.message.contains("mqtt://127.0.0.1"))
  }

  @Test func tlsIsVerifiedAgainstTheGivenAuthority() async throws {
    let scratch = try ScratchFolder()
    let folder = scratch.path
    try await run([
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/key.pem", "-out",
      folder + "/cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
    ]).succeeded()
    let broker = try await Mosquitto(
      ["allow_anonymous true"], listener: ["certfile \(folder)/cert.pem", "keyfile \(folder)/key.pem"])
    let trusted = MQTTConnection(
      name: "default/tls",
      configuration: try BrokerConfiguration(url: "mqtts://localhost:\(broker.port)", caFile: folder + "/cert.pem"),
      logger: quiet)
    try await eventually("connected") { trusted.state == .connected }
    try await trusted.publish(topic: "x", payload: Array(repeating: 65, count: 100_000))
    let untrusted = MQTTConnection(
      name: "default/tls2",
      configuration: try BrokerConfiguration(url: "mqtts://127.0.0.1:\(broker.port)", caFile: folder + "/cert.pem"),
      logger: quiet)
    let error = try await eventually("refused") { () -> MQTTError? in
      if case .disconnected(let error) = untrusted.state, error.kind != .notConfigured { error } else { nil }
    }
    #expect(error.kind == .tlsFailed, "\(error)")
  }
}

/// Takes messages one by one, and lets no turn end from the one on that brought `precious`, until it is let go.
private final class KeepingTaker: MessageTaker, TurnFollower {
  private struct Contents {
    /// By the number that was given out.
    var names: [String] = []
    /// Those of the messages that came.
    var topics: [String] = []
    var hadConnected: Bool?
    var isConnected = false
    var holdsPrecious = false
    var isLetGo = false
  }
  private let contents = Mutex(Contents())
  var follower: any TurnFollower { self }
  var topics: [String] { contents.withLock { $0.topics } }
  var hadConnected: Bool? { contents.withLock { $0.hadConnected } }
  var holdsPrecious: Bool { contents.withLock { $0.holdsPrecious } }
  func letGo() { contents.withLock { $0.isLetGo = true } }

  func number(ofTopic topic: String) -> Int? {
    contents.withLock { contents in
      contents.names.append(topic)
      return contents.names.count - 1
    }
  }

  func take(_ payload: Span<UInt8>, onTopic number: Int, isRetained: Bool, arrival: Timestamp) {
    let isPrecious = payload.withUnsafeBufferPointer { $0.elementsEqual("precious".utf8) }
    contents.withLock { contents in
      contents.hadConnected = contents.hadConnected ?? contents.isConnected
      contents.topics.append(contents.names[number])
      if isPrecious { contents.holdsPrecious = true }
    }
  }

  func handle(_ event: MQTTEvent) {
    if case .state(.connected) = event { contents.withLock { $0.isConnected = true } }
  }

  func turnEnded() async {
    while contents.withLock({ $0.holdsPrecious && !$0.isLetGo }) { try? await Task.sleep(for: .milliseconds(2)) }
  }
}
