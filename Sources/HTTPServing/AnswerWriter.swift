internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// Writes one answer to its connection. Each write returns when the network has taken it.
struct AnswerWriter: ResponseBodyWriter {
  private let connection: HTTPConnection
  /// Not sent yet.
  private var head: HTTPResponseHead?
  private var held: ByteBuffer?
  /// Whether everything goes at once, at the end: for answers that are whole in memory.
  private let isWhole: Bool

  private static let pieceSize = 64 * 1024

  init(_ connection: HTTPConnection, head: HTTPResponseHead, isWhole: Bool) {
    self.connection = connection
    self.head = head
    self.isWhole = isWhole
  }

  /// Sends the head by itself, for a body that may be long in coming.
  mutating func begin() async throws {
    if let head = head.take() { try await connection.send(head, nil, isEnd: false) }
  }

  mutating func write(_ buffer: ByteBuffer) async throws {
    var buffer = buffer
    if isWhole, buffer.readableBytes <= Self.pieceSize, held == nil {
      held = buffer
      return
    }
    if let held = held.take() { try await connection.send(head.take(), held, isEnd: false) }
    while let piece = buffer.readSlice(length: min(buffer.readableBytes, Self.pieceSize)), piece.readableBytes > 0 {
      try await connection.send(head.take(), piece, isEnd: false)
    }
  }

  consuming func finish(_ trailers: HTTPFields?) async throws {
    try await connection.send(head, held, isEnd: true)
  }
}
