import Glibc

/// A program that runs beside the benchmark; killed with its last reference.
final class ChildProcess {
  private let process: pid_t
  private let output: UnsafeMutablePointer<FILE>
  private var hasEnded = false

  /// Starts `path`. Its output is read line by line with ``nextLine()``; its input ends with this object.
  init(_ path: String, _ arguments: [String]) throws(BenchError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0, let stream = fdopen(ends[0], "r") else { throw BenchError("no pipe for \(path)") }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    output = stream
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var strings: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { strings.forEach { free($0) } }
    var process = pid_t()
    let code = posix_spawn(&process, path, &actions, nil, &strings, environ)
    close(ends[1])
    self.process = process
    guard code == 0 else {
      hasEnded = true
      throw BenchError("cannot start \(path): \(String(cString: strerror(code)))")
    }
  }

  /// Starts this program again, as a peer.
  convenience init(peer command: String, _ numbers: [Int]) throws(BenchError) {
    try self.init("/proc/self/exe", [command] + numbers.map { String($0) })
  }

  deinit {
    if !hasEnded {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    fclose(output)
  }

  /// The next line of the program's output, without its end; nil after the last.
  func nextLine() -> String? {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    guard getline(&line, &capacity, output) > 0, let line else { return nil }
    return String(String(cString: line).prefix { !$0.isNewline })
  }

  /// Nanoseconds of processor time that the program has used, in user and kernel mode.
  func cpuNanoseconds() throws(BenchError) -> Double {
    var clock = clockid_t()
    guard clock_getcpuclockid(process, &clock) == 0 else { throw BenchError("a peer has ended") }
    return nanoseconds(of: clock)
  }

  /// Waits for the end of a program that ends by itself.
  func join() throws(BenchError) {
    var status: Int32 = 0
    waitpid(process, &status, 0)
    hasEnded = true
    guard status == 0 else { throw BenchError("a peer ended with status \(status)") }
  }
}
