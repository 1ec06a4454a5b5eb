internal import Documents
internal import Glibc
internal import Synchronization

/// Stands between Modbus clients and a Modbus TCP server and spoils replies by a script and a seed. Its clients speak
/// Modbus TCP, or RTU framing over TCP. One thread a connection; asks the server one request at a time.
public final class FaultProxy: Sendable {
  /// Where it listens on the loopback.
  public let port: Int
  private let listener: Int32
  private let server: (host: String, port: Int)
  private let isRTU: Bool
  private let state: Mutex<State>
  private static let mostConnections = 64

  private struct State {
    var script: FaultScript
    var random: SeededGenerator
    var requests = 0
    var spoilt: [ReplyFault: Int] = [:]
    var open: Set<Int32> = []
    var isStopped = false
  }

  /// `port` 0 takes a free one. `isRTU`: clients speak RTU framing over TCP.
  public init(
    to host: String, port serverPort: Int, listen port: Int = 0, isRTU: Bool = false, script: FaultScript = .none,
    seed: UInt64 = 1
  ) throws(PlantError) {
    server = (host, serverPort)
    self.isRTU = isRTU
    state = Mutex(State(script: script, random: SeededGenerator(seed: seed)))
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = UInt16(clamping: port).bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let isBound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, address, &size) == 0
      }
    }
    guard isBound else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw .cannotListen(host: "127.0.0.1", port: port, reason: reason)
    }
    self.port = Int(UInt16(bigEndian: name.sin_port))
    LoopThread { [self] in accept() }.start()
  }

  public var script: FaultScript {
    get { state.withLock { $0.script } }
    set { state.withLock { $0.script = newValue } }
  }
  public var requests: Int { state.withLock { $0.requests } }
  /// Replies spoilt, by fault.
  public var spoilt: [ReplyFault: Int] { state.withLock { $0.spoilt } }

  /// Ends all connections and listens no more.
  public func stop() {
    state.withLock { state in
      guard !state.isStopped else { return }
      state.isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private func accept() {
    defer { close(listener) }
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { return }
      var one: Int32 = 1
      setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      let isTaken = state.withLock { state in
        guard !state.isStopped, state.open.count < Self.mostConnections else { return false }
        state.open.insert(client)
        return true
      }
      guard isTaken else {
        close(client)
        continue
      }
      LoopThread { [self] in
        serve(client)
        _ = state.withLock { $0.open.remove(client) }
        close(client)
      }.start()
    }
  }

  private func serve(_ client: Int32) {
    let upstream = connectToServer()
    guard upstream >= 0 else { return }
    defer { close(upstream) }
    var fromClient: [UInt8] = []
    var fromServer: [UInt8] = []
    var held: [UInt8] = []
    while true {
      guard let request = ProxyFrame.take(&fromClient, isRTU: isRTU) else {
        guard receive(client, &fromClient) else { return }
        continue
      }
      guard transmit(request.mbap, to: upstream) else { return }
      var answer = ProxyFrame.takeMBAP(&fromServer)
      while answer == nil {
        guard receive(upstream, &fromServer) else { return }
        answer = ProxyFrame.takeMBAP(&fromServer)
      }
      guard let answer, pass(answer, to: request, on: client, &held) else { return }
    }
  }

  /// Sends the reply, spoilt or whole; false where the connection is to be closed.
  private func pass(_ reply: ProxyFrame, to request: ProxyFrame, on client: Int32, _ held: inout [UInt8]) -> Bool {
    let (fault, script, number) = state.withLock { state in
      state.requests += 1
      let fault = state.script.draw(&state.random)
      if let fault { state.spoilt[fault, default: 0] += 1 }
      return (fault, state.script, state.random.next())
    }
    var reply = reply
    if fault == .exception, !script.exceptions.isEmpty {
      reply.pdu = [request.pdu[0] | 0x80, script.exceptions[Int(number % UInt64(script.exceptions.count))]]
    }
    var bytes = isRTU ? reply.rtu : reply.mbap
    switch fault {
    case nil, .exception: break
    case .drop: return true
    case .delay: usleep(UInt32(clamping: script.delay.nanoseconds / 1_000))
    case .truncate: bytes.removeLast(1 + Int(number % UInt64(bytes.count - 1)))
    case .duplicate: bytes += bytes
    case .reorder:
      held += bytes
      return true
    case .corrupt:
      let reach = isRTU ? bytes.count : min(9, bytes.count)
      bytes[Int(number % UInt64(reach))] ^= 1 << UInt8(number >> 32 & 7)
    case .hangUp: return false
    }
    bytes += held
    held = []
    return transmit(bytes, to: client)
  }

  private func connectToServer() -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(server.host, String(server.port), &hints, &found) == 0, let first = found else { return -1 }
    defer { freeaddrinfo(first) }
    let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
      close(descriptor)
      return -1
    }
    var one: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }

  private func receive(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
    var piece = [UInt8](repeating: 0, count: 1_024)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes += piece[..<count]
      return true
    }
  }

  private func transmit(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}
