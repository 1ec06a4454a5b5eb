internal import Synchronization

/// What must be done before messages are acknowledged to a broker: shared by the connections of a ``BrokerPool``.
final class AcknowledgementBarrier: Sendable {
  typealias Commit = @Sendable () async -> Bool
  private let commit = Mutex<Commit?>(nil)

  func set(_ commit: @escaping Commit) { self.commit.withLock { $0 = commit } }

  /// Returns when messages may be acknowledged; false: they must not be.
  func pass() async -> Bool {
    guard let commit = commit.withLock({ $0 }) else { return true }
    return await commit()
  }
}
