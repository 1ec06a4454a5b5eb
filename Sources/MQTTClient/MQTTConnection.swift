public import Documents
internal import Glibc
public import Logging
internal import Synchronization

/// A link to one broker that mends itself, shared by everybody who needs that broker.
///
/// It is one for the life of its name: without a configuration it waits for one, with a changed one it connects anew,
/// and subscriptions outlive both. A thread of its own runs a poll loop: read, hand the batch to the subscribers, wait
/// for them, write. Hence a subscriber that suspends slows the broker down instead of losing messages, and a PUBACK
/// leaves only after the handlers have returned.
public final class MQTTConnection: Sendable {
  /// `namespace/name` of the Broker.
  public let name: String
  private let shared: ConnectionShared

  /// How many messages may wait for their acknowledgement before ``publish(_:within:)`` refuses more.
  public static let queueLimit = 16_384

  /// `preparing` is called before each attempt to connect, on the connection's own thread, with the configuration that the
  /// attempt uses: what differs from one session to the next, such as a will with a number.
  public convenience init(
    name: String, configuration: BrokerConfiguration? = nil, logger: Logger,
    now: @escaping @Sendable () -> Timestamp = MQTTConnection.systemTime,
    preparing: (@Sendable (inout BrokerConfiguration) -> Void)? = nil
  ) {
    self.init(
      name: name, configuration: configuration, logger: logger, now: now, barrier: AcknowledgementBarrier(),
      preparing: preparing)
  }

  init(
    name: String, configuration: BrokerConfiguration? = nil, logger: Logger,
    now: @escaping @Sendable () -> Timestamp = MQTTConnection.systemTime, barrier: AcknowledgementBarrier,
    preparing: (@Sendable (inout BrokerConfiguration) -> Void)? = nil
  ) {
    self.name = name
    shared = ConnectionShared(name: name, now: now, barrier: barrier, prepare: preparing)
    if let configuration { configure(configuration) }
    ConnectionLoop.start(shared, name: name, logger: logger)
  }

  deinit { close() }

  public var state: MQTTState { shared.state }

  /// The number of the present session: it rises with each connection that is made.
  public var session: Int { shared.contents.withLock { $0.session } }

  /// Ends the present connection, if there is one, and connects anew.
  public func restart() {
    shared.contents.withLock { $0.generation += 1 }
    shared.wake.wake()
  }

