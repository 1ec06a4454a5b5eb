internal import Documents
internal import Glibc
internal import Logging
internal import Synchronization

/// The poll loop of one connection; everything in it belongs to its thread.
final class ConnectionLoop {
  private let shared: ConnectionShared
  private let name: String
  private let logger: Logger
  private var client: MosquittoClient?
  /// The client of a lost connection whose messages of QoS 2 go on with the next.
  private var resumable: MosquittoClient?
  private var configuration: BrokerConfiguration?
  /// Whether the broker keeps no session but one that this connection began, or will begin.
  private var hasEndedFormerSession = false
  private var generation = 0
  private var clientID = ""
  private var isConnected = false
  private var attemptStarted = ContinuousClock.now
  private var nextAttempt: ContinuousClock.Instant?
  private var backoff = Backoff(.seconds(1) ... .seconds(60))
  private let routes = MessageRoutes()
  private var outbox = Outbox()
  private var filtersOfRequest: [Int32: [String]] = [:]
  private var work: [(subscriber: ConnectionShared.Subscriber, event: MQTTEvent)] = []
  private var lastRead = ContinuousClock.now

  /// From the attempt to the broker's CONNACK.
  private static let connectTimeout = Duration.seconds(15)
  /// Packets that one round reads at most before it hands them on: the hand-over costs what some dozen messages do.
  private static let readLimit = 4_096
  /// Bytes of payloads after which a round ends.
  private static let readBytesLimit = 4 << 20
  /// Single messages in quick succession wait this long for company, which saves a hand-over each.
  private static let gathering = Duration.milliseconds(2)

  private init(_ shared: ConnectionShared, name: String, logger: Logger) {
    self.shared = shared
    self.name = name
    self.logger = logger
  }

