internal import Documents
internal import Glibc
internal import Synchronization

/// One thread that serves several simulated Modbus devices: waits with poll, answers, and moves time on.
///
/// Everything but `stop`, `wake` and `advance` belongs to the thread.
final class ModbusLoop: @unchecked Sendable {
  // Proof: the fields below `thread` are touched by init before the thread starts, and by the thread's body from then on.
  let waker = LoopWaker()
  private let stopping = Atomic(false)
  private var thread: LoopThread?

  private let context: ModbusContext
  private var polled: [pollfd] = []
  private var isPolledStale = true
  private var stations: [Station] = []
  private var listeners: [Int32: Int] = [:]
  private var connections: [Int32: Connection] = [:]
  private var delayed: [DelayedRequest] = []
  private let tick: Duration?
  private let slots: ConnectionSlots
  private var scratch = [UInt8](repeating: 0, count: 4_096)

  private struct Station {
    let server: ModbusServer
    var listener: Int32?
  }

  private struct Connection {
    let peer: ModbusPeer
    let station: Int
    var splitter = ModbusFrameSplitter()
  }

  private struct DelayedRequest {
    let frame: [UInt8]
    let descriptor: Int32
    let connection: Int
    let due: Int64
  }

  /// `tick` nil: time moves only by `advance`.
  init(host: String, tick: Duration?, slots: ConnectionSlots) throws(PlantError) {
    context = try ModbusContext(host: host, port: 0)
    self.tick = tick
    self.slots = slots
  }

  /// Only a loop that never started still holds sockets here.
  deinit { for descriptor in listeners.keys { close(descriptor) } }

  /// Adds a server on a socket that listens already. Only before `start`.
  func add(_ server: ModbusServer, listener: Int32) {
    listeners[listener] = stations.count
    stations.append(Station(server: server, listener: listener))
  }

  func start() {
    let thread = LoopThread { self.run() }
    self.thread = thread
    thread.start()
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    waker.wake()
  }

  func ended() async { await thread?.ended() }
  var hasEnded: Bool { thread?.hasEnded ?? true }

  // MARK: The loop

  private func run() {
    let interval = tick?.nanoseconds
    var nextTick = monotonicNanoseconds() + (interval ?? 0)
    while !stopping.load(ordering: .acquiring) {
      var now = monotonicNanoseconds()
      if let interval, let tick, now >= nextTick {
        for station in stations { station.server.tick(tick) }
        nextTick += interval
        // After a long pause the plant goes on from now: it is a clock, not a backlog.
        if nextTick < now - 10 * interval { nextTick = now + interval }
        now = monotonicNanoseconds()
      }
      serveDelayed(now)
      let due = [interval.map { _ in nextTick }, delayed.map(\.due).min()].compactMap { $0 }.min()
      let timeout = due.map { Int32(clamping: max(0, ($0 - now + 999_999) / 1_000_000)) } ?? -1
      refreshPolled()
      var ready = poll(&polled, nfds_t(polled.count), timeout)
      for index in polled.indices where ready > 0 && polled[index].revents != 0 {
        ready -= 1
        handle(polled[index].fd)
      }
    }
    for descriptor in Array(connections.keys) { drop(descriptor) }
    for descriptor in listeners.keys { close(descriptor) }
    listeners = [:]
  }

  private func refreshPolled() {
    guard isPolledStale else { return }
    let descriptors = [waker.descriptor] + listeners.keys + connections.keys
    polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    isPolledStale = false
  }

  private func handle(_ descriptor: Int32) {
    if descriptor == waker.descriptor {
      waker.drain()
      reconcileListeners()
    } else if let station = listeners[descriptor] {
      accept(descriptor, station)
    } else {
      receive(descriptor)
    }
  }

