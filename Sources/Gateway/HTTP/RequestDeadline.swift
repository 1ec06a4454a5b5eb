internal import NIOCore
internal import NIOHTTP1

/// Cuts a connection whose first head, or whose request's body, does not arrive in time, and one whose client takes
/// nothing of what is written to it. A long answer, a watch, has no limit here.
final class RequestDeadline: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let gauge: ConnectionGauge
  private var request: Scheduled<Void>?
  private var stall: Scheduled<Void>?

  init(_ gauge: ConnectionGauge) { self.gauge = gauge }

  func handlerAdded(context: ChannelHandlerContext) {
    request = cutting(context, after: gauge.limits.headSeconds, .slowRequest)
  }

  func handlerRemoved(context: ChannelHandlerContext) { cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      request?.cancel()
      request = cutting(context, after: gauge.limits.bodySeconds, .slowRequest)
    case .body: break
    case .end:
      request?.cancel()
      request = nil
    }
    context.fireChannelRead(data)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stall?.cancel()
    stall =
      context.channel.isWritable ? nil : cutting(context, after: gauge.limits.stallSeconds, .stalledReader)
    context.fireChannelWritabilityChanged()
  }

  private func cancel() {
    request?.cancel()
    stall?.cancel()
    (request, stall) = (nil, nil)
  }

  private func cutting(_ context: ChannelHandlerContext, after seconds: Int64, _ cause: ConnectionGauge.Cut)
    -> Scheduled<Void>
  {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: .seconds(seconds)) { [gauge] in
      gauge.note(cause)
      channel.close(promise: nil)
    }
  }
}
