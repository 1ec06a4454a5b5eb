package import DeviceKit
package import Documents
import Glibc
import Synchronization
import Threads

/// The ``RefusalBook`` of one gateway, and the file in which it outlives the process. Safe from any thread; none waits for
/// the disk.
///
/// What is learned is on disk within a second. Nothing depends on it: a file that is lost, damaged or cannot be written
/// costs the refused reads by which the same is learned again.
package final class RefusalFile: Sendable {
  private struct State {
    var book: RefusalBook
    var isDirty = false
    var isBeingWritten = false
  }
  private let state: Mutex<State>
  private let path: String?
  private let clock: WallClock

  /// A longer file is none of this program's.
  static let mostBytes = 16 << 20

  /// `path` nil: nothing outlives the process.
  package init(path: String? = nil, clock: WallClock = .system) {
    self.path = path
    self.clock = clock
    let book = path.flatMap(Self.read).flatMap { try? JSONValue(parsing: $0) }.flatMap(RefusalBook.init)
    state = Mutex(State(book: book ?? RefusalBook()))
  }

  package func known(of key: RefusalBook.Key) -> (refusals: ReadRefusals, until: Timestamp)? {
    state.withLock { $0.book.known(of: key, at: clock.now) }
  }

  /// When what is kept is to be forgotten.
  package func keep(_ refusals: ReadRefusals, of key: RefusalBook.Key) -> Timestamp {
    let (until, begins) = state.withLock { state in
      let until = state.book.keep(refusals, of: key, at: clock.now)
      state.isDirty = true
      let begins = path != nil && !state.isBeingWritten
      state.isBeingWritten = state.isBeingWritten || begins
      return (until, begins)
    }
    // Ends by itself once all is written.
    if begins { Task { await RefusalWriter().write(self) } }
    return until
  }

  /// What is to be written; nil, and the writer is done, where that is on disk.
  fileprivate func takeBytes() -> [UInt8]? {
    state.withLock { state in
      guard state.isDirty else {
        state.isBeingWritten = false
        return nil
      }
      state.isDirty = false
      state.book.prune(at: clock.now)
      return state.book.json.serialised()
    }
  }

  /// Replaces the file as a whole. What cannot be written stays in memory.
  fileprivate func replace(by bytes: [UInt8]) {
    guard let path else { return }
    let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { return }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written) }
      guard count > 0 else { break }
      written += count
    }
    let isWhole = written == bytes.count && fdatasync(descriptor) == 0
    close(descriptor)
    if isWhole { rename(path + ".new", path) } else { unlink(path + ".new") }
  }

  private static func read(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0, facts.st_size > 0, facts.st_size <= mostBytes else { return nil }
    let size = Int(facts.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = 0
      while count < size {
        let more = Glibc.read(descriptor, buffer.baseAddress! + count, size - count)
        guard more > 0 else { break }
        count += more
      }
    }
    return bytes.count == size ? bytes : nil
  }
}

/// Writes on a thread of its own, which lasts as long as there is something to write.
private actor RefusalWriter {
  private let thread = BlockingThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  func write(_ file: RefusalFile) async {
    repeat {
      // What is learned in one go is written in one.
      try? await Task.sleep(for: .milliseconds(200))
      guard let bytes = file.takeBytes() else { return }
      file.replace(by: bytes)
    } while true
  }
}
