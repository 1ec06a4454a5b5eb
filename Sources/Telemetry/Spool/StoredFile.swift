internal import Glibc

/// An open file: owns the descriptor, closes it when it goes. Blocking; used on one thread at a time.
package final class StoredFile {
  package enum Mode {
    case read
    /// Makes the file where it is missing.
    case readWrite
  }

  package let path: String
  private let descriptor: Int32

  package init(_ path: String, _ mode: Mode) throws(SpoolError) {
    self.path = path
    let flags = mode == .read ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC
    descriptor = open(path, flags, 0o640)
    guard descriptor >= 0 else { throw SpoolError("open", path, code: errno) }
  }

  deinit { close(descriptor) }

  package func size() throws(SpoolError) -> Int {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw SpoolError("examine", path, code: errno) }
    return Int(information.st_size)
  }

  /// Up to `count` bytes from `offset`; fewer only at the file's end.
  package func read(at offset: Int, count: Int) throws(SpoolError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
      while filled < count, let base = buffer.baseAddress {
        let result = pread(descriptor, base + filled, count - filled, off_t(offset + filled))
        if result < 0, errno == EINTR { continue }
        if result < 0 { failure = errno }
        guard result > 0 else { return }
        filled += result
      }
    }
    guard failure == 0 else { throw SpoolError("read", path, code: failure) }
    return bytes
  }

  /// Writes all of `bytes` at `offset`, or throws; some of them may then stand in the file.
  package func write(_ bytes: [UInt8], at offset: Int) throws(SpoolError) {
    var written = 0
    while written < bytes.count {
      let result = bytes.withUnsafeBytes { buffer -> Int in
        guard let base = buffer.baseAddress else { return 0 }
        return pwrite(descriptor, base + written, bytes.count - written, off_t(offset + written))
      }
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { throw SpoolError("write", path, code: result < 0 ? errno : ENOSPC) }
      written += result
    }
  }

  package func truncate(to size: Int) throws(SpoolError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw SpoolError("shorten", path, code: errno) }
  }

  /// Returns once the content is on the medium.
  package func synchronise() throws(SpoolError) {
    guard fdatasync(descriptor) == 0 else { throw SpoolError("synchronise", path, code: errno) }
  }
}
