internal import Synchronization

/// Counts the connections of the gateway's servers, and those that were cut or turned away.
final class ConnectionGauge: Sendable {
  /// What clients get to do at most.
  struct Limits: Sendable {
    /// Open at a time; a further one is closed at once. Well below the 1024 file descriptors that a process has.
    var connections = 512
    /// From the start of a connection to the end of its first request's head, the TLS handshake within.
    var headSeconds: Int64 = 15
    /// From the head of a request to the end of its body.
    var bodySeconds: Int64 = 60
    /// Between requests, up to the end of the next head.
    var idleSeconds: Int64 = 90
    /// While a client takes nothing of what is written to it.
    var stallSeconds: Int64 = 60
    /// All header fields of a request together.
    var headerBytes = 64 * 1024
    var headerFields = 128
  }
  enum Cut: String, CaseIterable, Sendable {
    case limit, slowRequest, stalledReader
  }

  let limits: Limits
  private let state = Mutex((open: 0, cut: [Cut: Int]()))

  init(limits: Limits = Limits()) { self.limits = limits }

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

  var open: Int { state.withLock { $0.open } }
  var cuts: [(cause: Cut, count: Int)] {
    state.withLock { state in Cut.allCases.map { ($0, state.cut[$0] ?? 0) } }
  }
}
