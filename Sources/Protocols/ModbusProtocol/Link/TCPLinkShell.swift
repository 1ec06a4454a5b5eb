import DeviceKit
import Documents
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Carries out a ``LinkMachine``'s directives on one event loop.
///
/// Unchecked: every stored variable is touched on `loop` alone (each entry asserts it), but for `state`, a mutex.
final class TCPLinkShell: @unchecked Sendable {
  /// Changed on `loop` alone, and looked at from anywhere.
  struct State {
    var machine: LinkMachine
    var answers = AnswerLog()
  }
  let state: Mutex<State>

  private let endpoint: TCPEndpoint
  private let loop: any EventLoop
  private let clock: WallClock
  private var channel: (any Channel)?
  /// Tells events of the present connection from those of earlier ones.
  private var generation = 0
  private var timer: Scheduled<Void>?
  /// When `timer` fires. It is left alone where an answer has made it needless: what it then does is set the next one,
  /// so that a timeout costs a timer in its whole span and not one a request.
  private var timerDue = Int64.max
  /// Each is resumed exactly once: the machine completes every job that it takes.
  private var waiting: [UInt64: UnsafeContinuation<ModbusReply, Never>] = [:]
  private var lastID: UInt64 = 0

  init(_ endpoint: TCPEndpoint, machine: LinkMachine, loop: any EventLoop, clock: WallClock) {
    self.endpoint = endpoint
    state = Mutex(State(machine: machine))
    self.loop = loop
    self.clock = clock
  }

  func submit(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, fence: WriteFence?,
    _ continuation: UnsafeContinuation<ModbusReply, Never>
  ) {
    lastID += 1
    waiting[lastID] = continuation
    handle(.submit(LinkJob(id: lastID, request: request, unit: unit, timeout: timeout, fence: fence)))
  }

  func handle(_ event: LinkMachine.Event) {
    loop.assertInEventLoop()
    let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
    let directives = state.withLock { $0.machine.handle(event, at: now) }
    for directive in directives { carryOut(directive) }
    if let due = state.withLock({ $0.machine.nextTick }), due < timerDue { setTimer(due) }
  }

  private func setTimer(_ due: Int64) {
    timer?.cancel()
    timerDue = due
    timer = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(max(0, due)))) { [weak self] in
      guard let self else { return }
      timer = nil
      timerDue = .max
      handle(.tick)
    }
  }

  private func carryOut(_ directive: LinkMachine.Directive) {
    switch directive {
    case .connect(let timeout): connect(timeout: timeout)
    case .send(let bytes):
      guard let channel else { return }
      channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
    case .disconnect:
      generation += 1
      channel?.close(promise: nil)
      channel = nil
    case .abort:
      generation += 1
      // What the kernel still has to send is thrown away with the connection (SO_LINGER of zero).
      if let provider = channel as? any SocketOptionProvider {
        _ = provider.setSoLinger(linger(l_onoff: 1, l_linger: 0))
      }
      channel?.close(promise: nil)
      channel = nil
    case .complete(let id, let unit, let result):
      let reply = ModbusReply(result: result, arrival: clock.now)
      state.withLock { $0.answers.note(reply, unit: unit) }
      waiting.removeValue(forKey: id)?.resume(returning: reply)
    }
  }

  private func connect(timeout: Duration) {
    generation += 1
    let generation = generation
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.nanoseconds(timeout.nanoseconds))
      .channelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
      .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(ChannelOptions.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 512))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(LinkChannelHandler(self, generation: generation))
        }
      }
    let attempt: EventLoopFuture<any Channel>
    if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
      attempt = bootstrap.connect(to: address)
    } else {
      attempt = bootstrap.connect(host: endpoint.host, port: endpoint.port)
    }
    attempt.whenComplete { result in
      switch result {
      case .success(let channel):
        guard generation == self.generation else { return channel.close(promise: nil) }
        guard channel.isActive else {
          return self.handle(.connectFailed(reason: "ConnectionLost", message: "the peer closes connections at once"))
        }
        self.channel = channel
        self.handle(.connected)
      case .failure(let error):
        guard generation == self.generation else { return }
        let (reason, message) = Self.describe(error, endpoint: self.endpoint, timeout: timeout)
        self.handle(.connectFailed(reason: reason, message: message))
      }
    }
  }

  func received(_ bytes: [UInt8], generation: Int) {
    guard generation == self.generation else { return }
    handle(.received(bytes))
  }

  func ended(generation: Int) {
    guard generation == self.generation, channel != nil else { return }
    channel = nil
    handle(.connectionEnded)
  }

  /// A condition's reason and message for a failed connect.
  static func describe(_ error: any Error, endpoint: TCPEndpoint, timeout: Duration) -> (
    reason: String, message: String
  ) {
    let code: Int32? =
      switch error {
      case let error as IOError: error.errnoCode
      case let error as NIOConnectionError:
        error.connectionErrors.lazy.compactMap { ($0.error as? IOError)?.errnoCode }.first
      default: nil
      }
    if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
      return ("NameNotFound", "the name \(endpoint.host) has no address")
    }
    switch code {
    case ECONNREFUSED: return ("ConnectionRefused", "\(endpoint) refuses the connection: nothing listens there")
    case EHOSTUNREACH: return ("HostUnreachable", "no route to \(endpoint)")
    case ENETUNREACH: return ("NetworkUnreachable", "no route to the network of \(endpoint)")
    case ETIMEDOUT: return ("ConnectTimeout", "\(endpoint) did not accept a connection")
    case let code?: return ("ConnectFailed", "\(endpoint): \(String(cString: strerror(code)))")
    case nil:
      if case .connectTimeout = error as? ChannelError {
        return ("ConnectTimeout", "\(endpoint) did not accept a connection within \(timeout.brief)")
      }
      if let error = error as? NIOConnectionError, error.connectionErrors.contains(where: { Self.isTimeout($0.error) })
      {
        return ("ConnectTimeout", "\(endpoint) did not accept a connection within \(timeout.brief)")
      }
      return ("ConnectFailed", "\(endpoint): \(error)")
    }
  }

  private static func isTimeout(_ error: any Error) -> Bool {
    if case .connectTimeout = error as? ChannelError { true } else { false }
  }
}

/// Hands a channel's bytes and its end to the link.
private final class LinkChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let shell: TCPLinkShell
  private let generation: Int

  init(_ shell: TCPLinkShell, generation: Int) {
    self.shell = shell
    self.generation = generation
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    shell.received(Array(buffer.readableBytesView), generation: generation)
  }

  func channelInactive(context: ChannelHandlerContext) {
    shell.ended(generation: generation)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
