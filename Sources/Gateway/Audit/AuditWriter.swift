internal import Glibc
internal import Logging
internal import SinkKit

/// Appends lines to a file that only its owner can read, and starts a new one when it is full: `audit.log.1` is the
/// youngest of the old ones. It works on a thread of its own.
package actor AuditWriter {
  package struct Limits: Sendable {
    package var fileBytes: Int
    /// How many old files are kept.
    package var oldFiles: Int
    package init(fileBytes: Int = 10 << 20, oldFiles: Int = 5) {
      self.fileBytes = fileBytes
      self.oldFiles = oldFiles
    }
  }
  private let path: String
  private let limits: Limits
  private let logger: Logger
  private let thread = BlockingThread()
  private var descriptor: Int32 = -1
  private var size = 0
  private var hasFailed = false

  init(path: String, limits: Limits, logger: Logger) {
    self.path = path
    self.limits = limits
    self.logger = logger
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// How many of the lines stand in the file now: the first ones, each whole.
  package func append(_ lines: [[UInt8]]) -> Int {
    for (index, line) in lines.enumerated() {
      guard append(line) else { return index }
    }
    return lines.count
  }

  private func append(_ line: [UInt8]) -> Bool {
    guard isOpen() else { return false }
    if size > 0, size + line.count > limits.fileBytes {
      startAnew()
      guard isOpen() else { return false }
    }
    var written = 0
    while written < line.count {
      let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        fail("write")
        // No half line stays behind.
        _ = ftruncate(descriptor, off_t(size))
        return false
      }
      written += count
    }
    size += line.count
    if hasFailed { logger.notice("the audit log is written again") }
    hasFailed = false
    return true
  }

  /// Opens the file, anew where somebody has taken it away.
  private func isOpen() -> Bool {
    var facts = stat()
    if descriptor >= 0, fstat(descriptor, &facts) == 0, facts.st_nlink > 0 { return true }
    if descriptor >= 0 { close(descriptor) }
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0, fstat(descriptor, &facts) == 0 else {
      fail("open")
      return false
    }
    _ = fchmod(descriptor, 0o600)
    size = Int(facts.st_size)
    return true
  }

  private func startAnew() {
    close(descriptor)
    descriptor = -1
    for number in stride(from: limits.oldFiles - 1, through: 1, by: -1) {
      rename("\(path).\(number)", "\(path).\(number + 1)")
    }
    rename(path, "\(path).1")
  }

  /// One line of log for one run of failures.
  private func fail(_ step: String) {
    if !hasFailed {
      logger.error(
        "the audit log cannot be written, lines are lost and counted",
        metadata: ["file": "\(path)", "step": "\(step)", "error": "\(String(cString: strerror(errno)))"])
    }
    hasFailed = true
  }
}
