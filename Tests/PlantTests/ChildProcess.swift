import Glibc

/// A program that a test has started, with what it prints in an anonymous file. It ends with its owner.
final class ChildProcess {
  private let identifier: pid_t
  private let file: Int32
  private var status: Int32?

  init(_ path: String, _ arguments: [String]) throws {
    var name = Array("/tmp/plant-tests-XXXXXX".utf8CString)
    file = mkstemp(&name)
    guard file >= 0 else { throw NotReady(what: "a temporary file") }
    unlink(name)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, file, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // The pool's threads block signals, and a child would inherit that: SIGTERM must reach it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var started = pid_t()
    guard posix_spawn(&started, path, &actions, &attributes, words, environ) == 0 else {
      close(file)
      throw NotReady(what: path)
    }
    identifier = started
  }

  deinit {
    end(SIGKILL)
    close(file)
  }

  /// What the program has printed so far.
  var output: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
    let count = pread(file, &bytes, bytes.count, 0)
    return Array(bytes[..<max(0, count)])
  }

  /// How the program ended, as wait(2) tells it; nil while it runs.
  var exitStatus: Int32? {
    if status == nil {
      var ended: Int32 = 0
      if waitpid(identifier, &ended, WNOHANG) == identifier { status = ended }
    }
    return status
  }

  /// Sends the signal and takes the program's end back.
  func end(_ signal: Int32) {
    guard exitStatus == nil else { return }
    kill(identifier, signal)
    var ended: Int32 = 0
    if waitpid(identifier, &ended, 0) == identifier { status = ended }
  }
}
