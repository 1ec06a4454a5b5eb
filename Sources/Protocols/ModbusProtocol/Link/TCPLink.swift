package import DeviceKit
package import Documents
import NIOCore
import NIOPosix
import Synchronization

/// Where a Modbus server listens.
public struct TCPEndpoint: Sendable, Hashable, CustomStringConvertible {
  public var host: String
  public var port: Int
  public init(host: String, port: Int = 502) {
    self.host = host
    self.port = port
  }
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// One connection to a Modbus server, made when first needed and kept: ``LinkMachine`` on a SwiftNIO channel.
///
/// RTU framing over TCP runs on the same channel: no thread for each converter, no select() with its 1,024 descriptors,
/// and FC 43, whose answers libmodbus cuts off. The connection is closed when the last reference to the link goes.
package final class TCPLink: ModbusLink {
  package let endpoint: TCPEndpoint
  package let limits: ReadPlanner.Limits
  package let modification = AsyncLock()
  private let loopClock: LoopClock
  private let shell: TCPLinkShell
  private let atEnd: (@Sendable (LinkCounters) -> Void)?

  /// `loopClock` may be shared by links; `atEnd` is given the counters when the link goes.
  package init(
    _ endpoint: TCPEndpoint, framing: LinkFraming = .tcp, on loopClock: LoopClock, clock: WallClock = .system,
    queueLimit: Int = 256, seed: UInt64 = .random(in: .min ... .max),
    atEnd: (@Sendable (LinkCounters) -> Void)? = nil
  ) {
    self.endpoint = endpoint
    self.atEnd = atEnd
    limits = framing == .tcp ? .network : .serial
    self.loopClock = loopClock
    let machine = LinkMachine(framing: framing, queueLimit: queueLimit, backoff: ReconnectBackoff(seed: seed))
    shell = TCPLinkShell(endpoint, machine: machine, loop: loopClock.loop, clock: clock)
  }

  deinit {
    atEnd?(counters)
    let shell = shell
    loopClock.loop.execute { shell.handle(.close) }
  }

  package var name: String { endpoint.description }
  package var counters: LinkCounters { shell.state.withLock { $0.machine.counters } }
  package var window: Int { shell.state.withLock { $0.machine.window } }
  package var pollClock: LoopClock? { loopClock }
  package func lastAnswer(of unit: UInt8) -> Timestamp? { shell.state.withLock { $0.answers[unit] } }
  package func servesOthers(than unit: UInt8, since time: Timestamp) -> Bool {
    shell.state.withLock { $0.answers.hasOthers(than: unit, since: time) }
  }

  package func adapt(to timing: LinkTiming) {
    loopClock.loop.execute { [shell] in shell.handle(.adapt(timing)) }
  }

  package func execute(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, fence: WriteFence?
  ) async -> ModbusReply {
    await withUnsafeContinuation { continuation in
      if loopClock.loop.inEventLoop {
        shell.submit(request, unit: unit, timeout: timeout, fence: fence, continuation)
      } else {
        loopClock.loop.execute { [shell] in
          shell.submit(request, unit: unit, timeout: timeout, fence: fence, continuation)
        }
      }
    }
  }
}
