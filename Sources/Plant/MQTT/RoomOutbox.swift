/// Samples on their way to the broker: a bounded queue, and those sent but not yet acknowledged.
struct RoomOutbox {
  struct Message: Equatable {
    var room: Int
    var sequence: UInt64
    var topic: String
    var payload: String
  }

  /// The most messages without an acknowledgement; the others wait here and not in libmosquitto, which has no bound.
  static let inFlightLimit = 100

  private var waiting: [Message] = []
  private var head = 0
  private var inFlight: [Int32: Message] = [:]
  let limit: Int
  /// Messages given up because the queue was full.
  private(set) var dropped = 0

  init(limit: Int) { self.limit = max(1, limit) }

  var waitingCount: Int { waiting.count - head }
  var inFlightCount: Int { inFlight.count }

  /// Takes a message; returns the oldest one that has to go for it, if any.
  mutating func offer(_ message: Message) -> Message? {
    var victim: Message?
    if waitingCount >= limit {
      victim = waiting[head]
      head += 1
      dropped += 1
    }
    waiting.append(message)
    if head > 1_000, head * 2 > waiting.count {
      waiting.removeFirst(head)
      head = 0
    }
    return victim
  }

  /// The message to send next; nil while none waits or enough are in flight.
  var next: Message? { waitingCount > 0 && inFlight.count < Self.inFlightLimit ? waiting[head] : nil }

  /// The message that ``next`` showed was handed over under `identifier`.
  mutating func sent(_ identifier: Int32) {
    inFlight[identifier] = waiting[head]
    head += 1
  }

  /// The broker has the message; nil for an identifier that is not in flight.
  mutating func acknowledged(_ identifier: Int32) -> Message? { inFlight.removeValue(forKey: identifier) }
}
