import HTTPServing
import NIOCore
import Synchronization
import Testing

@Suite("A request's body on its way to its reader")
struct RequestBodyTests {
  /// The order that a busy machine brings about: the reader has found nothing, and before it waits the connection fills
  /// the stream up and stops reading.
  @Test func theConnectionIsAskedForMoreThoughItWasFilledWhileTheReaderTurnedToIt() async throws {
    final class Connection: Sendable {
      let stream = Mutex<RequestBodyStream?>(nil)
      let demands = Mutex<[Bool]>([])
    }
    let connection = Connection()
    let stream = RequestBodyStream { isFirst in
      connection.demands.withLock { $0.append(isFirst) }
      if isFirst {
        connection.stream.withLock { $0 }?.offer(ByteBuffer(repeating: 0, count: RequestBodyStream.limit))
      }
    }
    connection.stream.withLock { $0 = stream }
    var pieces = stream.makeAsyncIterator()
    #expect(try await pieces.next()?.readableBytes == RequestBodyStream.limit)
    #expect(connection.demands.withLock { $0 } == [true, false])
    #expect(!stream.isFull)
    connection.stream.withLock { $0 = nil }
  }

  @Test func theEndComesBehindWhatIsHeld() async throws {
    let stream = RequestBodyStream { _ in }
    stream.offer(ByteBuffer(string: "a"))
    stream.offer(ByteBuffer(string: "b"))
    stream.finish()
    stream.finish(.failure(ChannelError.eof))
    stream.offer(ByteBuffer(string: "late"))
    var text = ""
    for try await piece in stream { text += String(buffer: piece) }
    #expect(text == "ab")
  }

  @Test func aBodyThatNobodyWantsAnyMoreIsNotHeld() {
    let stream = RequestBodyStream { _ in }
    stream.offer(ByteBuffer(repeating: 0, count: RequestBodyStream.limit))
    #expect(stream.isFull)
    stream.abandon()
    stream.offer(ByteBuffer(repeating: 0, count: RequestBodyStream.limit))
    #expect(!stream.isFull)
  }
}
