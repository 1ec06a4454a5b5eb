import Foundation
import KubernetesAPI
import Testing

@Suite("Bearer tokens of a file")
struct StaticTokensTests {
  @Test func everyLineIsAUserWithGroups() throws {
    let tokens = try StaticTokens(
      text: "secret-1,alice,1,\"ops, night\"\r\n\n\"sec\"\"ret-2\",\"bob, the builder\",2\nsecret-3,carl,,\"ops\"\n")
    let alice = try #require(tokens.user(of: "secret-1".utf8))
    #expect(alice == UserInfo(name: "alice", uid: "1", groups: ["ops", "night", "system:authenticated"]))
    #expect(tokens.user(of: "sec\"ret-2".utf8)?.name == "bob, the builder")
    #expect(tokens.user(of: "secret-3".utf8)?.groups == ["ops", "system:authenticated"])
    for wrong in ["", "s", "secret-", "secret-4", "secret-11", "SECRET-1", "secret-1secret-1"] {
      #expect(tokens.user(of: wrong.utf8) == nil, "\(wrong)")
    }
    #expect(tokens.token(of: "carl") == "secret-3" && tokens.token(of: "nobody") == nil)
  }

  @Test(arguments: [
    ("secret-1,alice", "line 1"), ("a,b,c\nsecret-1,alice,1,\"ops\",x", "line 2"), (",alice,1", "token is empty"),
    ("secret-1,,1", "user is empty"), ("secret-1,a,1\nsecret-1,b,2", "line 2"), ("secret-1,a,1,\"ops", "quote"),
    ("secret 1,a,1", "ASCII"),
  ])
  func aMistakeIsToldByItsLineAndNoTokenIs(text: String, message: String) {
    #expect {
      try StaticTokens(text: text)
    } throws: {
      "\($0)".contains(message) && !"\($0)".contains("secret")
    }
  }

  @Test func aGroupCannotMakeAStrangerOfAUser() throws {
    let tokens = try StaticTokens(text: "secret-1,alice,1,\"system:unauthenticated\"")
    #expect(tokens.user(of: "secret-1".utf8)?.isAnonymous == false)
  }
}

@Suite("The subject of a client certificate")
struct CertificateSubjectTests {
  private func certificate(_ subject: String) async throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificate-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let made = try await Subprocess.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-utf8", "-subj",
        subject,
        "-keyout", folder + "/key", "-outform", "DER", "-out", folder + "/certificate",
      ])
    guard made.status == 0 else { throw Missed(what: made.description) }
    return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/certificate")))
  }

  @Test(arguments: [
    ("/O=ops/O=night/CN=alice", "alice", ["ops", "night"]), ("/CN=bob", "bob", []),
    ("/C=DE/emailAddress=x@y.z/O=Zähler/CN=jörg", "jörg", ["Zähler"]), ("/O=nobody", "", ["nobody"]),
  ]) func isReadAsOpenSSLWroteIt(subject: String, name: String, groups: [String]) async throws {
    let bytes = try await certificate(subject)
    let read = try #require(CertificateSubject(der: bytes))
    #expect(read.commonName == name && read.organizations == groups)
    // Cut anywhere before the end of the subject it is no certificate, and nothing is read past the end.
    for length in 0..<bytes.count { #expect(CertificateSubject(der: Array(bytes[..<length])) == nil) }
  }
}
