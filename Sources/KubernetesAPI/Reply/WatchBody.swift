internal import Documents
internal import Resources
internal import Synchronization

/// A watch's events until the stream ends.
package struct WatchBody: Sendable {
  let events: AsyncStream<WatchEvent>
  let encoder: WatchEncoder
  /// After which the answer ends in good order.
  let timeLimit: Duration
  let gauge: WatchGauge

  package func makeLines() -> Lines { Lines(iterator: events.makeAsyncIterator(), encoder: encoder) }

  /// The lines, one for each event that the client asked for.
  package struct Lines {
    fileprivate var iterator: AsyncStream<WatchEvent>.Iterator
    fileprivate var encoder: WatchEncoder
    private var hasFailed = false

    fileprivate init(iterator: AsyncStream<WatchEvent>.Iterator, encoder: WatchEncoder) {
      self.iterator = iterator
      self.encoder = encoder
    }

    /// Nil after an error event, at the end of the stream, or when the task is cancelled.
    package mutating func next() async -> [UInt8]? {
      while !hasFailed, let event = await iterator.next(isolation: #isolation) {
        hasFailed = event.change == .error
        if let line = encoder.line(event) { return line }
      }
      return nil
    }
  }
}

/// Counts the watches that are open; each holds a connection, hence the limit.
final class WatchGauge: Sendable {
  private let count = Mutex(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func enter() { count.withLock { $0 += 1 } }
  func leave() { count.withLock { $0 -= 1 } }

  /// Throws 429 where no more watches may open.
  func check() throws(APIStatus) {
    guard count.withLock({ $0 }) >= limit else { return }
    throw APIStatus(
      code: 429, reason: "TooManyRequests", message: "too many watches are open (\(limit)), please try again later",
      retryAfterSeconds: 5)
  }
}
