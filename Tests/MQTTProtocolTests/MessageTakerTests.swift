import Documents
import MQTTClient
import Synchronization
import TestSupport
import Testing

@Suite struct MessageTakerTests {
  @Test func aTakerHasTheMessagesOfAllItsTopicsInTheirOrder() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let (all, some) = (RecordingTaker(), RecordingTaker())
    let long = "t/" + String(repeating: "deep and wide ", count: 40)
    let topics = (0..<300).map { "t/\($0)" } + [long]
    let subscriptions = [
      connection.subscribe([try TopicFilter("t/+")], taker: all) { _ in },
      connection.subscribe(try [topics[7], long].map { try TopicFilter($0) }, taker: some) { _ in },
    ]
    try await eventually("subscribed") {
      _ = try? await connection.publish(topic: long, payload: Array("ready".utf8))
      return !all.messages.isEmpty && !some.messages.isEmpty
    }
    let sent = (0..<3_000).map { RecordingTaker.Message(topic: topics[$0 % topics.count], text: "\($0)") }
    try await connection.publish(sent.map { MQTTPublication(topic: $0.topic, payload: Array($0.text.utf8)) })
    try await eventually("all taken") { all.messages.last == sent.last }
    #expect(all.messages.filter { $0.text != "ready" } == sent)
    #expect(some.messages.filter { $0.text != "ready" } == sent.filter { [topics[7], long].contains($0.topic) })
    for subscription in subscriptions { subscription.cancel() }
  }

  @Test func aMessageOfATakerThatAHandlerHasTooIsNotOvertaken() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let (taker, heard) = (RecordingTaker(), Heard())
    let subscriptions = [
      connection.subscribe([try TopicFilter("m/+")], taker: taker) { _ in },
      connection.subscribe([try TopicFilter("m/shared")], handler: heard.take),
    ]
    try await eventually("subscribed") {
      _ = try? await connection.publish(topic: "m/shared", payload: Array("ready".utf8))
      return !taker.messages.isEmpty && !heard.messages.isEmpty
    }
    let sent = (0..<3_000).map { RecordingTaker.Message(topic: $0 % 3 == 1 ? "m/shared" : "m/own", text: "\($0)") }
    try await connection.publish(sent.map { MQTTPublication(topic: $0.topic, payload: Array($0.text.utf8)) })
    try await eventually("all taken") { taker.messages.last == sent.last }
    #expect(taker.messages.filter { $0.text != "ready" } == sent)
    let shared = sent.filter { $0.topic == "m/shared" }.map(\.text)
    try await eventually("all heard") { heard.texts.last == shared.last }
    #expect(heard.texts.filter { $0 != "ready" } == shared)
    for subscription in subscriptions { subscription.cancel() }
  }

  @Test func aTopicGoesToWhoeverSubscribesToItNow() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let (former, later) = (RecordingTaker(), RecordingTaker())
    let first = connection.subscribe([try TopicFilter("x")], taker: former) { _ in }
    try await eventually("taken by the first") {
      _ = try? await connection.publish(topic: "x", payload: [65])
      return !former.messages.isEmpty
    }
    let second = connection.subscribe([try TopicFilter("x")], taker: later) { _ in }
    try await eventually("taken by the second") {
      _ = try? await connection.publish(topic: "x", payload: [66])
      return !later.messages.isEmpty
    }
    first.cancel()
    try await connection.publish(topic: "x", payload: [67])
    try await eventually("taken by the second alone") { later.messages.last?.text == "C" }
    #expect(!former.messages.contains { $0.text == "C" })
    second.cancel()
  }

  @Test func aTakerHasNothingOfATopicThatItDoesNotWant() async throws {
    let broker = try await Mosquitto()
    let connection = try await MQTTConnection.connected(to: broker)
    let taker = RecordingTaker(wants: { $0 != "w/no" })
    let subscription = connection.subscribe([try TopicFilter("w/+")], taker: taker) { _ in }
    try await eventually("subscribed") {
      for topic in ["w/no", "w/yes"] { _ = try? await connection.publish(topic: topic, payload: [65]) }
      return !taker.messages.isEmpty
    }
    #expect(Set(taker.messages.map(\.topic)) == ["w/yes"])
    subscription.cancel()
  }

  @Test func topicsAreFoundByTheirBytesAndNoOthers() {
    var index = TopicIndex()
    func number(_ topic: String) -> Int? { Array(topic.utf8).withUnsafeBytes { index.number(of: $0) } }
    let topics = (0..<5_000).map { "plant/\($0 % 17)/\($0)" } + ["", "p", "plant/", "plant/0/0/", "Ä/ö"]
    for round in 0..<2 {
      for (expected, topic) in topics.enumerated() {
        #expect(number(topic) == nil)
        #expect(Array(topic.utf8).withUnsafeBytes { index.add($0) } == expected)
      }
      #expect(index.count == topics.count)
      for (expected, topic) in topics.enumerated() { #expect(number(topic) == expected) }
      for stranger in ["plant/1/0", "plant/0/5000", "plant", "q", "Ä/o"] { #expect(number(stranger) == nil) }
      index.removeAll()
      #expect(index.count == 0, "round \(round)")
    }
  }

  @Test func noMoreTopicsAreKeptThanFit() {
    var index = TopicIndex()
    var refused = 0
    for number in 0..<20_000 {
      if Array("t/\(number)".utf8).withUnsafeBytes({ index.add($0) }) == nil { refused += 1 }
    }
    #expect(index.count == 16_384)
    #expect(refused == 20_000 - 16_384)
    index.removeAll()
    let long = [UInt8](repeating: 65, count: 65_535)
    var taken = 0
    while long.withUnsafeBytes({ index.add($0) }) != nil { taken += 1 }
    #expect(taken * 65_535 <= 4 << 20)
    #expect(taken > 0)
  }
}

/// Keeps what it takes.
private final class RecordingTaker: MessageTaker, TurnFollower {
  struct Message: Sendable, Equatable {
    var topic: String
    var text: String
  }
  private struct Contents {
    /// By the number that was given out.
    var names: [String] = []
    var messages: [Message] = []
  }
  private let wants: @Sendable (String) -> Bool
  private let contents = Mutex(Contents())
  var follower: any TurnFollower { self }
  var messages: [Message] { contents.withLock { $0.messages } }

  init(wants: @escaping @Sendable (String) -> Bool = { _ in true }) { self.wants = wants }

  func number(ofTopic topic: String) -> Int? {
    guard wants(topic) else { return nil }
    return contents.withLock { contents in
      contents.names.append(topic)
      return contents.names.count - 1
    }
  }

  func take(_ payload: Span<UInt8>, onTopic number: Int, isRetained: Bool, arrival: Timestamp) {
    let text = payload.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    contents.withLock { $0.messages.append(Message(topic: $0.names[number], text: text)) }
  }

  func turnEnded() async {}
}
