import DeviceKit
import Documents
import NIOCore

/// A TCP link's rules without its sockets and clocks: a bounded queue, a window of requests in flight, pauses, replies
/// that are not the answer dropped and counted, reconnection with backoff.
///
/// A link that waits out its backoff refuses requests at once, with the reason of the last failure, so that nobody
/// queues for a dead device. Times are nanoseconds of a monotonic clock.
package struct LinkMachine: Sendable {
  package enum Event: Sendable {
    case submit(LinkJob)
    case connected
    case connectFailed(reason: String, message: String)
    case received([UInt8])
    case connectionEnded
    /// Time has passed: due at ``nextTick``, harmless at any other time.
    case tick
    case adapt(LinkTiming)
    case close
  }

  package enum Directive: Sendable, Hashable {
    case connect(timeout: Duration)
    case send([UInt8])
    case disconnect
    /// Disconnect, and what has not gone out yet must never go out.
    case abort
    case complete(UInt64, unit: UInt8, Result<ModbusResponse, ModbusError>)
  }

  private enum Phase {
    case idle, connecting, connected
    case waiting(ModbusError, until: Int64)
    case closed
  }

  /// A request that was sent.
  private struct Flight {
    var job: LinkJob
    var transaction: UInt16
    var deadline: Int64
    /// What was sent in place of the job's request, which comes after it.
    var probe: ModbusRequest?
    var lastDrop: DropCause?
    var request: ModbusRequest { probe ?? job.request }
  }

  /// Timeouts in a row after which a connection is taken for dead and made anew.
  static let timeoutsBeforeReconnect = 3
  /// A reply to one of so many former requests is late; any other transaction ID is wrong.
  static let rememberedTransactions: UInt16 = 1_024

  private let framing: LinkFraming
  private let queueLimit: Int
  private var timing = LinkTiming()
  private var phase = Phase.idle
  // Mostly one request at a time: with a thousand links, room for 16 each would be a megabyte.
  private var queue = CircularBuffer<LinkJob>(initialCapacity: 1)
  /// In the order in which they were sent.
  private var flights: [Flight] = []
  private var transaction: UInt16 = 0
  private var sent: UInt64 = 0
  private var pausedUntil = Int64.min
  private var timeoutsInARow = 0
  private var hasAnswered = false
  private var mbap = MBAPFrameParser(isWary: true)
  private var rtu = RTUReplyParser()
  private var owed = OwedReplies()
  private var backoff: ReconnectBackoff
  private var directives: [Directive] = []
  private var now = Int64.min
  package private(set) var counters = LinkCounters()

  package init(framing: LinkFraming, queueLimit: Int = 256, backoff: ReconnectBackoff) {
    self.framing = framing
    self.queueLimit = queueLimit
    self.backoff = backoff
  }

  package var isTCP: Bool { framing == .tcp }

  /// How many requests may be in flight at once.
  package var window: Int { framing == .tcp ? timing.maxInFlight ?? 1 : 1 }

  /// When `.tick` is wanted; nil: not at all.
  package var nextTick: Int64? {
    switch phase {
    case .waiting(_, let until): return until
    case .connected:
      let isHeldBack = !queue.isEmpty && flights.count < window && pausedUntil > now
      let deadline = flights.count == 1 ? flights[0].deadline : flights.map(\.deadline).min()
      return isHeldBack ? min(pausedUntil, deadline ?? .max) : deadline
    case .idle, .connecting, .closed: return nil
    }
  }

  package mutating func handle(_ event: Event, at now: Int64) -> [Directive] {
    self.now = now
    directives.removeAll(keepingCapacity: true)
    switch event {
    case .submit(let job): submit(job)
    case .connected:
      guard case .connecting = phase else { break }
      phase = .connected
      counters.connects += 1
      hasAnswered = false
      timeoutsInARow = 0
      pausedUntil = now + timing.pauseAfterConnect.nanoseconds
      sendNext()
    case .connectFailed(let reason, let message):
      guard case .connecting = phase else { break }
      counters.connectFailures += 1
      rest(after: .unreachable(reason: reason, message: message))
    case .received(let bytes): receive(bytes)
    case .connectionEnded: connectionEnded()
    case .tick: tick()
    case .adapt(let timing):
      self.timing = self.timing.joined(with: timing)
      backoff.limit = self.timing.reconnectLimit
    case .close:
      let hasSocket =
        switch phase {
        case .connecting, .connected: true
        case .idle, .waiting, .closed: false
        }
      phase = .closed
      failAll(.closed)
      if hasSocket { directives.append(.disconnect) }
    }
    return directives
  }

  private mutating func submit(_ job: LinkJob) {
    if case .waiting(_, let until) = phase, until <= now { phase = .idle }
    switch phase {
    case .closed: complete(job, .failure(.closed))
    case .waiting(let error, _): complete(job, .failure(error))
    case .idle, .connecting, .connected:
      guard queue.count < queueLimit else {
        counters.refusedByFullQueue += 1
        return complete(job, .failure(.queueFull(limit: queueLimit)))
      }
      queue.append(job)
      if case .connected = phase { sendNext() } else { connect() }
    }
  }

  private mutating func connect() {
    guard case .idle = phase, let first = queue.first else { return }
    phase = .connecting
    mbap.reset()
    rtu.reset()
    directives.append(.connect(timeout: first.timeout))
  }

  private mutating func sendNext() {
    while flights.count < window, pausedUntil <= now, let job = queue.popFirst() {
      if let fence = job.fence, !fence.permits(writeWithin: job.timeout) {
        complete(job, .failure(.fenced))
        continue
      }
      transaction &+= 1
      sent += 1
      var flight = Flight(job: job, transaction: transaction, deadline: now + job.timeout.nanoseconds)
      switch framing {
      case .tcp:
        let frame = MBAPFrame(transaction: transaction, unit: job.unit, pdu: job.request.bytes[...])
        directives.append(.send(frame.bytes))
      case .rtu:
        flight.probe = owed.probe(before: job.request, unit: job.unit, at: now)
        if flight.probe != nil { counters.probes += 1 }
        directives.append(.send(RTUFrame.bytes(unit: job.unit, pdu: flight.request.bytes)))
      }
      flights.append(flight)
      counters.requests += 1
      pause()
    }
  }

  private mutating func pause() {
    let pause = timing.pauseBetweenRequests
    if pause > .zero { pausedUntil = now + pause.nanoseconds }
  }

  // MARK: Replies

  private mutating func receive(_ bytes: [UInt8]) {
    guard case .connected = phase else { return }
    switch framing {
    case .tcp:
      mbap.append(bytes)
      do {
        while case .connected = phase, let frame = try mbap.next() {
          guard let index = flights.firstIndex(where: { $0.transaction == frame.transaction }) else {
            drop(foreign(frame.transaction))
            continue
          }
          answer(index, unit: frame.unit, pdu: frame.pdu)
        }
      } catch {
        counters.drop(.malformed(error.description))
        counters.disconnects += 1
        directives.append(.disconnect)
        rest(after: .notModbus(error.description))
      }
    case .rtu:
      rtu.append(bytes)
      while case .connected = phase {
        guard !flights.isEmpty else {
          if !rtu.isEmpty { counters.drop(.unsolicited) }
          return rtu.reset()
        }
        switch rtu.next() {
        case .incomplete: return
        case .dropped(let cause): return drop(cause)
        case .frame(let unit, let pdu): answer(0, unit: unit, pdu: pdu)
        }
      }
    }
  }

  /// Why a reply whose transaction ID is no present request's comes: it is late or doubled, or nobody asked for it.
  private func foreign(_ received: UInt16) -> DropCause {
    let age = transaction &- received
    if age < Self.rememberedTransactions, UInt64(age) < sent { return .late(transaction: received) }
    return .wrongTransaction(expected: flights.first?.transaction, received: received)
  }

  private mutating func drop(_ cause: DropCause) {
    counters.drop(cause)
    if !flights.isEmpty { flights[0].lastDrop = cause }
  }

  private mutating func answer(_ index: Int, unit: UInt8, pdu: ArraySlice<UInt8>) {
    let flight = flights[index]
    guard unit == flight.job.unit else {
      counters.drop(.wrongUnit(expected: flight.job.unit, received: unit))
      return flights[index].lastDrop = .wrongUnit(expected: flight.job.unit, received: unit)
    }
    switch flight.request.response(from: pdu) {
    case .success(let response): finish(index, .success(response))
    case .failure(.exception(let exception)):
      counters.exceptions[exception.code, default: 0] += 1
      finish(index, .failure(.exception(exception)))
    case .failure(.dropped(let cause)):
      counters.drop(cause)
      flights[index].lastDrop = cause
    }
  }

  private mutating func finish(_ index: Int, _ result: Result<ModbusResponse, ModbusError>) {
    let flight = flights.remove(at: index)
    counters.answers += 1
    hasAnswered = true
    timeoutsInARow = 0
    backoff.reset()
    if framing == .rtu {
      var isException = false
      if case .failure = result { isException = true }
      owed.answered(flight.request, unit: flight.job.unit, isException: isException, until: expiry(of: flight.job))
      // What came before the next request is sent cannot be its answer.
      if !rtu.isEmpty {
        counters.drop(.unsolicited)
        rtu.reset()
      }
    }
    if flight.probe != nil { queue.prepend(flight.job) } else { complete(flight.job, result) }
    pause()
    sendNext()
  }

  /// Until when a reply to a request that is given up now may come.
  private func expiry(of job: LinkJob) -> Int64 { now + max(2_000_000_000, 3 * job.timeout.nanoseconds) }

  // MARK: Trouble

  private mutating func tick() {
    switch phase {
    case .waiting(_, let until): if until <= now { phase = .idle }
    case .connected:
      responsesOverdue()
      if case .connected = phase { sendNext() }
    case .idle, .connecting, .closed: break
    }
  }

  private mutating func responsesOverdue() {
    guard flights.contains(where: { $0.deadline <= now }) else { return }
    let breaksOff = framing == .tcp ? mbap.isInsideFrame : !rtu.isEmpty
    if breaksOff { drop(.malformed("an answer that breaks off")) }
    // A write of which nobody knows where it is must not arrive once another gateway may write.
    var hasFencedWrite = false
    while let index = flights.firstIndex(where: { $0.deadline <= now }) {
      let flight = flights.remove(at: index)
      hasFencedWrite = hasFencedWrite || flight.job.fence != nil
      counters.timeouts += 1
      timeoutsInARow += 1
      if framing == .rtu { owed.giveUp(flight.request, unit: flight.job.unit, until: expiry(of: flight.job)) }
      complete(flight.job, .failure(.timeout(after: flight.job.timeout, dropped: flight.lastDrop)))
    }
    pause()
    // After a torn frame nobody knows where the next one begins: only a new connection is safe.
    guard breaksOff || hasFencedWrite || timeoutsInARow >= Self.timeoutsBeforeReconnect else { return }
    timeoutsInARow = 0
    counters.disconnects += 1
    directives.append(hasFencedWrite ? .abort : .disconnect)
    requeueFlights()
    phase = .idle
    connect()
  }

  private mutating func connectionEnded() {
    guard case .connected = phase else { return }
    counters.connectionLosses += 1
    // Many devices close a connection that was idle; a request that met the closing goes out once more.
    guard flights.isEmpty || hasAnswered else { return rest(after: .connectionLost) }
    guard requeueFlights() else { return rest(after: .connectionLost) }
    phase = .idle
    connect()
  }

  /// Puts what was in flight back to the queue's front, but for writes and what has been sent twice: these fail. Whether
  /// none had to.
  @discardableResult
  private mutating func requeueFlights() -> Bool {
    var isWhole = true
    for flight in flights.reversed() {
      var job = flight.job
      if framing == .rtu { owed.giveUp(flight.request, unit: job.unit, until: expiry(of: job)) }
      if job.isRetry || !job.request.isReadOnly {
        complete(job, .failure(.connectionLost))
        isWhole = false
      } else {
        job.isRetry = true
        queue.prepend(job)
      }
    }
    flights.removeAll()
    return isWhole
  }

  /// Fails everything that waits and lets time pass before the next attempt.
  private mutating func rest(after error: ModbusError) {
    phase = .waiting(error, until: now + backoff.delayAfterFailure().nanoseconds)
    failAll(error)
  }

  private mutating func failAll(_ error: ModbusError) {
    for flight in flights { complete(flight.job, .failure(error)) }
    flights.removeAll()
    while let job = queue.popFirst() { complete(job, .failure(error)) }
  }

  private mutating func complete(_ job: LinkJob, _ result: Result<ModbusResponse, ModbusError>) {
    directives.append(.complete(job.id, unit: job.unit, result))
  }
}
