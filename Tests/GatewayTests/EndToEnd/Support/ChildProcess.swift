import Foundation
import Glibc

/// A program that a test has started, with what it prints in two files below a scratch folder. It ends with its owner.
///
/// Files and no pipes: nobody has to read them for the program to go on, and no other child holds them open.
final class ChildProcess {
  let identifier: pid_t
  private let words: [String]
  private let outputPath: String
  private let errorsPath: String
  private var status: Int32?

  init(_ words: [String], input: String? = nil, environment: [String: String] = [:], in folder: ScratchFolder) throws {
    self.words = words
    let name = folder.path + "/" + UUID().uuidString
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
    // The pool's threads block signals, and a child would inherit that: SIGTERM must reach it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let settings = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder.path, "LC_ALL": "C",
      "KUBECONFIG": "/dev/null", "NO_PROXY": "*",
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

  var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? "" }
  var isRunning: Bool { exitStatus == nil }

  /// The exit code, or 128 and the signal's number; nil while it runs.
  var exitStatus: Int32? {
    if status == nil {
      var ended: Int32 = 0
      if waitpid(identifier, &ended, WNOHANG) == identifier { note(ended) }
    }
    return status
  }

  private func note(_ ended: Int32) { status = ended & 0x7F == 0 ? (ended >> 8) & 0xFF : 128 + (ended & 0x7F) }

  /// Sends the signal and takes the program's end back.
  func end(_ signal: Int32) {
    guard exitStatus == nil else { return }
    kill(identifier, signal)
    var ended: Int32 = 0
    if waitpid(identifier, &ended, 0) == identifier { note(ended) }
  }

  func send(_ signal: Int32) {
    if isRunning { kill(identifier, signal) }
  }

  /// The end of the program, which is killed and reported past the deadline.
  func result(within seconds: Double = 30) async throws -> Finished {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while isRunning {
      guard ContinuousClock.now < deadline else {
        end(SIGKILL)
        throw Trouble("not ended within \(seconds) s: \(words.joined(separator: " "))\n\(output)\n\(errors)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    return Finished(words: words, status: status ?? -1, output: output, errors: errors)
  }
}

/// What a program has said and how it ended.
struct Finished: CustomStringConvertible {
  var words: [String]
  var status: Int32
  var output: String
  var errors: String
  var description: String { "\(words.joined(separator: " ")): exit \(status)\n\(output)\n\(errors)" }

  /// The output of a program that must succeed.
  func succeeded() throws -> String {
    guard status == 0 else { throw Trouble(description) }
    return output
  }
}

/// Runs a program to its end.
func run(
  _ words: [String], input: String? = nil, environment: [String: String] = [:], within seconds: Double = 30
) async throws -> Finished {
  let folder = try ScratchFolder()
  return try await ChildProcess(words, input: input, environment: environment, in: folder).result(within: seconds)
}
