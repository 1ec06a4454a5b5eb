internal import Synchronization

/// A caller that waits for the acknowledgement of one or more messages.
final class PublishJob: Sendable {
  private struct State {
    var remaining: Int
    var outcome: Result<Void, MQTTError>?
    var continuation: CheckedContinuation<Result<Void, MQTTError>, Never>?
  }
  private let state: Mutex<State>

  init(count: Int) { state = Mutex(State(remaining: count)) }

  /// One message of the job is acknowledged.
  func acknowledge() {
    let resumed = state.withLock { state -> CheckedContinuation<Result<Void, MQTTError>, Never>? in
      state.remaining -= 1
      guard state.remaining == 0, state.outcome == nil else { return nil }
      state.outcome = .success(())
      defer { state.continuation = nil }
      return state.continuation
    }
    resumed?.resume(returning: .success(()))
  }

  /// One message failed, and with it the job; the first failure counts.
  func fail(_ error: MQTTError) {
    let resumed = state.withLock { state -> CheckedContinuation<Result<Void, MQTTError>, Never>? in
      guard state.outcome == nil else { return nil }
      state.outcome = .failure(error)
      defer { state.continuation = nil }
      return state.continuation
    }
    resumed?.resume(returning: .failure(error))
  }

  /// Whether nobody waits any more: messages of it that were not sent yet need not be.
  var isOver: Bool { state.withLock { $0.outcome != nil } }

  /// Waits for the outcome; once.
  func wait() async throws(MQTTError) {
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state -> Result<Void, MQTTError>? in
          if let outcome = state.outcome { return outcome }
          state.continuation = continuation
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      fail(MQTTError(.cancelled, "the task that published was cancelled"))
    }
    try outcome.get()
  }
}
