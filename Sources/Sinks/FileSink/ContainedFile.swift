internal import Compression
internal import Documents
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
  /// When it was last written to; for a new file, `now`.
  private(set) var lastWrite: Timestamp

  /// Makes the directories below `folder` and the file where they are missing. A last line without its end, left by a
  /// crash, is cut off: its batch was never acknowledged and comes again. `hasQuotes`: an end of line between quotes is
  /// none (RFC 4180, section 2).
  init(
    _ components: [String], under folder: String, hasQuotes: Bool = false, now: Timestamp
  ) throws(SinkError) {
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
    lastWrite = now
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw Self.error("examine", path) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw SinkError(reason: "NotAFile", message: "\(path) is not a regular file")
    }
    let length = Int(information.st_size)
    if length > 0 {
      let modified = information.st_mtim
      lastWrite = Timestamp(nanoseconds: Int64(modified.tv_sec) * 1_000_000_000 + Int64(modified.tv_nsec))
    }
    size =
      hasQuotes
      ? try Self.wholeQuotedLines(descriptor, length, path) : try Self.wholeLines(descriptor, length, path)
    if size < length, ftruncate(descriptor, off_t(size)) != 0 { throw Self.error("shorten", path) }
    guard fsync(directory) == 0 else { throw Self.error("synchronise", path) }
  }

  deinit {
    Glibc.close(descriptor)
    Glibc.close(directory)
  }

  /// Whether the path still leads to this file: a log rotation from outside may have moved it, or its disk is away.
  var isInPlace: Bool {
    var named = stat()
    var opened = stat()
    return lstat(path, &named) == 0 && fstat(descriptor, &opened) == 0
      && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  /// Appends, and returns once it is safe where `isSynchronised`. On an error the file is as before.
  func append(_ bytes: [UInt8], isSynchronised: Bool) throws(SinkError) {
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
    if isSynchronised, fdatasync(descriptor) != 0 {
      let code = errno
      ftruncate(descriptor, off_t(size))
      throw Self.error("synchronise", path, code: code)
    }
    size += bytes.count
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    lastWrite = Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// Makes what was appended safe, as far as the disk takes it.
  func synchronise() { _ = fdatasync(descriptor) }

  /// Puts the file aside as `name.1`, or `name.1.gz` where `isCompressed`, those before it one further; `keep` of them
  /// stay. One that is compressed is complete or not there.
  func rotate(keep: Int, isCompressed: Bool) throws(SinkError) {
    for suffix in ["", ".gz"] { unlinkat(directory, "\(name).\(keep)\(suffix)", 0) }
    for index in stride(from: keep, through: 1, by: -1) {
      for suffix in ["", ".gz"] where index > 1 || suffix.isEmpty {
        let older = "\(name).\(index)\(suffix)"
        let newer = index == 1 ? name : "\(name).\(index - 1)\(suffix)"
        guard renameat(directory, newer, directory, older) == 0 || errno == ENOENT else {
          throw Self.error("rename", newer)
        }
      }
    }
    if isCompressed { try compress("\(name).1", to: "\(name).1.gz") }
    guard fsync(directory) == 0 else { throw Self.error("synchronise", path) }
  }

  private func compress(_ source: String, to target: String) throws(SinkError) {
    let partial = "\(target).part"
    let output = openat(directory, partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o640)
    guard output >= 0 else { throw Self.error("open", partial) }
    defer { Glibc.close(output) }
    var encoder = GzipEncoder()
    var block = [UInt8](repeating: 0, count: 1 << 18)
    var position = 0
    var isDone = false
    while !isDone {
      let count = pread(descriptor, &block, block.count, off_t(position))
      guard count >= 0 else { throw Self.error("read", source) }
      position += count
      isDone = count == 0
      var bytes: [UInt8] = []
      if isDone { encoder.finish(to: &bytes) } else { encoder.write(Array(block[..<count]), to: &bytes) }
      var written = 0
      while written < bytes.count {
        let result = bytes.withUnsafeBytes { write(output, $0.baseAddress! + written, $0.count - written) }
        guard result > 0 else {
          let code = result < 0 ? errno : ENOSPC
          unlinkat(directory, partial, 0)
          // It stays as it is; what follows goes on.
          if code == ENOSPC || code == EDQUOT { return }
          throw Self.error("write", partial, code: code)
        }
        written += result
      }
    }
    guard fsync(output) == 0, renameat(directory, partial, directory, target) == 0 else {
      throw Self.error("rename", partial)
    }
    unlinkat(directory, source, 0)
  }

  /// The length up to the last end of a line.
  private static func wholeLines(_ descriptor: Int32, _ size: Int, _ path: String) throws(SinkError) -> Int {
    var end = size
    while end > 0 {
      let start = max(0, end - 4_096)
      var block = [UInt8](repeating: 0, count: end - start)
      guard pread(descriptor, &block, block.count, off_t(start)) == block.count else { throw error("read", path) }
      if let newline = block.lastIndex(of: 0x0A) { return start + newline + 1 }
      end = start
    }
    return 0
  }

  /// The length up to the last end of a line that is not between quotes.
  private static func wholeQuotedLines(_ descriptor: Int32, _ size: Int, _ path: String) throws(SinkError) -> Int {
    var block = [UInt8](repeating: 0, count: 1 << 18)
    var (position, whole, isQuoted) = (0, 0, false)
    while position < size {
      let count = pread(descriptor, &block, min(block.count, size - position), off_t(position))
      guard count > 0 else { throw error("read", path) }
      for index in 0..<count {
        if block[index] == 0x22 {
          isQuoted.toggle()
        } else if block[index] == 0x0A, !isQuoted {
          whole = position + index + 1
        }
      }
      position += count
    }
    return whole
  }

  private static func error(_ operation: String, _ path: String, code: Int32 = errno) -> SinkError {
    let text = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    switch code {
    case ELOOP, ENOTDIR:
      return SinkError(
        reason: "SymbolicLink",
        message: "cannot \(operation) \(path): a symbolic link, or no directory, is in the way; file sinks follow none")
    case ENOSPC, EDQUOT:
      return SinkError(
        reason: "DiskFull", message: "cannot \(operation) \(path): \(text); make room, it is tried again")
    case EACCES, EPERM, EROFS:
      return SinkError(
        reason: "NotWritable",
        message: "cannot \(operation) \(path): \(text); give the gateway's user the right to write there")
    default: return SinkError(reason: "FileError", message: "cannot \(operation) \(path): \(text)")
    }
  }
}
