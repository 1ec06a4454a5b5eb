package import Documents
package import Logging
internal import Synchronization

/// The record of writes on disk: one JSON object a line. It takes lines without waiting; what it cannot keep it counts.
package final class AuditFile: Sendable {
  package enum Loss: String, CaseIterable, Sendable {
    /// The queue was full: the disk does not keep up.
    case queueFull
    /// The disk took no more.
    case disk
    /// More refusals of strangers in a second than are kept, lest they push everything else out of the files.
    case refusalsPerSecond
  }
  private struct State {
    var waiting: [[UInt8]] = []
    var written = 0
    var lost: [Loss: Int] = [:]
    var second: ContinuousClock.Instant = .now
    var refusalsInSecond = 0
  }
  package static let longestQueue = 1_024
  package static let refusalsPerSecond = 10

  private let state = Mutex(State())
  private let wakeUps: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation
  private let writer: AuditWriter

  /// - Parameter folder: exists, and is this gateway's own.
  package init(folder: String, limits: AuditWriter.Limits = .init(), logger: Logger) {
    (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    writer = AuditWriter(path: folder + "/audit.log", limits: limits, logger: logger)
  }

  /// - Parameter isStranger: whether the line tells of a request without valid credentials.
  package func record(_ line: JSONValue, isStranger: Bool = false) {
    let bytes = line.serialised() + [0x0A]
    state.withLock { state in
      if isStranger {
        let now = ContinuousClock.now
        if now - state.second >= .seconds(1) { (state.second, state.refusalsInSecond) = (now, 0) }
        state.refusalsInSecond += 1
        guard state.refusalsInSecond <= Self.refusalsPerSecond else {
          state.lost[.refusalsPerSecond, default: 0] += 1
          return
        }
      }
      guard state.waiting.count < Self.longestQueue else {
        state.lost[.queueFull, default: 0] += 1
        return
      }
      state.waiting.append(bytes)
    }
    wake.yield()
  }

  /// Writes what comes until the task is cancelled.
  package func run() async {
    for await _ in wakeUps { await flush() }
  }

  /// Writes what waits.
  package func flush() async {
    let lines = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    guard !lines.isEmpty else { return }
    let written = await writer.append(lines)
    state.withLock { state in
      state.written += written
      if written < lines.count { state.lost[.disk, default: 0] += lines.count - written }
    }
  }

  package var written: Int { state.withLock { $0.written } }
  package var losses: [(cause: Loss, count: Int)] {
    state.withLock { state in Loss.allCases.map { ($0, state.lost[$0] ?? 0) } }
  }
}
