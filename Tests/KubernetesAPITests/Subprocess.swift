import Foundation
import TestSupport

/// A program run to its end, or cut off at its deadline.
struct Subprocess {
  var status: Int32
  var output: String
  var errors: String

  /// Both streams, for messages.
  var description: String { "exit \(status)\n\(output)\n\(errors)" }

  /// Runs `program` and takes what it prints.
  static func run(
    _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    deadline: TimeInterval = 120
  ) async throws -> Subprocess {
    let running = try Running(program, arguments, input: input, environment: environment)
    return await running.result(deadline: deadline)
  }

  /// A program that runs beside the test, with the test's own environment.
  struct Running: Sendable {
    private let child: ChildProcess

    init(_ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws {
      child = try ChildProcess(
        [program] + arguments, input: input,
        environment: ProcessInfo.processInfo.environment.merging(environment) { _, new in new })
    }

    var output: String { child.output }
    var errors: String { child.errors }

    func terminate() { child.end(SIGKILL) }

    /// Its end; past the deadline it is killed.
    func result(deadline: TimeInterval) async -> Subprocess {
      _ = try? await child.result(within: .seconds(deadline))
      return Subprocess(status: child.exitStatus ?? -1, output: child.output, errors: child.errors)
    }
  }
}

struct Missed: Error, CustomStringConvertible {
  var what: String
  var description: String { "not within the deadline: \(what)" }
}
