internal import Glibc

/// Why something could not be written or read on disk.
public struct SpoolError: Error, Sendable, Hashable, CustomStringConvertible {
  /// CamelCase, fit for a condition's reason: `DiskFull`, `ReadOnly`, `NoPermission`, `DiskError`, `NotFound`.
  public var reason: String
  public var message: String
  public init(reason: String, message: String) {
    self.reason = reason
    self.message = message
  }
  public var description: String { message }

  /// The error that `code` (errno) means for an operation on `path`.
  package init(_ operation: String, _ path: String, code: Int32) {
    let text = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    switch code {
    case ENOSPC, EDQUOT: reason = "DiskFull"
    case EROFS: reason = "ReadOnly"
    case EACCES, EPERM: reason = "NoPermission"
    case ENOENT: reason = "NotFound"
    default: reason = "DiskError"
    }
    message = "cannot \(operation) \(path): \(text)"
  }
}
