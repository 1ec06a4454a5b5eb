internal import Glibc
internal import SinkKit

/// A file below a folder, open for appending. Reached directory by directory without following a symbolic link, so that
/// nothing a user of the folder does can lead outside it.
final class ContainedFile {
  private let path: String
  private let name: String
  private let directory: Int32
  private let descriptor: Int32
  private(set) var size: Int

  /// Makes the directories below `folder` and the file where they are missing. A last line without its end, left by a
  /// crash, is cut off: its batch was never acknowledged and comes again.
  init(_ components: [String], under folder: String) throws(SinkError) {
    path = folder + "/" + components.joined(separator: "/")
    name = components[components.count - 1]
    var directory = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory < 0, errno == ENOENT {
      guard mkdir(folder, 0o750) == 0 else { throw Self.error("make", folder) }
      directory = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard directory >= 0 else { throw Self.error("open", folder) }
    for component in components.dropLast() {
      if mkdirat(directory, component, 0o750) != 0, errno != EEXIST {
        defer { Glibc.close(directory) }
        throw Self.error("make", component)
      }
      let next = openat(directory, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      let code = errno
      Glibc.close(directory)
      guard next >= 0 else { throw Self.error("open", component, code: code) }
      directory = next
    }
    let descriptor = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      let code = errno
      Glibc.close(directory)
      throw Self.error("open", path, code: code)
    }
    self.directory = directory
    self.descriptor = descriptor
    size = 0
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw Self.error("examine", path) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw SinkError(reason: "NotAFile", message: "\(path) is not a regular file")
    }
    size = try Self.wholeLines(descriptor, Int(information.st_size), path)
    guard fsync(directory) == 0 else { throw Self.error("synchronise", path) }
  }

  deinit {
    Glibc.close(descriptor)
    Glibc.close(directory)
  }

  /// Whether the name still leads to this file: a log rotation from outside may have moved it.
  var isInPlace: Bool {
    var named = stat()
    var opened = stat()
    return fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(descriptor, &opened) == 0
      && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  /// Appends and returns once it is safe. On an error the file is as before.
  func append(_ bytes: [UInt8]) throws(SinkError) {
    var written = 0
    while written < bytes.count {
      let result = bytes.withUnsafeBytes { buffer -> Int in
        guard let base = buffer.baseAddress else { return 0 }
        return pwrite(descriptor, base + written, bytes.count - written, off_t(size + written))
      }
      if result < 0, errno == EINTR { continue }
      guard result > 0 else {
        let code = result < 0 ? errno : ENOSPC
        ftruncate(descriptor, off_t(size))
        throw Self.error("write", path, code: code)
      }
      written += result
    }
    guard fdatasync(descriptor) == 0 else {
      let code = errno
      ftruncate(descriptor, off_t(size))
      throw Self.error("synchronise", path, code: code)
    }
    size += bytes.count
  }

  /// Puts the file aside as `name.1`, those before it one further; `keep` of them stay.
  func rotate(keep: Int) throws(SinkError) {
    for index in stride(from: keep, through: 1, by: -1) {
      let older = "\(name).\(index)"
      let newer = index == 1 ? name : "\(name).\(index - 1)"
      guard renameat(directory, newer, directory, older) == 0 || errno == ENOENT else {
        throw Self.error("rename", newer)
      }
    }
    guard fsync(directory) == 0 else { throw Self.error("synchronise", path) }
  }

  private static func wholeLines(_ descriptor: Int32, _ size: Int, _ path: String) throws(SinkError) -> Int {
    var end = size
    while end > 0 {
      let start = max(0, end - 4_096)
      var block = [UInt8](repeating: 0, count: end - start)
      guard pread(descriptor, &block, block.count, off_t(start)) == block.count else { throw error("read", path) }
      if let newline = block.lastIndex(of: 0x0A) {
        end = start + newline + 1
        break
      }
      end = start
    }
    if end < size {
      guard ftruncate(descriptor, off_t(end)) == 0 else { throw error("shorten", path) }
    }
    return end
  }

  private static func error(_ operation: String, _ path: String, code: Int32 = errno) -> SinkError {
    let text = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    switch code {
    case ELOOP, ENOTDIR:
      return SinkError(
        reason: "SymbolicLink",
        message: "cannot \(operation) \(path): a symbolic link, or no directory, is in the way; file sinks follow none")
    case ENOSPC, EDQUOT: return SinkError(reason: "DiskFull", message: "cannot \(operation) \(path): \(text)")
    default: return SinkError(reason: "FileError", message: "cannot \(operation) \(path): \(text)")
    }
  }
}
