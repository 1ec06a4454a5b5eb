internal import Glibc

/// Holds a data directory for this process alone, by flock(2) on its file `lock`, until it is released.
final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// Makes the directory where it is missing and takes the lock.
  init(directory: String) throws(StoreError) {
    try Self.makeDirectory(directory)
    let path = "\(directory)/lock"
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard opened >= 0 else {
      let reason = String(cString: strerror(errno))
      throw StoreError(message: "cannot write to the data directory \(directory): \(reason)")
    }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(opened)
      guard code == EWOULDBLOCK else {
        throw StoreError(message: "cannot lock the data directory \(directory): \(String(cString: strerror(code)))")
      }
      throw StoreError(
        message:
          "another gateway uses the data directory \(directory): stop it, or give this one a directory of its own")
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  private static func makeDirectory(_ path: String) throws(StoreError) {
    var partial = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      partial += "/\(part)"
      guard mkdir(partial, 0o700) != 0 else { continue }
      let code = errno
      var status = stat()
      guard code == EEXIST || stat(partial, &status) == 0 else {
        throw StoreError(message: "cannot make the data directory \(path): \(String(cString: strerror(code)))")
      }
    }
  }
}
