package import DeviceKit
import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// A Modbus TCP server that shows properties, on one event loop with all its clients.
package final class ModbusServer: PropertyServer {
  package let settings: ServerSettings
  package let counters: ServerCounters
  private let loop: any EventLoop
  private let face: ServerFace
  private let state = Mutex((phase: PropertyServerStatus.Phase.starting, reason: "Starting", message: "", address: ""))
  /// How long to wait before another try to listen.
  private static let retryPause = Duration.seconds(5)

  /// Throws a permanent ``DeviceError`` `InvalidServer` that names the field.
  package init(
    _ request: PropertyServerRequest, on loop: any EventLoop, total: ServerCounters? = nil
  ) throws(DeviceError) {
    settings = try ServerSettings(request.specification, path: request.path)
    let map = try ServedMap(request.specification, path: request.path)
    counters = ServerCounters(total: total)
    self.loop = loop
    face = ServerFace(
      image: ServedImage(map) { request.access.point(of: $0) }, access: request.access, settings: settings,
      identification: ServerIdentification(version: request.programVersion, name: request.name), counters: counters,
      loop: loop)
  }

  /// The port that it listens at; nil while it does not.
  package var port: Int? {
    let address = state.withLock { $0.address }
    return address.lastIndex(of: ":").flatMap { Int(address[address.index(after: $0)...]) }
  }

  package var status: PropertyServerStatus {
    let state = state.withLock { $0 }
    let shown = face.shown.withLock { $0 }
    var counters = counters.values
    counters["clients"] = Int64(shown.clients)
    counters["entriesWithoutGoodValue"] = Int64(shown.faultCount)
    var message = state.message
    if state.phase == .serving, !shown.faults.isEmpty {
      message += "; without a good value when last asked for: \(shown.faults.joined(separator: "; "))"
      if shown.faultCount > shown.faults.count { message += " and \(shown.faultCount - shown.faults.count) more" }
    }
    return PropertyServerStatus(
      state.phase, reason: state.reason, message: message, address: state.address, counters: counters)
  }

  package func run() async {
    while !Task.isCancelled {
      do {
        let channel = try await listen()
        let address = TCPEndpoint(
          host: settings.address, port: channel.localAddress?.port ?? settings.port
        ).description
        state.withLock { $0 = (.serving, "Listening", "clients are served at \(address)", address) }
        await withTaskCancellationHandler {
          try? await channel.closeFuture.get()
        } onCancel: {
          channel.close(promise: nil)
        }
        state.withLock { $0 = (.failed, "Closed", "the port was closed", "") }
      } catch {
        let (reason, message) = describe(error)
        state.withLock { $0 = (.failed, reason, "spec.servers: \(message)", "") }
      }
      try? await Task.sleep(for: Self.retryPause)
    }
    try? await loop.submit { [face] in face.closeAll() }.get()
  }

  private func listen() async throws -> any Channel {
    let face = face
    let settings = settings
    let counters = counters
    return try await ServerBootstrap(group: loop)
      .serverChannelOption(ChannelOptions.backlog, value: 16)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
      .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(ChannelOptions.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1024))
      .childChannelOption(
        ChannelOptions.writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 512, high: 4096)
      )
      .childChannelInitializer { channel in
        guard let address = channel.remoteAddress?.ipAddress, let bytes = addressBytes(address), settings.allows(bytes)
        else {
          counters.count(.notAllowed)
          return channel.eventLoop.makeFailedFuture(ServerRefusal())
        }
        return channel.eventLoop.makeCompletedFuture {
          guard let connection = face.connection(to: address) else { throw ServerRefusal() }
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
      .bind(host: settings.address, port: settings.port).get()
  }

  private func describe(_ error: any Error) -> (reason: String, message: String) {
    let place = TCPEndpoint(host: settings.address, port: settings.port)
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE?: return ("AddressInUse", "another program listens at \(place): end it, or take another port")
    case EACCES?:
      return (
        "PermissionDenied",
        "\(place) needs the right to bind ports below 1024 (CAP_NET_BIND_SERVICE): take a port above 1023, or grant it"
      )
    case EADDRNOTAVAIL?: return ("NoSuchAddress", "this machine has no address \(settings.address) yet")
    case let code?: return ("ListenFailed", "cannot listen at \(place): \(String(cString: strerror(code)))")
    case nil: return ("ListenFailed", "cannot listen at \(place): \(error)")
    }
  }
}

/// A client that is not served; its connection is closed.
struct ServerRefusal: Error {}
