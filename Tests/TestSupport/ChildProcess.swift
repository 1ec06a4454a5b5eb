import Foundation
import Glibc
import Synchronization

/// A program that a test has started, with what it prints in two files below a scratch folder. It ends with its owner.
///
/// Files and no pipes: nobody has to read them for the program to go on, and no other child holds them open.
public final class ChildProcess: Sendable {
  public let identifier: Int32
  private let words: [String]
  private let folder: ScratchFolder
  private let outputPath: String
  private let errorsPath: String
  private let status = Mutex<Int32?>(nil)

  /// Finds the program on PATH where its name has no slash. The child's environment is `environment`, PATH and a few
  /// settings that keep a person's own configuration out of the test.
  public init(
    _ words: [String], input: String? = nil, environment: [String: String] = [:], in folder: ScratchFolder? = nil
  ) throws {
    self.words = words
    let folder = try folder ?? ScratchFolder()
    self.folder = folder
    let name = folder(UUID().uuidString)
    outputPath = name + ".out"
    errorsPath = name + ".err"
    var source = "/dev/null"
    if let input {
      source = name + ".in"
      try input.write(toFile: source, atomically: false, encoding: .utf8)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, source, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errorsPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // A child that held another test's listening socket would keep its port taken.
    for descriptor in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
    where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    // The pool's threads block signals, and a child would inherit that: SIGTERM must reach it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    // The child's PATH is the one on which it was found: python3 finds its library by looking for itself.
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    let settings = [
      "PATH": path, "HOME": folder.path, "LC_ALL": "C", "KUBECONFIG": "/dev/null", "NO_PROXY": "*",
    ].merging(environment) { $1 }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for word in arguments + variables { free(word) } }
    var started = pid_t()
    let code = posix_spawnp(&started, words[0], &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw Trouble("cannot start \(words[0]): \(String(cString: strerror(code)))") }
    identifier = started
  }

  deinit { end(SIGKILL) }

  public var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
  public var errors: String { (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? "" }
  public var isRunning: Bool { exitStatus == nil }

  /// The exit code, or 128 and the signal's number; nil while it runs.
  public var exitStatus: Int32? { status.withLock { wait(WNOHANG, &$0) } }

  private func wait(_ options: Int32, _ status: inout Int32?) -> Int32? {
    if status == nil {
      var ended: Int32 = 0
      if waitpid(identifier, &ended, options) == identifier {
        status = ended & 0x7F == 0 ? (ended >> 8) & 0xFF : 128 + (ended & 0x7F)
      }
    }
    return status
  }

  /// Sends the signal and takes the program's end back.
  public func end(_ signal: Int32) {
    status.withLock { status in
      guard wait(WNOHANG, &status) == nil else { return }
      kill(identifier, signal)
      _ = wait(0, &status)
    }
  }

  public func send(_ signal: Int32) {
    status.withLock { status in
      if wait(WNOHANG, &status) == nil { kill(identifier, signal) }
    }
  }

  /// The end of the program, which is killed and reported past the deadline.
  public func result(within limit: Duration = .seconds(120)) async throws -> Finished {
    let deadline = ContinuousClock.now + limit
    while isRunning {
      guard ContinuousClock.now < deadline else {
        end(SIGKILL)
        throw Trouble("not ended within \(limit): \(words.joined(separator: " "))\n\(output)\n\(errors)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    return Finished(words: words, status: exitStatus ?? -1, output: output, errors: errors)
  }
}

/// What a program has said and how it ended.
public struct Finished: Sendable, CustomStringConvertible {
  public var words: [String]
  public var status: Int32
  public var output: String
  public var errors: String
  public var description: String { "\(words.joined(separator: " ")): exit \(status)\n\(output)\n\(errors)" }

  /// The output of a program that must succeed.
  @discardableResult
  public func succeeded() throws -> String {
    guard status == 0 else { throw Trouble(description) }
    return output
  }
}

/// Runs a program to its end.
public func run(
  _ words: [String], input: String? = nil, environment: [String: String] = [:], within limit: Duration = .seconds(120)
) async throws -> Finished {
  try await ChildProcess(words, input: input, environment: environment).result(within: limit)
}
