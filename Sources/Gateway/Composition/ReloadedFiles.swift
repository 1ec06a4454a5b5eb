internal import Glibc
internal import Logging
internal import Synchronization

/// A value read from one file or a few that belong together, and read again when one of them changes. What cannot be
/// read leaves the value as it was, with a line in the log.
///
/// The files are looked at when the value is asked for, at most once in a second.
final class ReloadedFiles<Value: Sendable>: Sendable {
  private struct State {
    var value: Value
    var stamps: [FileStamp?]
    var lastLook: ContinuousClock.Instant
  }
  private let what: String
  private let paths: [String]
  private let refusedMode: mode_t
  private let read: @Sendable ([[UInt8]]) throws -> Value
  private let logger: Logger
  private let state: Mutex<State>

  /// - Parameters:
  ///   - what: names the files in messages, such as `the token file`.
  ///   - refusedMode: permission bits that a file must not have.
  ///   - read: makes the value of the files' contents; its errors must hold nothing secret.
  init(
    _ what: String, _ paths: [String], refusedMode: mode_t = 0, logger: Logger,
    read: @escaping @Sendable ([[UInt8]]) throws -> Value
  ) throws(StartError) {
    self.what = what
    self.paths = paths
    self.refusedMode = refusedMode
    self.read = read
    self.logger = logger
    let stamps = paths.map(FileStamp.init(of:))
    let value = try Self.value(what, paths, refusedMode, read)
    state = Mutex(State(value: value, stamps: stamps, lastLook: .now))
  }

  var current: Value {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.lastLook >= .seconds(1) else { return state.value }
      state.lastLook = now
      let stamps = paths.map(FileStamp.init(of:))
      guard stamps != state.stamps else { return state.value }
      state.stamps = stamps
      do throws(StartError) {
        state.value = try Self.value(what, paths, refusedMode, read)
        logger.notice("read again", metadata: ["file": "\(paths.joined(separator: ", "))"])
      } catch {
        logger.error("not read again, what was read before holds", metadata: ["error": "\(error.message)"])
      }
      return state.value
    }
  }

  private static func value(
    _ what: String, _ paths: [String], _ refusedMode: mode_t, _ read: ([[UInt8]]) throws -> Value
  ) throws(StartError) -> Value {
    var contents: [[UInt8]] = []
    for path in paths { contents.append(try content(of: path, what, refusedMode)) }
    do {
      return try read(contents)
    } catch {
      throw StartError("\(what) \(paths.joined(separator: ", ")): \(error)")
    }
  }

  private static func content(of path: String, _ what: String, _ refusedMode: mode_t) throws(StartError) -> [UInt8] {
    func problem(_ text: String) -> StartError { StartError("\(what) \(path): \(text)") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem("cannot be read: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { throw problem("is no file") }
    guard facts.st_mode & refusedMode == 0 else {
      throw problem("other users have rights to it; take them away: chmod o=,g-w \(path)")
    }
    guard facts.st_size <= 1 << 20 else { throw problem("is larger than 1 MiB") }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count) }
      guard got >= 0 else { throw problem("cannot be read: \(String(cString: strerror(errno)))") }
      if got == 0 { break }
      count += got
    }
    return Array(bytes[..<count])
  }
}

/// What changes when a file is written to or replaced.
private struct FileStamp: Sendable, Hashable {
  var device: UInt
  var inode: UInt
  var size: Int
  var seconds: Int
  var nanoseconds: Int
  /// A change of the permissions is one too.
  var mode: UInt32

  /// Nil where there is no file.
  init?(of path: String) {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return nil }
    device = UInt(facts.st_dev)
    inode = UInt(facts.st_ino)
    size = Int(facts.st_size)
    seconds = Int(facts.st_mtim.tv_sec)
    nanoseconds = Int(facts.st_mtim.tv_nsec)
    mode = UInt32(facts.st_mode)
  }
}
