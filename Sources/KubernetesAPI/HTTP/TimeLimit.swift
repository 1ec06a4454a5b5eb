internal import Dispatch
internal import Documents

/// Runs `operation` until it returns or `limit` is over; then it is cancelled and awaited.
///
/// One task and one timer for each call: thousands of watches may be under way.
@concurrent func withTimeLimit(_ limit: Duration, _ operation: @concurrent () async throws -> Void) async throws {
  try await withoutActuallyEscaping(operation) { operation in
    let handed = Handed(operation: operation)
    // Ends before this call does, however that ends: the value is awaited below.
    let task = Task { try await handed.operation() }
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + .nanoseconds(Int(clamping: limit.nanoseconds)), leeway: .milliseconds(100))
    timer.setEventHandler { task.cancel() }
    timer.resume()
    defer { timer.cancel() }
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

/// An operation on its way to the one task that runs it.
///
/// Sendable because its owner only waits until that task has ended: nothing it captures is used from two tasks at once.
private struct Handed: @unchecked Sendable {
  let operation: @concurrent () async throws -> Void
}
