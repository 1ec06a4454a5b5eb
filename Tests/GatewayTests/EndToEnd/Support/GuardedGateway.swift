import Foundation
import Glibc
import TestSupport

/// A gateway that is served over TLS to who shows a token or a certificate.
struct GuardedGateway {
  let gateway: RunningGateway
  let authority: TestAuthority
  let files: ScratchFolder

  static let admin = "admin-token-0123456789"
  static let viewer = "viewer-token-0123456789"
  static let tokens = "\(admin),anna,1,\"selvedge:admins\"\n\(viewer),vera,2,\"selvedge:viewers\"\n"

  /// Writes a file that only its owner may read.
  func write(_ content: String, to name: String) throws {
    try Self.write(content, to: name, in: files)
  }

  private static func write(_ content: String, to name: String, in files: ScratchFolder) throws {
    let path = try files.write(content, to: name + ".new")
    chmod(path, 0o600)
    // Whoever reads finds the old file or the new one, with its rights.
    guard rename(path, files(name)) == 0 else { throw Trouble("cannot rename \(path)") }
  }

  static func with(
    manifests: [String: String]? = nil, flags: [String] = [], _ body: (GuardedGateway) async throws -> Void
  ) async throws {
    let files = try ScratchFolder()
    let authority = try await TestAuthority(in: files)
    try await authority.issueServer("server")
    try await authority.issueClient("alice", user: "alice", groups: ["selvedge:operators"])
    try write(tokens, to: "tokens.csv", in: files)
    let all =
      [
        "--tls-cert", files("server.pem"), "--tls-key", files("server.key"), "--client-ca", authority.certificate,
        "--token-file", files("tokens.csv"),
      ] + flags
    try await withGateway(manifests: manifests, flags: all) { gateway in
      try await body(GuardedGateway(gateway: gateway, authority: authority, files: files))
    }
  }

  /// The code and body of one request by curl, its certificate verified.
  func curl(_ path: String, token: String? = nil, _ more: [String] = []) async throws -> (code: Int, body: String) {
    var words = ["curl", "-sS", "-m", "10", "--cacert", authority.certificate, "-w", "\n%{http_code}"]
    if let token { words += ["-H", "Authorization: Bearer \(token)"] }
    let output = try await run(words + more + [gateway.server + path]).succeeded()
    guard let last = output.lastIndex(of: "\n") else { throw Trouble("no answer: \(output)") }
    return (Int(output[output.index(after: last)...]) ?? 0, String(output[..<last]))
  }

  /// The path of a kubeconfig as `selvedge kubeconfig` prints it.
  func kubeconfig(_ name: String, _ flags: [String]) async throws -> String {
    let text = try await run(
      [try selvedgeBinary(), "kubeconfig", "--server", gateway.server, "--ca", authority.certificate] + flags
    ).succeeded()
    return try files.write(text, to: name)
  }

  func kubectl(_ program: String, _ kubeconfig: String, _ arguments: String..., input: String? = nil) async throws
    -> Finished
  {
    try await run(
      [program, "--cache-dir", files("cache")] + arguments, input: input, environment: ["KUBECONFIG": kubeconfig],
      within: .seconds(180))
  }

  /// The lines of the audit log.
  var audit: String {
    (try? String(contentsOfFile: gateway.dataDirectory + "/audit/audit.log", encoding: .utf8)) ?? ""
  }
}
