internal import NIOCore
internal import Synchronization

/// A request's body on its way from the connection to the one task that reads it.
///
/// What is held is bounded: the connection asks ``isFull`` before it takes more from the network.
final class RequestBodyStream: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  static let limit = 64 * 1024

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

  init(onDemand: @escaping @Sendable (_ isFirst: Bool) -> Void) { self.onDemand = onDemand }

  /// Many small pieces cost more than their bytes.
  private static func cost(of buffer: ByteBuffer) -> Int { Swift.max(buffer.readableBytes, 64) }

  var isFull: Bool { state.withLock { $0.bytes >= Self.limit } }

  func offer(_ buffer: ByteBuffer) {
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
  func finish(_ end: Result<Void, any Error> = .success(())) {
    let reader = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
      guard state.end == nil else { return nil }
      state.end = end
      return state.reader.take()
    }
    reader?.resume(with: end.map { nil })
  }

  /// Lets go of what is held and of all that is still to come.
  func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.buffers = []
      state.bytes = 0
    }
  }

  private func next() async throws -> ByteBuffer? {
    let demand = state.withLock { state in
      defer { state.wasAskedFor = true }
      return (isFirst: !state.wasAskedFor, hadPlenty: state.bytes >= Self.limit)
    }
    if demand.isFirst { onDemand(true) }
    let next = try await withCheckedThrowingContinuation { continuation in
      let answer = state.withLock { state -> Result<ByteBuffer?, any Error>? in
        if !state.buffers.isEmpty {
          let buffer = state.buffers.removeFirst()
          state.bytes -= Self.cost(of: buffer)
          return .success(buffer)
        }
        if let end = state.end { return end.map { nil } }
        state.reader = continuation
        return nil
      }
      if let answer { continuation.resume(with: answer) }
    }
    if demand.hadPlenty { onDemand(false) }
    return next
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    let stream: RequestBodyStream
    mutating func next() async throws -> ByteBuffer? { try await stream.next() }
  }
  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
