import Foundation

/// A certificate authority of a test's own, by openssl.
public struct TestAuthority: Sendable {
  public let folder: ScratchFolder
  public var certificate: String { folder("ca.pem") }

  public init(in folder: ScratchFolder, name: String = "test-ca") async throws {
    self.folder = folder
    try await request(["-subj", "/CN=\(name)"], "ca")
  }

  /// Files `name.pem` and `name.key`, for the gateway on the loopback.
  public func issueServer(_ name: String) async throws {
    try await issue(name, "/CN=gateway", ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
  }

  /// Files `name.pem` and `name.key`, for a user with groups.
  public func issueClient(_ name: String, user: String, groups: [String]) async throws {
    try await issue(
      name, groups.map { "/O=\($0)" }.joined() + "/CN=\(user)", ["-addext", "extendedKeyUsage=clientAuth"])
  }

  private func issue(_ name: String, _ subject: String, _ extra: [String]) async throws {
    try await request(
      [
        "-CA", certificate, "-CAkey", folder("ca.key"), "-subj", subject, "-addext",
        "basicConstraints=critical,CA:FALSE",
      ] + extra, name)
  }

  private func request(_ arguments: [String], _ name: String) async throws {
    let common = [
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-keyout", folder("\(name).key"), "-out", folder("\(name).pem"),
    ]
    _ = try await run(common + arguments).succeeded()
  }
}
