import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Gathers one HTTP response while its connection lasts.
final class ResponseCollector: Sendable {
  private let failure = Mutex<String?>(nil)
  private let state = Mutex<(code: Int, body: [UInt8])?>(nil)

  var response: APIClient.Response? { state.withLock { $0.map { APIClient.Response(code: $0.code, body: $0.body) } } }

  /// What hindered the response.
  var problem: String? { failure.withLock { $0 } }

  func handler() -> some ChannelInboundHandler { Handler(collector: self) }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    let collector: ResponseCollector

    init(collector: ResponseCollector) { self.collector = collector }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): collector.state.withLock { $0 = (Int(head.status.code), []) }
      case .body(let buffer):
        collector.state.withLock { $0?.body.append(contentsOf: buffer.readableBytesView) }
      case .end: context.close(promise: nil)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      if let error = error as? NIOSSLError, case .handshakeFailed = error {
        note("the TLS handshake failed; is the gateway's certificate of --ca, and for the name in --server?")
      } else {
        note("the connection broke off: \(error)")
      }
      context.close(promise: nil)
    }

    private func note(_ problem: String) { collector.failure.withLock { $0 = $0 ?? problem } }
  }
}
