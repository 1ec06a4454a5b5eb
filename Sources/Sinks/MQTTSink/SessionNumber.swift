internal import Glibc
internal import Synchronization

/// Sparkplug's bdSeq: rises by one from connection to connection, 0 after 255, over restarts too where a file keeps it
/// (Eclipse Sparkplug 3.0, section 6.4.19).
final class SessionNumber: Sendable {
  private let path: String?
  private let last: Mutex<UInt8?>

  /// A file that cannot be read counts as none.
  init(path: String?) {
    self.path = path
    last = Mutex(path.flatMap(Self.read))
  }

  /// The number of the last connection that was attempted.
  var current: UInt8 { last.withLock { $0 ?? 0 } }

  /// The number for the next connection, written down before it is used.
  func advance() -> UInt8 {
    last.withLock { last in
      let next = last.map { $0 &+ 1 } ?? 0
      last = next
      if let path { Self.write(next, path) }
      return next
    }
  }

  private static func read(_ path: String) -> UInt8? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return count > 0 ? UInt8(String(decoding: bytes[..<count], as: UTF8.self).prefix { $0.isNumber }) : nil
  }

  /// What cannot be written is counted in memory alone.
  private static func write(_ number: UInt8, _ path: String) {
    let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { return }
    let text = Array("\(number)\n".utf8)
    let isWritten = Glibc.write(descriptor, text, text.count) == text.count && fdatasync(descriptor) == 0
    close(descriptor)
    if isWritten { rename(path + ".new", path) }
  }
}
