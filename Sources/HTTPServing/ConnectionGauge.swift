internal import Synchronization

/// Counts the connections of servers, and those that were cut or turned away.
package final class ConnectionGauge: Sendable {
  /// What clients get to do at most.
  package struct Limits: Sendable {
    /// Open at a time; a further one is closed at once.
    package var connections: Int
    /// From the start of a connection to the end of its first request's head, the TLS handshake within.
    package var headSeconds: Int64 = 15
    /// From the head of a request to the end of its body.
    package var bodySeconds: Int64 = 60
    /// Between requests, up to the end of the next head.
    package var idleSeconds: Int64 = 90
    /// While a client takes nothing of what is written to it.
    package var stallSeconds: Int64 = 60
    /// All header fields of a request together.
    package var headerBytes = 64 * 1024
    package var headerFields = 128

    package init(connections: Int) { self.connections = connections }
  }
  package enum Cut: String, CaseIterable, Sendable {
    case limit, slowRequest, stalledReader
  }

  package let limits: Limits
  private let state = Mutex((open: 0, cut: [Cut: Int]()))

  package init(limits: Limits) { self.limits = limits }

  /// False where it is one too many.
  func enter() -> Bool {
    state.withLock { state in
      state.open += 1
      if state.open > limits.connections {
        state.cut[.limit, default: 0] += 1
        return false
      }
      return true
    }
  }

  func leave() { state.withLock { $0.open -= 1 } }
  func note(_ cut: Cut) { state.withLock { $0.cut[cut, default: 0] += 1 } }

  package var open: Int { state.withLock { $0.open } }
  package var cuts: [(cause: Cut, count: Int)] {
    state.withLock { state in Cut.allCases.map { ($0, state.cut[$0] ?? 0) } }
  }
}
