import DeviceKit
import NIOCore
import NIOPosix
import Synchronization

/// A proxy on the loopback that does to connections what bad networks do, by a seeded order: it cuts some in the midst
/// of an answer, delays others, and lets others fall silent while they stay open.
final class UnreliableProxy: Sendable {
  enum Fate: Sendable, Hashable {
    case fine
    /// Closed once so many bytes have come from the server.
    case cut(after: Int)
    /// Open, but nothing comes any more.
    case silent(after: Int)
    case slow(milliseconds: Int64)
  }

  private let plan: any FatePlan
  private let channel: any Channel
  var port: Int { channel.localAddress?.port ?? 0 }
  /// How many connections met with a fate other than fine.
  var badConnections: Int { plan.bad }

  convenience init(to port: Int, seed: UInt64) async throws {
    try await self.init(to: port, Draws(seed: seed))
  }

  /// - Parameter fates: of the connections, one after the other and round again.
  convenience init(to port: Int, fates: [Fate]) async throws { try await self.init(to: port, Round(fates)) }

  private init(to port: Int, _ plan: any FatePlan) async throws {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { inbound in
        let fate = plan.next()
        return ClientBootstrap(group: inbound.eventLoop).connect(host: "127.0.0.1", port: port).flatMap { outbound in
          inbound.eventLoop.makeCompletedFuture {
            try inbound.pipeline.syncOperations.addHandler(Relay(to: outbound, fate: .fine))
            try outbound.pipeline.syncOperations.addHandler(Relay(to: inbound, fate: fate))
          }
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.plan = plan
    self.channel = channel
  }

  /// From now on every new connection is fine.
  func heal() { plan.heal() }

  func stop() async { try? await channel.close() }
}

/// What becomes of each connection.
private protocol FatePlan: Sendable {
  /// How many connections met with a fate other than fine.
  var bad: Int { get }
  func next() -> UnreliableProxy.Fate
  /// From now on all is fine.
  func heal()
}

private final class Draws: FatePlan {
  private let state: Mutex<(generator: SplitMix64, isOver: Bool, bad: Int)>

  init(seed: UInt64) { state = Mutex((SplitMix64(seed: seed), false, 0)) }

  var bad: Int { state.withLock { $0.bad } }
  func heal() { state.withLock { $0.isOver = true } }

  func next() -> UnreliableProxy.Fate {
    state.withLock { state in
      guard !state.isOver else { return .fine }
      let bytes = Int.random(in: 500...20_000, using: &state.generator)
      let draw = Int.random(in: 0..<10, using: &state.generator)
      state.bad += draw < 4 ? 0 : 1
      switch draw {
      case 0..<4: return .fine
      case 4..<7: return .cut(after: bytes)
      case 7..<8: return .silent(after: bytes)
      default: return .slow(milliseconds: Int64.random(in: 20...200, using: &state.generator))
      }
    }
  }
}

private final class Round: FatePlan {
  private let fates: [UnreliableProxy.Fate]
  private let state = Mutex((next: 0, isOver: false, bad: 0))

  init(_ fates: [UnreliableProxy.Fate]) { self.fates = fates }

  var bad: Int { state.withLock { $0.bad } }
  func heal() { state.withLock { $0.isOver = true } }

  func next() -> UnreliableProxy.Fate {
    state.withLock { state in
      guard !state.isOver else { return .fine }
      let fate = fates[state.next % fates.count]
      state.next += 1
      state.bad += fate == .fine ? 0 : 1
      return fate
    }
  }
}

/// Passes on what comes from one side to the other.
private final class Relay: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let fate: UnreliableProxy.Fate
  private var passed = 0

  init(to other: any Channel, fate: UnreliableProxy.Fate) {
    self.other = other
    self.fate = fate
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    passed += buffer.readableBytes
    switch fate {
    case .cut(let limit) where passed > limit:
      other.close(promise: nil)
      context.close(promise: nil)
    case .silent(let limit) where passed > limit: break
    case .slow(let milliseconds):
      let other = other
      context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) { other.writeAndFlush(buffer, promise: nil) }
    default: other.writeAndFlush(buffer, promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
