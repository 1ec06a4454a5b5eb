import NIOCore

/// How frames lie on a TCP connection.
public enum LinkFraming: String, Sendable, Hashable, CaseIterable {
  /// MBAP header with a transaction ID.
  case tcp = "TCP"
  /// Unit, data unit and CRC, as on a serial line: what serial-to-Ethernet converters pass through.
  case rtu = "RTU"
}

/// One request on its way through a link.
package struct LinkJob: Sendable {
  package var id: UInt64
  package var request: ModbusRequest
  package var unit: UInt8
  package var timeout: Duration
  /// Whether a connection that ended under the request has been replaced once for it already.
  package var isRetry = false
  package init(id: UInt64, request: ModbusRequest, unit: UInt8, timeout: Duration) {
    self.id = id
    self.request = request
    self.unit = unit
    self.timeout = timeout
  }
}

/// What happened on links, added up.
public struct LinkCounters: Sendable, Hashable {
  public var requests: UInt64 = 0
  public var answers: UInt64 = 0
  public var exceptions: UInt64 = 0
  public var timeouts: UInt64 = 0
  public var connects: UInt64 = 0
  public var connectFailures: UInt64 = 0
  public var connectionLosses: UInt64 = 0
  public var refusedByFullQueue: UInt64 = 0
  /// Replies that were dropped, by ``DropCause/name``.
  public var dropped: [String: UInt64] = [:]
  public init() {}

  package mutating func drop(_ cause: DropCause) { dropped[cause.name, default: 0] += 1 }
}

