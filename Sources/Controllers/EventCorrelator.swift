package import Documents
package import Resources

/// Decides what becomes of each thing that happened: a new event, a higher count of one that is there, one event for many
/// that are similar, or nothing (client-go, tools/record: EventAggregator, eventLogger, EventSourceObjectSpamFilter).
/// Bounded in memory; has no clock and does no I/O.
package struct EventCorrelator: Sendable {
  package struct Limits: Sendable {
    /// So many different messages of one reason about one object within `similarWindow`; further ones are combined.
    package var similar = 10
    package var similarWindow = Duration.seconds(600)
    /// Events about one object at once; then one more in each `refill`.
    package var burst = 25.0
    package var refill = Duration.seconds(300)
    /// Entries of each of the tables.
    package var memory = 512
    package init() {}
  }

  package struct Occurrence: Sendable {
    /// Tells the object from all others.
    package var object: String
    package var objectName: String
    package var namespace: String
    package var type: String
    package var reason: String
    package var message: String
    package init(
      object: String, objectName: String, namespace: String, type: String, reason: String, message: String
    ) {
      self.object = object
      self.objectName = objectName
      self.namespace = namespace
      self.type = type
      self.reason = reason
      self.message = message
    }
  }

  /// What one event stands for; the message is empty where it combines several.
  package struct Identity: Hashable, Sendable {
    package var object: String
    package var type: String
    package var reason: String
    package var message: String
  }

  package enum Directive: Sendable, Equatable {
    case create(Identity, ObjectKey, message: String)
    case count(Identity, ObjectKey, Int64, message: String)
    case drop
  }

  package static let combined = "(combined from similar events): "

  private struct Similar {
    var messages: Set<String>
    var last: Timestamp
  }
  private struct Bucket {
    var tokens: Double
    var filled: Timestamp
  }
  private let limits: Limits
  private var events: RecentTable<Identity, (key: ObjectKey, count: Int64)>
  private var similar: RecentTable<Identity, Similar>
  private var buckets: RecentTable<String, Bucket>

  package init(limits: Limits = Limits()) {
    self.limits = limits
    events = RecentTable(capacity: limits.memory)
    similar = RecentTable(capacity: limits.memory)
    buckets = RecentTable(capacity: limits.memory)
  }

  package mutating func handle(_ occurrence: Occurrence, now: Timestamp) -> Directive {
    let (identity, message) = combine(occurrence, now)
    guard takeToken(of: occurrence.object, now) else { return .drop }
    if var known = events[identity] {
      known.count += 1
      events[identity] = known
      return .count(identity, known.key, known.count, message: message)
    }
    let suffix = String(UInt64(bitPattern: now.nanoseconds), radix: 16)
    // A name may have 253 characters.
    let key = ObjectKey(
      namespace: occurrence.namespace, name: "\(occurrence.objectName.prefix(252 - suffix.count)).\(suffix)")
    events[identity] = (key, 1)
    return .create(identity, key, message: message)
  }

  /// The event is not there (any more): the next of its kind makes another.
  package mutating func forget(_ identity: Identity) { events[identity] = nil }

  /// How many entries are held.
  package var size: Int { events.count + similar.count + buckets.count }

  private mutating func combine(_ occurrence: Occurrence, _ now: Timestamp) -> (Identity, String) {
    var identity = Identity(
      object: occurrence.object, type: occurrence.type, reason: occurrence.reason, message: "")
    var seen = similar[identity] ?? Similar(messages: [], last: now)
    if now - seen.last > limits.similarWindow { seen.messages = [] }
    seen.last = now
    let isFull = seen.messages.count >= limits.similar && !seen.messages.contains(occurrence.message)
    if !isFull { seen.messages.insert(occurrence.message) }
    similar[identity] = seen
    if isFull { return (identity, EventCorrelator.combined + occurrence.message) }
    identity.message = occurrence.message
    return (identity, occurrence.message)
  }

  private mutating func takeToken(of object: String, _ now: Timestamp) -> Bool {
    var bucket = buckets[object] ?? Bucket(tokens: limits.burst, filled: now)
    let gained = Double((now - bucket.filled).nanoseconds) / Double(limits.refill.nanoseconds)
    bucket.tokens = min(limits.burst, bucket.tokens + max(gained, 0))
    bucket.filled = now
    let isLeft = bucket.tokens >= 1
    if isLeft { bucket.tokens -= 1 }
    buckets[object] = bucket
    return isLeft
  }
}