  private func accept(_ listener: Int32, _ station: Int) {
    let server = stations[station].server
    while true {
      var name = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = withUnsafeMutablePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.accept(listener, $0, &length)
        }
      }
      guard descriptor >= 0 else { return }
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      guard let number = slots.take() else {
        server.withState { $0.statistics.connectionsRefused += 1 }
        close(descriptor)
        continue
      }
      var one: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      let octets = withUnsafeBytes(of: name.sin_addr.s_addr) { $0.map { String($0) } }.joined(separator: ".")
      let peer = ModbusPeer(
        descriptor: descriptor, number: number, address: "\(octets):\(UInt16(bigEndian: name.sin_port))")
      connections[descriptor] = Connection(peer: peer, station: station)
      isPolledStale = true
      server.withState {
        $0.statistics.connectionsAccepted += 1
        $0.statistics.connectionsOpen += 1
      }
    }
  }

  private func receive(_ descriptor: Int32) {
    guard connections[descriptor] != nil else { return }
    let count = recv(descriptor, &scratch, scratch.count, 0)
    if count <= 0 {
      if count < 0, errno == EAGAIN || errno == EINTR { return }
      return drop(descriptor)
    }
    connections[descriptor]?.splitter.append(scratch[..<count])
    while let frame = connections[descriptor]?.splitter.next() {
      serve(frame, on: descriptor, delayed: false)
    }
    if let connection = connections[descriptor], connection.splitter.isBroken {
      stations[connection.station].server.withState { $0.statistics.brokenStreams += 1 }
      drop(descriptor)
    }
  }

  private func serve(_ frame: [UInt8], on descriptor: Int32, delayed isDelayed: Bool) {
    guard let connection = connections[descriptor] else { return }
    let server = stations[connection.station].server
    switch server.serve(frame, from: connection.peer, with: context, delayed: isDelayed) {
    case .keep: break
    case .close: drop(descriptor)
    case .wait(let time):
      delayed.append(
        DelayedRequest(
          frame: frame, descriptor: descriptor, connection: connection.peer.number,
          due: monotonicNanoseconds() + time.nanoseconds))
    }
  }

  private func serveDelayed(_ now: Int64) {
    guard delayed.contains(where: { $0.due <= now }) else { return }
    let ready = delayed.filter { $0.due <= now }
    delayed.removeAll { $0.due <= now }
    for request in ready where connections[request.descriptor]?.peer.number == request.connection {
      serve(request.frame, on: request.descriptor, delayed: true)
    }
  }

  private func drop(_ descriptor: Int32) {
    guard let connection = connections.removeValue(forKey: descriptor) else { return }
    // Counted first: a client that sees the end of its connection finds it counted.
    slots.release()
    stations[connection.station].server.withState { $0.statistics.connectionsOpen -= 1 }
    isPolledStale = true
    close(descriptor)
  }

  /// Closes or opens listening sockets as the ``ModbusFault/offline`` fault asks.
  private func reconcileListeners() {
    for (index, station) in stations.enumerated() {
      let isOffline = station.server.faults.contains(.offline)
      if isOffline, let listener = station.listener {
        close(listener)
        listeners[listener] = nil
        stations[index].listener = nil
        isPolledStale = true
        for (descriptor, connection) in connections where connection.station == index { drop(descriptor) }
      } else if !isOffline, station.listener == nil {
        guard let again = try? ModbusContext(host: station.server.host, port: station.server.port),
          let opened = try? again.listen()
        else {
          station.server.withState { $0.statistics.failedListens += 1 }
          continue
        }
        listeners[opened.descriptor] = index
        stations[index].listener = opened.descriptor
        isPolledStale = true
      }
    }
  }
}

/// The connections that all loops of a process may hold together, and their numbers.
final class ConnectionSlots: Sendable {
  private let state: Mutex<(open: Int, given: Int)> = Mutex((0, 0))
  let limit: Int

  init(limit: Int) { self.limit = limit }

  /// The number of a new connection, from 1; nil where there are enough.
  func take() -> Int? {
    state.withLock { state in
      guard state.open < limit else { return nil }
      state.open += 1
      state.given += 1
      return state.given
    }
  }

  func release() { state.withLock { $0.open -= 1 } }
}
