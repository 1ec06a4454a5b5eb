import Foundation
import Synchronization

/// A program run to its end, or cut off at its deadline.
struct Subprocess {
  var status: Int32
  var output: String
  var errors: String

  /// Both streams, for messages.
  var description: String { "exit \(status)\n\(output)\n\(errors)" }

  /// Runs `program` and reads what it prints.
  static func run(
    _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    deadline: TimeInterval = 60
  ) async throws -> Subprocess {
    let running = try Running(program, arguments, input: input, environment: environment)
    return await running.result(deadline: deadline)
  }

  /// A program that runs beside the test.
  // Process is only touched by the creating task and, after exit, not at all
  final class Running: @unchecked Sendable {
    private let process = Process()
    private let collected = Mutex((output: Data(), errors: Data()))
    private let finished = DispatchGroup()

    init(_ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
      let output = Pipe()
      let errors = Pipe()
      process.standardOutput = output
      process.standardError = errors
      let source = Pipe()
      process.standardInput = source
      try process.run()
      read(output) { data in self.collected.withLock { $0.output.append(data) } }
      read(errors) { data in self.collected.withLock { $0.errors.append(data) } }
      try? source.fileHandleForWriting.write(contentsOf: Data((input ?? "").utf8))
      try? source.fileHandleForWriting.close()
    }

    private func read(_ pipe: Pipe, _ take: @escaping @Sendable (Data) -> Void) {
      finished.enter()
      Thread.detachNewThread { [finished] in
        while true {
          let data = pipe.fileHandleForReading.availableData
          if data.isEmpty { break }
          take(data)
        }
        finished.leave()
      }
    }

    var output: String { collected.withLock { String(decoding: $0.output, as: UTF8.self) } }

    /// Ends it at once: the child may have inherited a mask that holds SIGTERM back.
    func terminate() { kill(process.processIdentifier, SIGKILL) }

    /// The end, on a thread of its own; past the deadline the program is killed.
    func result(deadline: TimeInterval) async -> Subprocess {
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          if self.finished.wait(timeout: .now() + deadline) == .timedOut {
            kill(self.process.processIdentifier, SIGKILL)
            self.finished.wait()
          }
          self.process.waitUntilExit()
          let (output, errors) = self.collected.withLock { $0 }
          continuation.resume(
            returning: Subprocess(
              status: self.process.terminationStatus, output: String(decoding: output, as: UTF8.self),
              errors: String(decoding: errors, as: UTF8.self)))
        }
      }
    }
  }
}

struct Missed: Error, CustomStringConvertible {
  var what: String
  var description: String { "not within the deadline: \(what)" }
}
