internal import Synchronization

/// A caller that waits for the acknowledgement of one or more messages.
final class PublishJob: Sendable {
  private struct State {
    var remaining: Int
    var outcome: Result<Void, MQTTError>?
    var continuation: CheckedContinuation<Result<Void, MQTTError>?, Never>?
  }
  private let state: Mutex<State>
  /// Whether a fence follows the messages, and counts as one.
  let isFenced: Bool
  /// Whether the messages outlive a lost connection: they are then repeated within their session.
  let isLasting: Bool
  /// The connection's session that they are meant for; nil: any.
  let session: Int?

  init(count: Int, isFenced: Bool = false, isLasting: Bool = false, session: Int? = nil) {
    state = Mutex(State(remaining: count + (isFenced ? 1 : 0)))
    self.isFenced = isFenced
    self.isLasting = isLasting
    self.session = session
  }

  /// One message of the job is acknowledged.
  func acknowledge() {
    let resumed = state.withLock { state -> CheckedContinuation<Result<Void, MQTTError>?, Never>? in
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
    let resumed = state.withLock { state -> CheckedContinuation<Result<Void, MQTTError>?, Never>? in
      guard state.outcome == nil else { return nil }
      state.outcome = .failure(error)
      defer { state.continuation = nil }
      return state.continuation
    }
    resumed?.resume(returning: .failure(error))
  }

  /// Whether the outcome is known: messages of it that were not sent yet need not be.
  var isOver: Bool { state.withLock { $0.outcome != nil } }

  /// Waits for the outcome, one caller at a time. A cancelled task ends a job that is not lasting.
  func wait() async throws(MQTTError) {
    let cancelled = MQTTError(.cancelled, "the task that published was cancelled")
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state -> Result<Void, MQTTError>?? in
          if let outcome = state.outcome { return outcome }
          if isLasting, Task.isCancelled { return .some(nil) }
          state.continuation = continuation
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      if isLasting { leave() } else { fail(cancelled) }
    }
    guard let outcome else { throw cancelled }
    try outcome.get()
  }

  /// Waits for the outcome of a lasting job for at most `limit`; false: it is not known yet.
  func wait(within limit: Duration) async throws(MQTTError) -> Bool {
    let timer = Task {
      // One that is cancelled must not end the next wait.
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      leave()
    }
    defer { timer.cancel() }
    do throws(MQTTError) {
      try await wait()
      return true
    } catch {
      guard error.kind == .cancelled, !Task.isCancelled else { throw error }
      return false
    }
  }

  /// Lets the caller that waits go; the job goes on.
  private func leave() {
    let resumed = state.withLock { state in
      defer { state.continuation = nil }
      return state.continuation
    }
    resumed?.resume(returning: nil)
  }
}
