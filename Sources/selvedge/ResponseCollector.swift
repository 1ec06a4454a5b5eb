import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Gathers one HTTP response while its connection lasts.
final class ResponseCollector: Sendable {
  private let failure = Mutex<String?>(nil)
  private let state = Mutex<(code: Int, body: [UInt8])?>(nil)
  private let ending = Atomic(false)
  /// Where the body of a success goes; nil: into memory.
  private let file: Int32?

  init(file: Int32? = nil) { self.file = file }

  /// Whether the answer came to its end, and all of it could be written.
  var isWhole: Bool { ending.load(ordering: .acquiring) }

  var response: APIClient.Response? { state.withLock { $0.map { APIClient.Response(code: $0.code, body: $0.body) } } }

  /// What hindered the response.
  var problem: String? { failure.withLock { $0 } }

  func handler() -> some ChannelInboundHandler { Handler(collector: self) }

  /// False where the file does not take it.
  private func take(_ bytes: ByteBufferView) -> Bool {
    state.withLock { state in
      guard let file, state?.code == 200 else {
        state?.body.append(contentsOf: bytes)
        return true
      }
      return bytes.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = write(file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
          guard count > 0 else { return false }
          written += count
        }
        return true
      }
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    let collector: ResponseCollector

    init(collector: ResponseCollector) { self.collector = collector }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): collector.state.withLock { $0 = (Int(head.status.code), []) }
      case .body(let buffer):
        guard collector.take(buffer.readableBytesView) else { return context.close(promise: nil) }
      case .end:
        collector.ending.store(true, ordering: .releasing)
        context.close(promise: nil)
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
