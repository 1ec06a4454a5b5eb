internal import Documents
internal import Glibc

/// Who gets which messages of one connection; belongs to its thread.
///
/// A message whose topic has takers alone is handed to them out of the library's buffer, within the library's callback.
/// All others, and those that come while an event waits that a taker has to hear of first, are copied and handed over
/// after the read.
final class MessageRoutes {
  /// One who takes the messages of a topic, under its number for it.
  private struct Target {
    var taker: any MessageTaker
    var number: Int
    var follower: any TurnFollower
    /// The follower's.
    var identity: ObjectIdentifier
  }

  /// Where the messages of one topic go.
  private struct Route {
    var targets: [Target] = []
    /// Those whose handlers have the messages, by their numbers.
    var handled: [Int] = []
  }

  private(set) var table = SubscriptionTable()
  private(set) var subscribers: [Int: ConnectionShared.Subscriber] = [:]
  private var index = TopicIndex()
  /// By the topic's number in ``index``.
  private var routes: [Route] = []
  /// Those of the takers that had messages since the handlers ran.
  private(set) var followers: [any TurnFollower] = []
  /// The last one of ``followers``.
  private var lastFollower: ObjectIdentifier?
  /// Whether takers may be given a message at once: nothing waits that comes before it.
  var isOpen = false

  init() {}

  func add(
    _ id: Int, _ filters: [TopicFilter], _ subscriber: ConnectionShared.Subscriber
  ) -> [SubscriptionTable.Directive] {
    forget()
    subscribers[id] = subscriber
    return table.add(id, filters)
  }

  /// Nil where nobody has this number.
  func remove(_ id: Int) -> [SubscriptionTable.Directive]? {
    guard subscribers.removeValue(forKey: id) != nil else { return nil }
    forget()
    return table.remove(id)
  }

  /// Gives a message that has just been read to its takers; false where it has to be copied. The topic ends with a NUL.
  func take(
    _ topic: UnsafePointer<CChar>, _ payload: UnsafeBufferPointer<UInt8>, isRetained: Bool, arrival: Timestamp
  ) -> Bool {
    guard isOpen else { return false }
    let name = UnsafeRawBufferPointer(start: topic, count: strlen(topic))
    let number = index.number(of: name) ?? learn(name)
    guard routes[number].handled.isEmpty else {
      // What comes after it must not overtake it on its way to the same taker.
      if !routes[number].targets.isEmpty { isOpen = false }
      return false
    }
    give(payload.span, routes[number].targets, isRetained: isRetained, arrival: arrival)
    return true
  }

  /// Hands copied messages to those who take them, and returns what is for the handlers of the others.
  func distribute(_ messages: [MQTTMessage]) -> [(subscriber: ConnectionShared.Subscriber, messages: [MQTTMessage])] {
    var batches: [Int: [MQTTMessage]] = [:]
    for message in messages {
      var topic = message.topic
      let number = topic.withUTF8 { name in
        let name = UnsafeRawBufferPointer(name)
        return index.number(of: name) ?? learn(name)
      }
      give(message.payload.span, routes[number].targets, isRetained: message.isRetained, arrival: message.arrival)
      for id in routes[number].handled { batches[id, default: []].append(message) }
    }
    return batches.compactMap { id, messages in subscribers[id].map { ($0, messages) } }
  }

  /// The followers of those who were given messages since the last call.
  func takeFollowers() -> [any TurnFollower] {
    defer {
      followers.removeAll(keepingCapacity: true)
      lastFollower = nil
    }
    return followers
  }

  private func give(_ payload: Span<UInt8>, _ targets: [Target], isRetained: Bool, arrival: Timestamp) {
    for index in targets.indices {
      targets[index].taker.take(payload, onTopic: targets[index].number, isRetained: isRetained, arrival: arrival)
      if targets[index].identity != lastFollower { follow(targets[index]) }
    }
  }

  private func follow(_ target: Target) {
    guard !followers.contains(where: { $0 === target.follower }) else { return }
    followers.append(target.follower)
    lastFollower = target.identity
  }

  /// Finds out where the messages of a topic go, and keeps it.
  private func learn(_ name: UnsafeRawBufferPointer) -> Int {
    let topic = String(decoding: name, as: UTF8.self)
    var route = Route()
    for id in table.recipients(of: topic) {
      if let taker = subscribers[id]?.taker {
        guard let number = taker.number(ofTopic: topic) else { continue }
        let follower = taker.follower
        route.targets.append(
          Target(taker: taker, number: number, follower: follower, identity: ObjectIdentifier(follower)))
      } else {
        route.handled.append(id)
      }
    }
    routes.append(route)
    if let number = index.add(name) { return number }
    forget()
    routes.append(route)
    return index.add(name) ?? 0
  }

  private func forget() {
    index.removeAll()
    routes.removeAll(keepingCapacity: true)
  }
}
