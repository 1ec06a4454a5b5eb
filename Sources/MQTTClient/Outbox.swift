/// Messages on their way to the broker: a queue, then those in flight, at most ``inFlightLimit`` of them.
struct Outbox {
  /// Unacknowledged messages that the broker is given at a time.
  static let inFlightLimit = 256

  private struct Entry {
    var publication: MQTTPublication
    var job: PublishJob
    var deadline: ContinuousClock.Instant
  }

  private var queue: [Entry] = []
  private var head = 0
  private var inFlight: [Int32: Entry] = [:]
  private var settled = 0
  /// No entry is due before this instant; it may be earlier than the earliest deadline.
  private(set) var nextDeadline: ContinuousClock.Instant?

  init() {}

  /// Whether senders wait for the broker.
  var isWaiting: Bool { !inFlight.isEmpty || head < queue.count }

  mutating func add(_ publications: [MQTTPublication], _ job: PublishJob, deadline: ContinuousClock.Instant) {
    for publication in publications { queue.append(Entry(publication: publication, job: job, deadline: deadline)) }
    nextDeadline = nextDeadline.map { min($0, deadline) } ?? deadline
  }

  /// The next message to hand to the broker; nil where there is none or enough are in flight. Messages of jobs that
  /// are over are left out.
  mutating func nextToSend(at now: ContinuousClock.Instant) -> MQTTPublication? {
    while head < queue.count {
      if queue[head].job.isOver {
        head += 1
        settled += 1
        continue
      }
      return inFlight.count < Outbox.inFlightLimit ? queue[head].publication : nil
    }
    queue.removeAll(keepingCapacity: true)
    head = 0
    return nil
  }

  /// The message that ``nextToSend(at:)`` gave is in flight under `id`.
  mutating func sent(_ id: Int32) {
    inFlight[id] = queue[head]
    head += 1
    compact()
  }

  /// The message that ``nextToSend(at:)`` gave cannot be sent.
  mutating func failNext(_ error: MQTTError) {
    queue[head].job.fail(error)
    head += 1
    settled += 1
  }

  mutating func acknowledged(_ id: Int32) {
    guard let entry = inFlight.removeValue(forKey: id) else { return }
    settled += 1
    entry.job.acknowledge()
  }

  /// Fails every job whose deadline has passed. Its messages in flight keep their place until the broker answers.
  mutating func expire(at now: ContinuousClock.Instant) {
    guard let due = nextDeadline, due <= now else { return }
    var next: ContinuousClock.Instant?
    for entry in inFlight.values + queue[head...] where !entry.job.isOver {
      if entry.deadline <= now {
        entry.job.fail(MQTTError(.timeout, "the broker did not acknowledge '\(entry.publication.topic)' in time"))
      } else {
        next = next.map { min($0, entry.deadline) } ?? entry.deadline
      }
    }
    nextDeadline = next
    _ = nextToSend(at: now)
  }

  mutating func failAll(_ error: MQTTError) {
    for entry in inFlight.values + queue[head...] { entry.job.fail(error) }
    settled += inFlight.count + queue.count - head
    inFlight.removeAll(keepingCapacity: true)
    queue.removeAll(keepingCapacity: true)
    head = 0
    nextDeadline = nil
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
