internal import DequeModule
internal import Documents
internal import MQTTClient
internal import Synchronization

/// What the cloud is to be told, in order, until its broker has it. Bounded: while the broker is away the oldest goes.
final class RemoteWishResults: Sendable {
  static let capacity = 1_024

  private struct State {
    var waiting: Deque<MQTTPublication> = []
    /// Counts what was taken from the front, so that a result that was overtaken meanwhile is not taken twice.
    var first = 0
    var dropped = 0
  }
  private let state = Mutex(State())
  private let wakeUps: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  init() { (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  var dropped: Int { state.withLock { $0.dropped } }

  func add(_ result: JSONValue, to topic: String) {
    state.withLock { state in
      if state.waiting.count >= Self.capacity {
        state.waiting.removeFirst()
        state.first += 1
        state.dropped += 1
      }
      state.waiting.append(MQTTPublication(topic: topic, payload: result.serialised(), qos: 1))
    }
    wake.yield()
  }

  private static let batch = 64

  /// Sends what waits until the task is cancelled; what the broker does not take is tried again.
  func run(over connection: MQTTConnection) async {
    wake.yield()
    for await _ in wakeUps {
      while !Task.isCancelled {
        let (first, batch) = state.withLock { ($0.first, Array($0.waiting.prefix(Self.batch))) }
        if batch.isEmpty { break }
        do {
          try await connection.publish(batch)
        } catch {
          try? await Task.sleep(for: .seconds(1))
          continue
        }
        state.withLock { state in
          let sent = max(0, first + batch.count - state.first)
          state.waiting.removeFirst(sent)
          state.first += sent
        }
      }
    }
  }
}
