package import NIOCore
internal import Synchronization

/// A request's body on its way from the connection to the one task that reads it.
///
/// What is held is bounded: the connection asks ``isFull`` before it takes more from the network.
package final class RequestBodyStream: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer

  package static let limit = 64 * 1024

  private struct State {
    var buffers: [ByteBuffer] = []
    var bytes = 0
    /// How it ended; nil: more is to come.
    var end: Result<Void, any Error>?
    var reader: CheckedContinuation<ByteBuffer?, any Error>?
    /// Nobody will read it: what comes is let go.
    var isAbandoned = false
    var wasAskedFor = false
  }
  private let state = Mutex(State())
  /// Called when the reader asks for the first piece, and whenever there is room again.
  private let onDemand: @Sendable (_ isFirst: Bool) -> Void

  package init(onDemand: @escaping @Sendable (_ isFirst: Bool) -> Void) { self.onDemand = onDemand }

  /// Many small pieces cost more than their bytes.
  private static func cost(of buffer: ByteBuffer) -> Int { Swift.max(buffer.readableBytes, 64) }

  package var isFull: Bool { state.withLock { $0.bytes >= Self.limit } }

  package func offer(_ buffer: ByteBuffer) {
    let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      if state.isAbandoned || state.end != nil { return nil }
      if let reader = state.reader.take() { return reader }
      state.buffers.append(buffer)
      state.bytes += Self.cost(of: buffer)
      return nil
    }
    reader?.resume(returning: buffer)
  }

  /// Ends it, with an error where it broke off. The first end counts.
  package func finish(_ end: Result<Void, any Error> = .success(())) {
    let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      guard state.end == nil else { return nil }
      state.end = end
      return state.reader.take()
    }
    reader?.resume(with: end.map { nil })
  }

  /// Lets go of what is held and of all that is still to come.
  package func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.buffers = []
      state.bytes = 0
    }
  }

  private func next() async throws -> ByteBuffer? {
    let isFirst = state.withLock { state in
      defer { state.wasAskedFor = true }
      return !state.wasAskedFor
    }
    if isFirst { onDemand(true) }
    return try await withCheckedThrowingContinuation { continuation in
      // Whether there was plenty is asked as a piece is taken: the connection may have filled it up just before.
      let (answer, hadPlenty) = state.withLock { state -> (Result<ByteBuffer?, any Error>?, Bool) in
        let hadPlenty = state.bytes >= Self.limit
        if !state.buffers.isEmpty {
          let buffer = state.buffers.removeFirst()
          state.bytes -= Self.cost(of: buffer)
          return (.success(buffer), hadPlenty)
        }
        if let end = state.end { return (end.map { nil }, false) }
        state.reader = continuation
        return (nil, false)
      }
      if hadPlenty { onDemand(false) }
      if let answer { continuation.resume(with: answer) }
    }
  }

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let stream: RequestBodyStream
    package mutating func next() async throws -> ByteBuffer? { try await stream.next() }
  }
  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
