internal import CMosquitto
internal import Glibc

/// A file that lies in memory alone (memfd_create(2)): for libraries that read certificates and keys from files only.
///
/// No directory names it and no disk holds it; other users cannot open it. It goes with its last reference, and with the
/// process however that ends.
public final class MemoryFile: Sendable, Hashable {
  private let descriptor: Int32
  /// By which this process opens it.
  public let path: String

  /// Throws where the system gives no such file or no room for the content.
  public init(_ content: [UInt8]) throws(MQTTError) {
    let opened = memfd_create("selvedge", memfd_close_on_exec)
    guard opened >= 0 else {
      throw MQTTError(
        .invalidConfiguration, "the system gives no file in memory: \(String(cString: strerror(errno)))")
    }
    descriptor = opened
    path = "/proc/self/fd/\(opened)"
    fchmod(opened, 0o600)
    var written = 0
    while written < content.count {
      let count = content.withUnsafeBytes { write(opened, $0.baseAddress! + written, $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw MQTTError(
          .invalidConfiguration, "cannot write a file in memory: \(String(cString: strerror(errno)))")
      }
      written += count
    }
  }

  deinit { close(descriptor) }

  public static func == (left: MemoryFile, right: MemoryFile) -> Bool { left === right }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
