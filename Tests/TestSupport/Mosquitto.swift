import Glibc
import Synchronization

/// A real mosquitto on a free port of the loopback, in a folder of its own; killed with the last reference.
public final class Mosquitto: Sendable {
  public let port: UInt16
  private let scratch: ScratchFolder
  private let process = Mutex<ChildProcess?>(nil)

  public var url: String { "mqtt://127.0.0.1:\(port)" }
  public var folder: String { scratch.path }

  /// - Parameters:
  ///   - settings: lines of its configuration (mosquitto.conf(5)).
  ///   - listener: further lines for its listener.
  public init(_ settings: [String] = ["allow_anonymous true"], listener: [String] = []) async throws {
    port = freePort()
    scratch = try ScratchFolder()
    let lines = ["listener \(port) 127.0.0.1"] + listener + ["user root"] + settings
    try scratch.write(lines.joined(separator: "\n") + "\n", to: "conf")
    try await start()
  }

  public func start() async throws {
    let started = try ChildProcess(["mosquitto", "-c", scratch("conf")], in: scratch)
    process.withLock { $0 = started }
    try await eventually("mosquitto answers on port \(port)", seen: { started.errors }) {
      guard started.isRunning else { throw Trouble("mosquitto has ended: \(started.errors)") }
      return answers(port)
    }
  }

  /// Ends it in order.
  public func stop() { end(SIGTERM) }

  /// Ends it as a power cut would.
  public func kill() { end(SIGKILL) }

  private func end(_ signal: Int32) {
    process.withLock { process in
      process?.end(signal)
      process = nil
    }
  }

  public func pause() { process.withLock { $0?.send(SIGSTOP) } }
  public func resume() { process.withLock { $0?.send(SIGCONT) } }

  public func publish(_ topic: String, _ payload: String, isRetained: Bool = false) async throws {
    let flags = isRetained ? ["-r"] : []
    try await run(["mosquitto_pub", "-p", "\(port)", "-q", "1"] + flags + ["-t", topic, "-m", payload]).succeeded()
  }
}
