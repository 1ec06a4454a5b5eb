import DeviceKit
import Synchronization

/// Asks sessions once a second whether their values have grown stale: one task for all of them, which ends by itself
/// within a second after the last has left.
///
/// Sessions are asked one after another: they feed one gateway, and while that takes nothing, none is heard.
package final class AgeWatch: Sendable {
  private struct State {
    var sessions: [ObjectIdentifier: ModbusSession] = [:]
    var isRunning = false
  }
  static let interval = Duration.seconds(1)
  private let state = Mutex(State())
  /// Held while a session tells its stale values.
  private let telling = AsyncLock()

  package init() {}

  /// Runs `body` while the session is watched. Nothing of it is told any more once this has returned.
  func watching(_ session: ModbusSession, _ body: () async -> Void) async {
    let isFirst = state.withLock { state in
      state.sessions[ObjectIdentifier(session)] = session
      defer { state.isRunning = true }
      return !state.isRunning
    }
    // Ended by the last session's leaving.
    if isFirst { Task { await self.run() } }
    await body()
    state.withLock { $0.sessions[ObjectIdentifier(session)] = nil }
    await telling.withLock {}
  }

  private func run() async {
    while true {
      try? await Task.sleep(for: Self.interval)
      let sessions = state.withLock { state in
        state.isRunning = !state.sessions.isEmpty
        return Array(state.sessions.values)
      }
      guard !sessions.isEmpty else { return }
      for session in sessions {
        await telling.withLock {
          guard state.withLock({ $0.sessions[ObjectIdentifier(session)] != nil }) else { return }
          await session.tellStale()
        }
      }
    }
  }
}
