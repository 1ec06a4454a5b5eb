internal import ServiceLifecycle

/// Runs `operation` until it returns, `limit` is over or the service shuts down; then it is cancelled and awaited.
@concurrent func withTimeLimit(_ limit: Duration, _ operation: @concurrent () async throws -> Void) async throws {
  try await withoutActuallyEscaping(operation) { operation in
    let handed = Handed(operation: operation)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await handed.operation() }
      group.addTask { try? await Task.sleep(for: limit) }
      group.addTask { try? await gracefulShutdown() }
      _ = try await group.next()
      group.cancelAll()
    }
  }
}

/// An operation on its way to the one child task that runs it.
///
/// Sendable because its owner only waits until that task has ended: nothing it captures is used from two tasks at once.
private struct Handed: @unchecked Sendable {
  let operation: @concurrent () async throws -> Void
}
