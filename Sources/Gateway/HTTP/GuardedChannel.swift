internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// A connection of one of the gateway's servers: HTTP/1.1, within TLS where there is TLS, within the gauge's limits.
struct GuardedChannel: ServerChildChannel, HTTPChannelHandler {
  private let base: HTTP1Channel
  private let tls: ServerTLS?
  private let gauge: ConnectionGauge

  init(responder: @escaping Responder, tls: ServerTLS?, gauge: ConnectionGauge) {
    let limits = gauge.limits
    base = HTTP1Channel(
      responder: responder,
      configuration: HTTP1Channel.Configuration(
        idleTimeout: .seconds(limits.idleSeconds),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
          maxHeaderFieldCount: limits.headerFields)))
    self.tls = tls
    self.gauge = gauge
  }

  var responder: Responder { base.responder }

  // It must not fail: the server would take that for an error of its own and stop.
  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    let isWelcome = gauge.enter()
    channel.closeFuture.whenComplete { [gauge] _ in gauge.leave() }
    let secured = channel.eventLoop.makeCompletedFuture {
      guard let tls else { return }
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context))
    }
    return secured.flatMap { base.setup(channel: channel, logger: logger) }.map { [gauge] value in
      let pipeline = channel.pipeline.syncOperations
      if let decoder = try? pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self) {
        try? pipeline.addHandler(RequestDeadline(gauge), position: .after(decoder))
      }
      if !isWelcome { channel.eventLoop.execute { channel.close(promise: nil) } }
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
