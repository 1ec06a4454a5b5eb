/// Runs `body` in a task of its own, which is awaited and cancelled with the present one.
///
/// A task keeps the memory of its deepest call until it ends: that of a connection, which may watch for an hour, must not
/// be the one that decodes a request and reads the store.
func inTaskOfItsOwn<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result {
  let task = Task { await body() }
  return await withTaskCancellationHandler {
    await task.value
  } onCancel: {
    task.cancel()
  }
}