/// A TCP link's rules without its sockets and clocks: one request in flight, a bounded queue, replies that are not the
/// answer dropped and counted, reconnection with backoff.
///
/// A link that waits out its backoff refuses requests at once, with the reason of the last failure, so that nobody
/// queues for a dead device.
package struct LinkMachine: Sendable {
  package enum Timer: Sendable, Hashable { case response, backoff }

  package enum Event: Sendable {
    case submit(LinkJob)
    case connected
    case connectFailed(reason: String, message: String)
    case received([UInt8])
    case connectionEnded
    case fired(Timer)
    case close
  }

  package enum Directive: Sendable, Hashable {
    case connect(timeout: Duration)
    case send([UInt8])
    case disconnect
    case start(Timer, Duration)
    case cancel(Timer)
    case complete(UInt64, unit: UInt8, Result<ModbusResponse, ModbusError>)
  }

  private enum Phase {
    case idle, connecting, connected
    case waiting(ModbusError)
    case closed
  }

  /// Timeouts in a row after which a connection is taken for dead and made anew.
  static let timeoutsBeforeReconnect = 3

  private let framing: LinkFraming
  private let queueLimit: Int
  private var phase = Phase.idle
  private var queue = CircularBuffer<LinkJob>()
  private var current: LinkJob?
  private var transaction: UInt16 = 0
  private var lastDrop: DropCause?
  private var timeoutsInARow = 0
  private var hasAnswered = false
  private var mbap = MBAPFrameParser()
  private var rtu = RTUReplyParser()
  private var backoff: ReconnectBackoff
  private var directives: [Directive] = []
  package private(set) var counters = LinkCounters()

  package init(framing: LinkFraming, queueLimit: Int = 256, backoff: ReconnectBackoff) {
    self.framing = framing
    self.queueLimit = queueLimit
    self.backoff = backoff
  }

  package mutating func handle(_ event: Event) -> [Directive] {
    directives.removeAll()
    switch event {
    case .submit(let job): submit(job)
    case .connected:
      guard case .connecting = phase else { break }
      phase = .connected
      counters.connects += 1
      hasAnswered = false
      timeoutsInARow = 0
      sendNext()
    case .connectFailed(let reason, let message):
      guard case .connecting = phase else { break }
      counters.connectFailures += 1
      rest(after: .unreachable(reason: reason, message: message))
    case .received(let bytes): receive(bytes)
    case .connectionEnded: connectionEnded()
    case .fired(.response): responseOverdue()
    case .fired(.backoff): if case .waiting = phase { phase = .idle }
    case .close:
      let hasSocket =
        switch phase {
        case .connecting, .connected: true
        case .idle, .waiting, .closed: false
        }
      phase = .closed
      failAll(.closed)
      directives.append(.cancel(.backoff))
      if hasSocket { directives.append(.disconnect) }
    }
    return directives
  }

  private mutating func submit(_ job: LinkJob) {
    switch phase {
    case .closed: complete(job, .failure(.closed))
    case .waiting(let error): complete(job, .failure(error))
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
    guard current == nil, let job = queue.popFirst() else { return }
    current = job
    lastDrop = nil
    transaction &+= 1
    counters.requests += 1
    let pdu = job.request.bytes
    switch framing {
    case .tcp: directives.append(.send(MBAPFrame(transaction: transaction, unit: job.unit, pdu: pdu[...]).bytes))
    case .rtu: directives.append(.send(RTUFrame.bytes(unit: job.unit, pdu: pdu)))
    }
    directives.append(.start(.response, job.timeout))
  }

  // MARK: Replies

  private mutating func receive(_ bytes: [UInt8]) {
    guard case .connected = phase else { return }
    switch framing {
    case .tcp:
      mbap.append(bytes)
      do {
        while case .connected = phase, let frame = try mbap.next() {
          guard let current, frame.transaction == transaction else {
            drop(.wrongTransaction(expected: current == nil ? nil : transaction, received: frame.transaction))
            continue
          }
          answer(current, unit: frame.unit, pdu: frame.pdu)
        }
      } catch {
        counters.drop(.malformed(error.description))
        giveUp(.notModbus(error.description))
      }
    case .rtu:
      rtu.append(bytes)
      while case .connected = phase {
        guard let current else {
          if !rtu.isEmpty { counters.drop(.unsolicited) }
          return rtu.reset()
        }
        switch rtu.next() {
        case .incomplete: return
        case .dropped(let cause): return drop(cause)
        case .frame(let unit, let pdu): answer(current, unit: unit, pdu: pdu)
        }
      }
    }
  }

  private mutating func drop(_ cause: DropCause) {
    counters.drop(cause)
    lastDrop = cause
  }

  private mutating func answer(_ job: LinkJob, unit: UInt8, pdu: ArraySlice<UInt8>) {
    guard unit == job.unit else { return drop(.wrongUnit(expected: job.unit, received: unit)) }
    switch job.request.response(from: pdu) {
    case .success(let response): finish(.success(response))
    case .failure(.exception(let exception)):
      counters.exceptions += 1
      finish(.failure(.exception(exception)))
    case .failure(.dropped(let cause)): drop(cause)
    }
  }

  private mutating func finish(_ result: Result<ModbusResponse, ModbusError>) {
    guard let job = current else { return }
    current = nil
    counters.answers += 1
    hasAnswered = true
    timeoutsInARow = 0
    backoff.reset()
    directives.append(.cancel(.response))
    complete(job, result)
    sendNext()
  }

  // MARK: Trouble

  private mutating func responseOverdue() {
    guard case .connected = phase, let job = current else { return }
    current = nil
    counters.timeouts += 1
    timeoutsInARow += 1
    let breaksOff = framing == .tcp ? mbap.isInsideFrame : !rtu.isEmpty
    if breaksOff { drop(.malformed("an answer that breaks off")) }
    complete(job, .failure(.timeout(after: job.timeout, dropped: lastDrop)))
    // Without transaction IDs a late reply cannot be told from the next request's answer, and after a torn frame nobody
    // knows where the next one begins: only a new connection is safe.
    guard framing == .tcp, !breaksOff, timeoutsInARow < Self.timeoutsBeforeReconnect else {
      phase = .idle
      timeoutsInARow = 0
      directives.append(.disconnect)
      return connect()
    }
    sendNext()
  }

  private mutating func connectionEnded() {
    guard case .connected = phase else { return }
    counters.connectionLosses += 1
    guard var job = current else {
      phase = .idle
      return connect()
    }
    // Many devices close a connection that was idle; the request that met the closing goes out once more.
    if hasAnswered, !job.isRetry, job.request.isReadOnly {
      current = nil
      job.isRetry = true
      queue.prepend(job)
      directives.append(.cancel(.response))
      phase = .idle
      return connect()
    }
    rest(after: .connectionLost)
  }

  private mutating func giveUp(_ error: ModbusError) {
    directives.append(.disconnect)
    rest(after: error)
  }

  /// Fails everything that waits and lets time pass before the next attempt.
  private mutating func rest(after error: ModbusError) {
    phase = .waiting(error)
    failAll(error)
    directives.append(.start(.backoff, backoff.delayAfterFailure()))
  }

  private mutating func failAll(_ error: ModbusError) {
    if let job = current {
      current = nil
      directives.append(.cancel(.response))
      complete(job, .failure(error))
    }
    while let job = queue.popFirst() { complete(job, .failure(error)) }
  }

  private mutating func complete(_ job: LinkJob, _ result: Result<ModbusResponse, ModbusError>) {
    directives.append(.complete(job.id, unit: job.unit, result))
  }
}
