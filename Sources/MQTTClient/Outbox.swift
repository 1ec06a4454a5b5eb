/// Messages on their way to the broker: a queue, then those in flight, at most ``inFlightLimit`` of them and, at QoS 2,
/// ``exactlyOnceLimit``.
struct Outbox {
  /// Unacknowledged messages that the broker is given at a time.
  static let inFlightLimit = 256
  /// Messages of QoS 2 whose exchange is open at a time. By MQTT 5 the library keeps to the broker's receive maximum. A
  /// broker of MQTT 3.1.1 names none, and a message beyond it is lost without a word: mosquitto answers it with PUBREC
  /// and throws it away. 20 is mosquitto's own `max_inflight_messages`, and the least of the usual brokers'.
  static func exactlyOnceLimit(_ version: MQTTVersion) -> Int { version == .v5 ? inFlightLimit : 20 }

  /// What is handed to the broker.
  enum Packet {
    case message(MQTTPublication)
    /// A packet whose answer says that the broker has read all before it.
    case fence

    var topic: String {
      switch self {
      case .message(let publication): publication.topic
      case .fence: "selvedge/fence"
      }
    }

    var isExactlyOnce: Bool { if case .message(let publication) = self { publication.qos == 2 } else { false } }
  }

  private struct Entry {
    var packet: Packet
    var job: PublishJob
    var deadline: ContinuousClock.Instant
  }

  private var queue: [Entry] = []
  private var head = 0
  private var inFlight: [Int32: Entry] = [:]
  private var exactlyOnceInFlight = 0
  /// At most ``inFlightLimit``.
  var exactlyOnceLimit = Outbox.inFlightLimit
  private var settled = 0
  /// No entry is due before this instant; it may be earlier than the earliest deadline.
  private(set) var nextDeadline: ContinuousClock.Instant?

  init() {}

  /// Whether senders wait for the broker.
  var isWaiting: Bool { !inFlight.isEmpty || head < queue.count }

  /// Whether messages wait that a connection's end does not fail.
  var hasLasting: Bool { inFlight.values.contains { $0.job.isLasting } || queue[head...].contains { $0.job.isLasting } }

  mutating func add(_ publications: [MQTTPublication], _ job: PublishJob, deadline: ContinuousClock.Instant) {
    for publication in publications {
      queue.append(Entry(packet: .message(publication), job: job, deadline: deadline))
    }
    if job.isFenced { queue.append(Entry(packet: .fence, job: job, deadline: deadline)) }
    nextDeadline = nextDeadline.map { min($0, deadline) } ?? deadline
  }

  /// The next packet to hand to the broker; nil where there is none or enough are in flight. Messages of jobs that are
  /// over are left out.
  mutating func nextToSend(at now: ContinuousClock.Instant) -> Packet? {
    while head < queue.count {
      if queue[head].job.isOver {
        head += 1
        settled += 1
        continue
      }
      let packet = queue[head].packet
      if packet.isExactlyOnce, exactlyOnceInFlight >= exactlyOnceLimit { return nil }
      return inFlight.count < Outbox.inFlightLimit ? packet : nil
    }
    queue.removeAll(keepingCapacity: true)
    head = 0
    return nil
  }

  /// The packet that ``nextToSend(at:)`` gave is in flight under `id`.
  mutating func sent(_ id: Int32) {
    inFlight[id] = queue[head]
    if queue[head].packet.isExactlyOnce { exactlyOnceInFlight += 1 }
    head += 1
    compact()
  }

  /// The packet that ``nextToSend(at:)`` gave cannot be sent.
  mutating func failNext(_ error: MQTTError) {
    queue[head].job.fail(error)
    head += 1
    settled += 1
  }

  /// The broker has answered, with MQTT 5's reason code.
  mutating func acknowledged(_ id: Int32, reason: Int32) {
    guard let entry = inFlight.removeValue(forKey: id) else { return }
    if entry.packet.isExactlyOnce { exactlyOnceInFlight -= 1 }
    settled += 1
    if let error = MosquittoClient.refusal(reason, publishing: entry.packet.topic) {
      entry.job.fail(error)
    } else {
      entry.job.acknowledge()
    }
  }

  /// Fails every job whose deadline has passed. Its messages in flight keep their place until the broker answers.
  mutating func expire(at now: ContinuousClock.Instant) {
    guard let due = nextDeadline, due <= now else { return }
    var next: ContinuousClock.Instant?
    for entry in inFlight.values + queue[head...] where !entry.job.isOver {
      if entry.deadline <= now {
        entry.job.fail(MQTTError(.timeout, "the broker did not acknowledge '\(entry.packet.topic)' in time"))
      } else {
        next = next.map { min($0, entry.deadline) } ?? entry.deadline
      }
    }
    nextDeadline = next
    _ = nextToSend(at: now)
  }

  /// Fails every job, but for lasting ones where `sparesLasting`: these stay, in flight or queued.
  mutating func failAll(_ error: MQTTError, sparesLasting: Bool = false) {
    func stays(_ entry: Entry) -> Bool { sparesLasting && entry.job.isLasting }
    for entry in inFlight.values + queue[head...] where !stays(entry) {
      entry.job.fail(error)
      settled += 1
    }
    inFlight = inFlight.filter { stays($0.value) }
    exactlyOnceInFlight = inFlight.values.count { $0.packet.isExactlyOnce }
    queue = queue[head...].filter(stays)
    head = 0
    if !isWaiting { nextDeadline = nil }
  }

  /// How many messages were acknowledged or given up since the last call.
  mutating func takeSettled() -> Int {
    defer { settled = 0 }
    return settled
  }

  private mutating func compact() {
    guard head >= 1_024 else { return }
    queue.removeFirst(head)
    head = 0
  }
}
