import Foundation

/// One kubectl with a cache of its own, aimed at a server.
struct Kubectl: Sendable {
  enum Release: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Debian 12's kubernetes-client.
    case old = "1.20"
    /// The one on the path.
    case current
    var description: String { rawValue }
  }
  let program: String
  let server: String
  let home: String

  /// The root of the package.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Throws what hinders the program from being there.
  init(_ release: Release, server: String) async throws {
    self.server = server
    home = FileManager.default.temporaryDirectory.appendingPathComponent("kubectl-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    program = try await Self.program(of: release)
  }

  /// Where the program is; the old one is unpacked first where it is not there yet.
  static func program(of release: Release) async throws -> String {
    switch release {
    case .current: return "/usr/bin/kubectl"
    case .old:
      let setup = try await Subprocess.run("/bin/sh", [root + "/scripts/setup-kubectl-1.20.sh"], deadline: 120)
      guard setup.status == 0 else { throw Missed(what: "unpacking kubectl 1.20: \(setup.description)") }
      return setup.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  var environment: [String: String] { ["HOME": home, "KUBECONFIG": home + "/none", "NO_COLOR": "1"] }

  private func all(_ arguments: [String]) -> [String] {
    ["--server", server, "--cache-dir", home + "/cache"] + arguments
  }

  /// Runs to the end.
  func run(_ arguments: String..., input: String? = nil) async throws -> Subprocess {
    try await Subprocess.run(program, all(arguments), input: input, environment: environment)
  }

  func run(environment more: [String: String], _ arguments: String...) async throws -> Subprocess {
    try await Subprocess.run(program, all(arguments), environment: environment.merging(more) { _, new in new })
  }

  func run(arguments: [String], input: String) async throws -> Subprocess {
    try await Subprocess.run(program, all(arguments), input: input, environment: environment)
  }

  /// Runs and expects success; its output.
  func succeed(_ arguments: String..., input: String? = nil) async throws -> String {
    let result = try await Subprocess.run(program, all(arguments), input: input, environment: environment)
    guard result.status == 0 else {
      throw Missed(what: "kubectl \(arguments.joined(separator: " ")): \(result.description)")
    }
    return result.output
  }

  func start(_ arguments: String...) throws -> Subprocess.Running {
    try Subprocess.Running(program, all(arguments), environment: environment)
  }

  func remove() { try? FileManager.default.removeItem(atPath: home) }
}