  /// Starts the thread; it ends by itself when the connection is closed.
  static func start(_ shared: ConnectionShared, name: String, logger: Logger) {
    var thread = pthread_t()
    let loop = Unmanaged.passRetained(ConnectionLoop(shared, name: name, logger: logger))
    let code = pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<ConnectionLoop>.fromOpaque(pointer!).takeRetainedValue().run()
        return nil
      }, loop.toOpaque())
    precondition(code == 0, "the system refuses another thread")
    pthread_detach(thread)
  }

  private func run() {
    while true {
      let polled = client
      var (canRead, canWrite) = poll()
      if takeCommands() { break }
      if client == nil, let due = nextAttempt, ContinuousClock.now >= due { attempt() }
      if client !== polled { (canRead, canWrite) = (false, false) }
      if let client {
        do throws(MQTTError) {
          // Messages that a broker has kept come with its acceptance: subscribers hear of the connection first.
          defer { try? dispatch(client.notes) }
          if canRead { try read(client) }
          try checkConnect(client)
          // One that has only ended a former session is over.
          guard self.client === client else { continue }
          try dispatch(client.notes)
          if isConnected { try sendPublications(client) }
          try runHandlers()
          // PUBACKs of what was read leave from here on.
          if client.wantsWrite || canWrite { try client.write() }
          settleAcknowledged(client)
          try client.upkeep()
          if client.socket < 0 { throw MQTTError(.connectionLost, "the broker closed the connection") }
        } catch {
          // The broker closes the connection after a refusal: the refusal is the reason.
          let farewell = client.notes.disconnectReason.map(MosquittoClient.farewell)
          disconnected(client.notes.connectReturnCode.flatMap(MosquittoClient.refusal) ?? farewell ?? error)
        }
      }
      outbox.expire(at: ContinuousClock.now)
      shared.settle(outbox.takeSettled())
      do throws(MQTTError) { try runHandlers() } catch { disconnected(error) }
    }
    client?.disconnect()
    client = nil
    let error = MQTTError(.closed, "the connection to the Broker '\(name)' was closed")
    outbox.failAll(error)
    shared.settle(outbox.takeSettled())
    _ = shared.set(.disconnected(error))
    shared.contents.withLock { $0.isEnded = true }
  }

  // MARK: Commands

  /// Takes what other threads have asked for; true: the connection is closed.
  private func takeCommands() -> Bool {
    let (commands, configuration, generation, isClosed) = shared.contents.withLock { contents in
      defer { contents.commands = [] }
      return (contents.commands, contents.configuration, contents.generation, contents.isClosed)
    }
    for command in commands {
      switch command {
      case .subscribe(let id, let filters, let subscriber):
        work.append((subscriber, .state(shared.state)))
        apply(routes.add(id, filters, subscriber))
      // A closing client leaves its subscriptions with the broker: a session that it keeps goes on collecting.
      case .unsubscribe where isClosed: break
      case .unsubscribe(let id): apply(routes.remove(id) ?? [])
      case .publish(let publications, let job, let deadline):
        outbox.add(publications, job, deadline: deadline)
        if let session = job.session, session != shared.contents.withLock({ $0.session }) {
          job.fail(MQTTError(.connectionLost, "the Broker '\(name)' was connected anew meanwhile"))
        }
        if isClosed { outbox.failAll(MQTTError(.closed, "the connection to the Broker '\(name)' was closed")) }
        if !isConnected {
          outbox.failAll(
            MQTTError(.connectionLost, "the Broker '\(name)' is not connected"), sparesLasting: resumable != nil)
        }
      }
    }
    if isClosed { return true }
    if generation != self.generation {
      self.generation = generation
      reconfigure(configuration)
    }
    return false
  }

  private func reconfigure(_ new: BrokerConfiguration?) {
    client?.disconnect()
    resumable = nil
    hasEndedFormerSession = false
    let reason =
      new == nil
      ? MQTTError(.notConfigured, "the Broker '\(name)' does not exist (any more)")
      : MQTTError(.connectionLost, "the Broker '\(name)' was configured anew")
    configuration = new
    // What was begun with the former configuration ends with it; the senders begin anew.
    outbox.failAll(reason)
    if client != nil || new == nil { disconnected(reason) }
    guard let new else {
      nextAttempt = nil
      return
    }
    clientID = new.clientID ?? "selvedge-" + String(UInt64.random(in: .min ... .max), radix: 36)
    outbox.exactlyOnceLimit = Outbox.exactlyOnceLimit(new.protocolVersion)
    backoff = Backoff(new.reconnectDelay)
    nextAttempt = ContinuousClock.now
  }

  // MARK: The link

  private func attempt() {
    guard var configuration else { return }
    set(.connecting)
    attemptStarted = ContinuousClock.now
    do throws(MQTTError) {
      if let client = resumable {
        self.client = client
        try client.reconnect()
        return
      }
      shared.prepare?(&configuration)
      if endsFormerSession { configuration.cleanSession = true }
      let client = try MosquittoClient(configuration, clientID: clientID)
      client.notes.routes = routes
      self.client = client
      try client.connect(configuration)
    } catch {
      disconnected(error)
    }
  }

  /// Whether the next, or present, attempt connects with a clean session only to end the one that the broker may keep
  /// (MQTT 3.1.1, section 3.1.2.4).
  private var endsFormerSession: Bool {
    guard let configuration, configuration.endsFormerSession, !configuration.cleanSession else { return false }
    return resumable == nil && !hasEndedFormerSession
  }

  private func checkConnect(_ client: MosquittoClient) throws(MQTTError) {
    if isConnected { return }
    if let code = client.notes.connectReturnCode {
      if let refusal = MosquittoClient.refusal(code) { throw refusal }
      if endsFormerSession {
        hasEndedFormerSession = true
        client.disconnect()
        self.client = nil
        nextAttempt = ContinuousClock.now
        return
      }
      if resumable != nil, !client.notes.isSessionPresent {
        // What the broker had begun to take is gone with its session: the senders repeat it.
        resumable = nil
        throw MQTTError(.connectionLost, "the broker has forgotten the session")
      }
      resumable = nil
      client.ignoreLog()
      isConnected = true
      try subscribe(routes.table.uncoveredFilters)
      set(.connected)
    } else if ContinuousClock.now - attemptStarted > ConnectionLoop.connectTimeout {
      throw MQTTError(.timeout, "no answer within \(ConnectionLoop.connectTimeout.components.seconds) s")
    }
  }

  private func disconnected(_ cause: MQTTError) {
    var error = cause
    if let configuration, cause.kind != .notConfigured { error.message = "\(configuration): \(cause.message)" }
    // A connection that lasted is no reason to wait longer than the shortest delay.
    if isConnected, ContinuousClock.now - attemptStarted > .seconds(30) { backoff.reset() }
    // Messages that must arrive once are repeated by the client that began to send them.
    if isConnected, configuration?.cleanSession == false, outbox.hasLasting { resumable = client }
    // What another client finds is not its own: this one's, or that of whoever took the ID over.
    if isConnected { hasEndedFormerSession = false }
    client = nil
    isConnected = false
    filtersOfRequest.removeAll()
    outbox.failAll(MQTTError(.connectionLost, error.message), sparesLasting: resumable != nil)
    let delay = backoff.delay(chance: Double.random(in: 0...1))
    nextAttempt = ContinuousClock.now + delay
    logger.info(
      "broker not connected", metadata: ["broker": "\(name)", "reason": "\(error.message)", "retryIn": "\(delay)"])
    set(.disconnected(error))
  }

  private func set(_ state: MQTTState) {
    guard shared.set(state) else { return }
    for subscriber in routes.subscribers.sorted(by: { $0.key < $1.key }) {
      work.append((subscriber.value, .state(state)))
    }
  }

  // MARK: Subscriptions

  private func apply(_ directives: [SubscriptionTable.Directive]) {
    guard isConnected, let client else { return }
    do throws(MQTTError) {
      for directive in directives {
        switch directive {
        case .subscribe(let filter): try subscribe([filter])
        case .unsubscribe(let filter): try client.unsubscribe([filter])
        case .fetchRetained(let filter):
          try subscribe([filter])
          try client.unsubscribe([filter.text])
        }
      }
    } catch {
      disconnected(error)
    }
  }

  private func subscribe(_ filters: [TopicFilter]) throws(MQTTError) {
    guard let client else { return }
    for qos in UInt8(0)...2 {
      let texts = filters.filter { $0.qos == qos }.map(\.text)
      for start in stride(from: 0, to: texts.count, by: 64) {
        let part = Array(texts[start..<min(start + 64, texts.count)])
        filtersOfRequest[try client.subscribe(part, qos: qos)] = part
      }
    }
  }

  // MARK: Reading and writing

  private func poll() -> (canRead: Bool, canWrite: Bool) {
    var descriptors = [pollfd(fd: shared.wake.descriptor, events: Int16(POLLIN), revents: 0)]
    if let client, client.socket >= 0 {
      let events = POLLIN | (client.wantsWrite ? POLLOUT : 0)
      descriptors.append(pollfd(fd: client.socket, events: Int16(events), revents: 0))
    }
    var timeout = Duration.seconds(1)
    let now = ContinuousClock.now
    if client == nil { timeout = nextAttempt.map { min(max($0 - now, .zero), .seconds(60)) } ?? .seconds(60) }
    if let deadline = outbox.nextDeadline { timeout = min(timeout, max(deadline - now, .zero)) }
    _ = Glibc.poll(&descriptors, nfds_t(descriptors.count), Int32(timeout.nanoseconds / 1_000_000) + 1)
    if descriptors[0].revents != 0 { shared.wake.drain() }
    guard descriptors.count > 1 else { return (false, false) }
    let events = Int32(descriptors[1].revents)
    return (events & (POLLIN | POLLERR | POLLHUP) != 0, events & POLLOUT != 0)
  }

  private func read(_ client: MosquittoClient) throws(MQTTError) {
    let notes = client.notes
    if ContinuousClock.now - lastRead < ConnectionLoop.gathering, !outbox.isWaiting {
      usleep(UInt32(ConnectionLoop.gathering.nanoseconds / 1_000))
    }
    notes.arrival = shared.now()
    (notes.heard, notes.heardBytes) = (0, 0)
    routes.isOpen = isConnected && work.isEmpty && notes.messages.isEmpty
    defer {
      routes.isOpen = false
      settleAcknowledged(client)
    }
    for _ in 0..<ConnectionLoop.readLimit {
      let events = notes.events
      try client.read()
      if notes.events == events || client.socket < 0 || notes.heardBytes >= ConnectionLoop.readBytesLimit { break }
    }
    // A full round, or one that the broker's own limit of unacknowledged messages may have ended, asks for no delay.
    if notes.heard < 8 { lastRead = ContinuousClock.now }
  }

  private func dispatch(_ notes: MosquittoClient.Notes) throws(MQTTError) {
    for (id, granted) in notes.granted {
      let filters = filtersOfRequest.removeValue(forKey: id) ?? []
      for (text, qos) in zip(filters, granted) where qos >= 128 {
        logger.warning("broker refused a subscription", metadata: ["broker": "\(name)", "filter": "\(text)"])
        guard let entry = routes.table.filter(text) else { continue }
        for id in entry.subscribers.sorted() {
          if let subscriber = routes.subscribers[id] { work.append((subscriber, .refused(entry.filter))) }
        }
      }
    }
    notes.granted.removeAll(keepingCapacity: true)
    guard !notes.messages.isEmpty else { return }
    // Takers hear of what came before, too.
    try runHandlers()
    let messages = notes.messages
    notes.messages.removeAll()
    for (subscriber, messages) in routes.distribute(messages) { work.append((subscriber, .messages(messages))) }
  }

  /// Runs the handlers on the cooperative pool and lets this thread sleep until they are done and what they took may be
  /// acknowledged. Throws where it may not.
  private func runHandlers() throws(MQTTError) {
    guard !work.isEmpty || !routes.followers.isEmpty else { return }
    let (items, followers) = (work, routes.takeFollowers())
    work.removeAll(keepingCapacity: true)
    let hasMessages =
      !followers.isEmpty || items.contains { if case .messages = $0.event { true } else { false } }
    let done = ThreadSignal()
    // Never cancelled: the thread waits for its end below.
    Task.detached { [barrier = shared.barrier] in
      // Messages are only taken when no event waits: they came before these.
      for follower in followers { await follower.turnEnded() }
      for (subscriber, event) in items { await subscriber.handler(event) }
      done.signal(hasMessages ? await barrier.pass() : true)
    }
    guard done.wait() else {
      throw MQTTError(.connectionLost, "messages could not be made safe; the broker keeps them")
    }
  }

  private func sendPublications(_ client: MosquittoClient) throws(MQTTError) {
    while let packet = outbox.nextToSend(at: ContinuousClock.now) {
      do throws(MQTTError) {
        switch packet {
        case .message(let publication): outbox.sent(try client.publish(publication))
        case .fence: outbox.sent(try client.fence())
        }
      } catch {
        outbox.failNext(error)
        if error.kind != .invalidMessage { throw error }
      }
    }
  }

  private func settleAcknowledged(_ client: MosquittoClient) {
    for (id, reason) in client.notes.acknowledged { outbox.acknowledged(id, reason: reason) }
    client.notes.acknowledged.removeAll(keepingCapacity: true)
  }
}
