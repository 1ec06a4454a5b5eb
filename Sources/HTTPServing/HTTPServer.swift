internal import HTTPTypes
package import Hummingbird
internal import HummingbirdCore
package import Logging
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle

/// An HTTP/1.1 server over a router: connections that cost little while they wait, within the limits of a gauge.
package struct HTTPServer: Service {
  package struct Address: Sendable {
    package var host: String
    /// 0: any free one.
    package var port: Int
    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  private let address: Address
  private let connections: Connections
  private let onRunning: @Sendable (any Channel) async -> Void
  private let logger: Logger

  /// - Parameters:
  ///   - gauge: counts and limits the connections; shared by servers whose connections are limited together.
  ///   - secure: adds what makes a channel TLS; nil: plain HTTP. Called on the channel's event loop.
  ///   - onRunning: called with the listening channel.
  package init<Context: RequestContext>(
    router: Router<Context>, address: Address, gauge: ConnectionGauge,
    secure: (@Sendable (any Channel) throws -> Void)? = nil, onRunning: @escaping @Sendable (any Channel) async -> Void,
    logger: Logger
  ) where Context.Source == ApplicationRequestContextSource {
    self.address = address
    self.onRunning = onRunning
    self.logger = logger
    let responder = router.buildResponder()
    let date = HTTPDate()
    connections = Connections(gauge: gauge, secure: secure) { request, channel in
      var response: Response
      do {
        response = try await responder.respond(
          to: request, context: Context(source: ApplicationRequestContextSource(channel: channel, logger: logger)))
      } catch {
        logger.error("a request was not answered", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
        response = Response(status: .internalServerError)
      }
      response.headers[.date] = date.text
      response.headers[.server] = "selvedge"
      return response
    }
  }

  /// Serves until the task is cancelled or shut down gracefully: requests in progress may end then, watches do.
  package func run() async throws {
    try await Server(
      childChannelSetup: connections,
      configuration: ServerConfiguration(address: .hostname(address.host, port: address.port), backlog: 1_024),
      onServerRunning: onRunning, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
    ).run()
  }
}

/// Sets connections up; they run by themselves.
private struct Connections: ServerChildChannel {
  struct Value: ServerChildChannelValue {
    let channel: any Channel
  }

  let gauge: ConnectionGauge
  let secure: (@Sendable (any Channel) throws -> Void)?
  let responder: HTTPConnection.Responder

  // It must not fail: the server would take that for an error of its own and stop.
  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    guard gauge.enter() else {
      gauge.leave()
      channel.eventLoop.execute { channel.close(promise: nil) }
      return channel.eventLoop.makeSucceededFuture(Value(channel: channel))
    }
    channel.closeFuture.whenComplete { [gauge] _ in gauge.leave() }
    return channel.eventLoop.makeCompletedFuture {
      try? channel.syncOptions?.setOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 16_384))
      try secure?(channel)
      let pipeline = channel.pipeline.syncOperations
      var limits = NIOHTTPDecoderLimitConfiguration()
      limits.maxHeaderFieldSize = gauge.limits.headerBytes
      limits.maxHeaderListSize = gauge.limits.headerBytes
      limits.maxHeaderFieldCount = gauge.limits.headerFields
      // What answers have for fields is valid by its type.
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
      try pipeline.addHandler(HTTPConnection(channel, gauge: gauge, isSecure: secure != nil, responder: responder))
      return Value(channel: channel)
    }
  }

  func handle(value: Value, logger: Logger) async {}
}
