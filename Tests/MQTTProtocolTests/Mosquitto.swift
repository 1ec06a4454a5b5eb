import Foundation
import Glibc
import MQTTClient
import Synchronization

/// A real mosquitto on a free port of the loopback, in a folder of its own; killed with the last reference.
final class Mosquitto: Sendable {
  let port: UInt16
  let folder: String
  private let process = Mutex<pid_t?>(nil)

  var url: String { "mqtt://127.0.0.1:\(port)" }

  init(_ settings: [String] = ["allow_anonymous true"], listener: [String] = []) throws {
    port = Mosquitto.freePort()
    folder = NSTemporaryDirectory() + "mosquitto-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let lines = ["listener \(port) 127.0.0.1"] + listener + ["user root", "log_dest none"] + settings
    try (lines.joined(separator: "\n") + "\n").write(toFile: folder + "/conf", atomically: true, encoding: .utf8)
    try start()
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  func start() throws {
    let pid = try spawn(["/usr/sbin/mosquitto", "-c", folder + "/conf"])
    process.withLock { $0 = pid }
    // The port answers soon after; connect() is the condition.
    var attempts = 0
    while !Mosquitto.answers(port), attempts < 5_000 {
      usleep(1_000)
      attempts += 1
    }
  }

  /// Ends it with SIGKILL, as a power cut would.
  func kill() {
    process.withLock { process in
      guard let running = process else { return }
      Glibc.kill(running, SIGKILL)
      waitpid(running, nil, 0)
      process = nil
    }
  }

  func pause() { process.withLock { if let running = $0 { Glibc.kill(running, SIGSTOP) } } }
  func resume() { process.withLock { if let running = $0 { Glibc.kill(running, SIGCONT) } } }

  private static func socket(_ port: UInt16, _ body: (Int32, UnsafePointer<sockaddr>) -> Int32) -> (Int32, UInt16) {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
    }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return (code, UInt16(bigEndian: address.sin_port))
  }

  static func freePort() -> UInt16 {
    socket(0) { bind($0, $1, socklen_t(MemoryLayout<sockaddr_in>.size)) }.1
  }

  private static func answers(_ port: UInt16) -> Bool {
    socket(port) { connect($0, $1, socklen_t(MemoryLayout<sockaddr_in>.size)) }.0 == 0
  }
}

struct SpawnFailed: Error {
  var code: Int32
}

/// Starts a program with its output thrown away.
func spawn(_ arguments: [String]) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for descriptor in Int32(0)...2 { posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0) }
  var pid = pid_t()
  var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  defer { strings.forEach { free($0) } }
  let code = posix_spawn(&pid, arguments[0], &actions, nil, &strings, environ)
  guard code == 0 else { throw SpawnFailed(code: code) }
  return pid
}

/// Runs a program to its end.
func run(_ arguments: String...) throws {
  var status: Int32 = 0
  waitpid(try spawn(arguments), &status, 0)
  guard status == 0 else { throw SpawnFailed(code: status) }
}

struct DeadlinePassed: Error, CustomStringConvertible {
  var description: String
}

/// Waits until `condition` gives a value, for at most `limit`.
func eventually<T: Sendable>(
  _ what: String, within limit: Duration = .seconds(20), _ condition: @Sendable () async -> T?
) async throws -> T {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if let value = await condition() { return value }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw DeadlinePassed(description: "not within \(limit): \(what)")
}

func eventually(_ what: String, within limit: Duration = .seconds(20), _ condition: @Sendable () async -> Bool)
  async throws
{
  _ = try await eventually(what, within: limit) { await condition() ? true : nil }
}

/// Collects what a subscriber is told.
final class Heard: Sendable {
  private let contents = Mutex<(messages: [MQTTMessage], states: [MQTTState], refused: [String])>(([], [], []))
  @Sendable func take(_ event: MQTTEvent) {
    contents.withLock { contents in
      switch event {
      case .messages(let messages): contents.messages += messages
      case .state(let state): contents.states.append(state)
      case .refused(let filter): contents.refused.append(filter.text)
      }
    }
  }
  var messages: [MQTTMessage] { contents.withLock { $0.messages } }
  var states: [MQTTState] { contents.withLock { $0.states } }
  var refused: [String] { contents.withLock { $0.refused } }
  var texts: [String] { messages.map { String(decoding: $0.payload, as: UTF8.self) } }
}