  /// The states from the present one on; a slow reader misses some, never the last.
  public var states: AsyncStream<MQTTState> {
    AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
      let id = observe { continuation.yield($0) }
      continuation.onTermination = { [weak self] _ in self?.stopObserving(id) }
    }
  }

  /// Calls `observer` with the present state and at every change, on whatever thread that happens; it must not block.
  @discardableResult
  func observe(_ observer: @escaping @Sendable (MQTTState) -> Void) -> Int {
    let (id, state) = shared.contents.withLock { contents in
      contents.nextID += 1
      contents.observers[contents.nextID] = observer
      return (contents.nextID, contents.state)
    }
    observer(state)
    return id
  }

  func stopObserving(_ id: Int) { shared.contents.withLock { _ = $0.observers.removeValue(forKey: id) } }

  /// Connects as `configuration` says, at once and anew where it differs from the present one; nil: disconnects and
  /// waits for another configuration.
  public func configure(_ configuration: BrokerConfiguration?) {
    shared.contents.withLock { contents in
      guard contents.configuration != configuration else { return }
      contents.configuration = configuration
      contents.generation += 1
    }
    shared.wake.wake()
  }

  /// Subscribes until the result is cancelled or released. `handler` is called with one event after the other; while
  /// it runs, the connection reads nothing more. Where there is a `taker`, it has the messages, and the
  /// handler all other events.
  public func subscribe(
    _ filters: [TopicFilter], taker: (any MessageTaker)? = nil,
    handler: @escaping @Sendable (MQTTEvent) async -> Void
  ) -> Subscription {
    let subscriber = ConnectionShared.Subscriber(handler: handler, taker: taker)
    let shared = shared
    let id = shared.contents.withLock { contents in
      contents.nextID += 1
      contents.commands.append(.subscribe(contents.nextID, filters, subscriber))
      return contents.nextID
    }
    shared.wake.wake()
    return Subscription {
      shared.contents.withLock { $0.commands.append(.unsubscribe(id)) }
      shared.wake.wake()
    }
  }

  /// Publishes one message; see ``publish(_:within:)``.
  public func publish(
    topic: String, payload: [UInt8], qos: UInt8 = 1, retain: Bool = false, within limit: Duration = .seconds(10)
  ) async throws(MQTTError) {
    try await publish([MQTTPublication(topic: topic, payload: payload, qos: qos, retain: retain)], within: limit)
  }

  /// Publishes messages in their order, pipelined, and returns when the broker has acknowledged every one (QoS 0: when
  /// all are written to the socket, or where `isFenced`, when the broker has read them all: an empty UNSUBSCRIBE follows
  /// them, which it answers in its turn; MQTT 3.1.1, section 4.6).
  ///
  /// Throws at once where there is no connection, where a topic is not one, or where the queue is full; later where
  /// the connection is lost, `limit` has passed or the task is cancelled: then some of the messages may have arrived.
  /// Where `session` is no longer the present one, nothing is published.
  public func publish(
    _ publications: [MQTTPublication], within limit: Duration = .seconds(10), isFenced: Bool = false,
    session: Int? = nil
  ) async throws(MQTTError) {
    guard !publications.isEmpty else { return }
    let job = PublishJob(count: publications.count, isFenced: isFenced, session: session)
    try hand(publications, to: job, deadline: ContinuousClock.now + limit)
    try await job.wait()
  }

  /// Begins to publish messages of QoS 2 and returns at once. They are repeated over lost connections for as long as the
  /// broker keeps the session, and reach it once each (MQTT 3.1.1, section 4.3.3); needs a session that is not clean.
  public func begin(_ publications: [MQTTPublication]) throws(MQTTError) -> PendingPublication {
    let job = PublishJob(count: publications.count, isLasting: true)
    try hand(publications, to: job, deadline: ContinuousClock.now + .seconds(86_400 * 3_650))
    return PendingPublication(job: job)
  }

  private func hand(
    _ publications: [MQTTPublication], to job: PublishJob, deadline: ContinuousClock.Instant
  ) throws(MQTTError) {
    for publication in publications {
      if let problem = TopicFilter.problem(ofTopic: publication.topic) {
        throw MQTTError(.invalidMessage, "topic '\(publication.topic)': \(problem)")
      }
      if publication.payload.count > 268_435_455 {
        throw MQTTError(.invalidMessage, "the payload for '\(publication.topic)' is larger than MQTT's 256 MiB")
      }
    }
    let count = publications.count + (job.isFenced ? 1 : 0)
    let refusal = shared.contents.withLock { contents -> MQTTError? in
      switch contents.state {
      case .connected: break
      case .connecting: return MQTTError(.notConnected, "the Broker '\(name)' is not connected yet")
      case .disconnected(let error):
        return MQTTError(.notConnected, "the Broker '\(name)' is not connected: \(error.message)")
      }
      guard contents.outstanding + count <= MQTTConnection.queueLimit else {
        return MQTTError(
          .queueFull, "\(contents.outstanding) messages already wait for the acknowledgement of the Broker '\(name)'")
      }
      contents.outstanding += count
      contents.commands.append(.publish(publications, job, deadline: deadline))
      return nil
    }
    if let refusal { throw refusal }
    shared.wake.wake()
  }

  /// Disconnects and ends the thread; what still waits fails. No call follows.
  public func close() {
    shared.contents.withLock { $0.isClosed = true }
    shared.wake.wake()
  }

  /// Whether the thread has ended after ``close()``: no handler runs, nothing more is acknowledged.
  var isEnded: Bool { shared.contents.withLock { $0.isEnded } }

  /// The system's real-time clock.
  public static let systemTime: @Sendable () -> Timestamp = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}

/// Messages of QoS 2 on their way.
public final class PendingPublication: Sendable {
  private let job: PublishJob
  init(job: PublishJob) { self.job = job }

  /// Waits for at most `limit` until the broker has all of them; false: not yet, wait again. Throws where they are given
  /// up: then some may have arrived. A cancelled task stops waiting, with an error of the kind `cancelled`.
  public func isComplete(within limit: Duration) async throws(MQTTError) -> Bool { try await job.wait(within: limit) }
}

/// A subscription that lasts until it is cancelled or released.
public final class Subscription: Sendable {
  private let end: @Sendable () -> Void
  init(_ end: @escaping @Sendable () -> Void) { self.end = end }
  deinit { end() }

  /// Ends the subscription; a call of the handler that has begun may still be running afterwards.
  public func cancel() { end() }
}
