internal import Glibc
internal import SinkKit

/// A descriptor that takes lines whole, one batch of them after the other, on a thread of its own: a pipe whose reader is
/// slow holds that thread alone.
actor LineOutput {
  /// The lines of one batch and how far they are out.
  final class Lines: Sendable {
    fileprivate let bytes: [UInt8]
    /// Touched by the output's thread alone.
    fileprivate let written = Counter()
    init(_ bytes: [UInt8]) { self.bytes = bytes }
  }

  /// `@unchecked Sendable`: read and written within the actor only, which runs on one thread.
  fileprivate final class Counter: @unchecked Sendable { var value = 0 }

  /// What a pipe takes at once when it says that it takes something (pipe(7), PIPE_BUF).
  private static let portion = 4_096

  private let descriptor: Int32
  private nonisolated let thread = BlockingThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  /// Lines that stopped within one: nothing else is written before the rest of that line.
  private var torn: Lines?

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Writes what is left of the lines and returns when the descriptor has all of it. Throws where it takes nothing for as
  /// long as `patience`, or where nobody reads it any more.
  func write(_ lines: Lines, patience: Duration) throws(SinkError) {
    blockBrokenPipeSignal()
    if let torn, torn !== lines {
      let rest = torn.bytes[torn.written.value...]
      try put(torn, upTo: (rest.firstIndex(of: 0x0A) ?? rest.endIndex - 1) + 1, patience)
    }
    torn = lines
    try put(lines, upTo: lines.bytes.count, patience)
    torn = nil
  }

  private func put(_ lines: Lines, upTo end: Int, _ patience: Duration) throws(SinkError) {
    while lines.written.value < end {
      let start = lines.written.value
      guard Self.waits(for: descriptor, patience) else {
        if start == 0 || lines.bytes[start - 1] == 0x0A { torn = nil }
        throw SinkError(
          reason: "ReaderStalled",
          message:
            "nobody has read the standard output for \(patience); see to the log collector behind it; what is left is written when it reads again"
        )
      }
      let count = lines.bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + start, min(end - start, Self.portion))
      }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else {
        let code = errno
        // A reader that comes later begins with a whole line.
        lines.written.value = (lines.bytes[..<start].lastIndex(of: 0x0A) ?? -1) + 1
        torn = nil
        throw Self.error(code)
      }
      lines.written.value += count
    }
  }

  /// Whether the descriptor takes something, or fails, before `patience` is over.
  private static func waits(for descriptor: Int32, _ patience: Duration) -> Bool {
    let deadline = ContinuousClock.now + patience
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let left = max(deadline - ContinuousClock.now, .zero)
      let milliseconds = left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
      let result = poll(&entry, 1, Int32(clamping: milliseconds + (left > .zero ? 1 : 0)))
      if result < 0, errno == EINTR { continue }
      return result != 0
    }
  }

  private static func error(_ code: Int32) -> SinkError {
    let text = String(cString: strerror(code))
    switch code {
    case EPIPE:
      return SinkError(
        reason: "ReaderGone",
        message: "the standard output is closed at its other end; start the gateway with a reader behind it")
    case ENOSPC, EDQUOT:
      return SinkError(
        reason: "DiskFull", message: "the file behind the standard output cannot grow: \(text); make room")
    default:
      return SinkError(
        reason: "OutputError", message: "cannot write to the standard output: \(text); see what it leads to")
    }
  }

  /// A pipe without a reader is told by an error, not by a signal that ends the process.
  private func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
