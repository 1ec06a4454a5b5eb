import Documents
import Foundation
import Glibc
import TestSupport
import Testing

/// Credentials and certificates that a Broker takes from Secrets, against a real mosquitto.
@Suite struct BrokerSecretTests {
  private static func broker(_ url: String, _ more: String) -> String {
    "apiVersion: selvedge.dev/v1alpha1\nkind: Broker\nmetadata: {name: plant}\nspec: {url: \"\(url)\", \(more)}"
  }

  private static func mosquitto(_ lines: [String], _ folder: ScratchFolder) throws -> ChildProcess {
    let file = try folder.write(
      (lines + ["user root", "log_dest none"]).joined(separator: "\n") + "\n", to: "mosquitto.conf")
    return try ChildProcess(["/usr/sbin/mosquitto", "-c", file], in: folder)
  }

  private static func message(_ gateway: RunningGateway) async throws -> String {
    try await gateway.condition("Ready", of: "broker", "plant")?["message"]?.string ?? ""
  }

  @Test(.timeLimit(.minutes(10)))
  func aBrokerTakesItsCredentialsFromASecretAndFollowsItsChanges() async throws {
    let folder = try ScratchFolder()
    let port = freePort()
    _ = try await run(["mosquitto_passwd", "-b", "-c", folder("passwords"), "gateway", "first-password"]).succeeded()
    let broker = try Self.mosquitto(
      ["listener \(port) 127.0.0.1", "allow_anonymous false", "password_file \(folder("passwords"))"], folder)
    defer { broker.end(SIGKILL) }
    try await withGateway { gateway in
      let manifest = Self.broker("mqtt://127.0.0.1:\(port)", "credentialsSecretRef: {name: credentials}")
      try await gateway.kubectl("apply", "-f", "-", input: manifest)
      try await gateway.awaitCondition("Ready", of: "broker", "plant", "False", reason: "SecretNotFound")
      #expect(try await Self.message(gateway).contains("Secret \"credentials\""))

      try await gateway.kubectl("create", "secret", "generic", "credentials", "--from-literal=username=gateway")
      try await gateway.awaitCondition("Ready", of: "broker", "plant", "False", reason: "SecretKeyMissing")
      #expect(try await Self.message(gateway).contains("has no key password"))

      func setPassword(_ password: String) async throws {
        try await gateway.kubectl(
          "patch", "secret", "credentials", "--type", "merge", "-p", #"{"stringData":{"password":"\#(password)"}}"#)
      }
      try await setPassword("first-password")
      try await gateway.awaitCondition("Connected", of: "broker", "plant", "True")
      try await setPassword("wrong-password")
      try await gateway.awaitCondition("Connected", of: "broker", "plant", "False", reason: "Disconnected")
      try await setPassword("first-password")
      try await gateway.awaitCondition("Connected", of: "broker", "plant", "True")

      // The events say what happened, under the object's uid, and nothing says the password.
      let described = try await gateway.kubectl("describe", "broker", "plant")
      for reason in ["SecretNotFound", "SecretKeyMissing", "Connected", "Disconnected"] {
        #expect(described.contains(reason), "\(reason) in \(described)")
      }
      #expect(!gateway.log.contains("first-password") && !described.contains("first-password"))
      let grep = try await run([
        "grep", "-rlF", "-e", "first-password", "-e", "Zmlyc3QtcGFzc3dvcmQ", gateway.dataDirectory,
      ])
      #expect(grep.output.isEmpty, "in clear on the disk: \(grep.output)")
      #expect(
        try await gateway.http("GET", "/metrics").body.contains("selvedge_events_dropped_total{cause=\"rateLimit\"}"))

      try await gateway.restart()
      try await gateway.awaitCondition("Connected", of: "broker", "plant", "True")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aBrokerTakesItsCertificatesFromSecrets() async throws {
    let folder = try ScratchFolder()
    func openssl(_ words: String...) async throws { _ = try await run(["openssl"] + words).succeeded() }
    try await openssl(
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test CA", "-keyout",
      folder("ca.key"),
      "-out", folder("ca.crt"))
    try folder.write("subjectAltName=IP:127.0.0.1", to: "san")
    for name in ["server", "client"] {
      try await openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout", folder("\(name).key"), "-out",
        folder("\(name).csr"))
      try await openssl(
        "x509", "-req", "-days", "2", "-in", folder("\(name).csr"), "-CA", folder("ca.crt"), "-CAkey", folder("ca.key"),
        "-CAcreateserial", "-extfile", folder("san"), "-out", folder("\(name).crt"))
    }
    let port = freePort()
    let broker = try Self.mosquitto(
      [
        "listener \(port) 127.0.0.1", "allow_anonymous true", "cafile \(folder("ca.crt"))",
        "certfile \(folder("server.crt"))", "keyfile \(folder("server.key"))", "require_certificate true",
      ], folder)
    defer { broker.end(SIGKILL) }
    try await withGateway { gateway in
      try await gateway.kubectl("create", "secret", "generic", "authority", "--from-file=ca.crt=\(folder("ca.crt"))")
      let tls = "tls: {caSecretRef: {name: authority}, certificateSecretRef: {name: client}}"
      try await gateway.kubectl("apply", "-f", "-", input: Self.broker("mqtts://127.0.0.1:\(port)", tls))
      try await gateway.awaitCondition("Ready", of: "broker", "plant", "False", reason: "SecretNotFound")
      try await gateway.kubectl(
        "create", "secret", "tls", "client", "--cert", folder("client.crt"), "--key", folder("client.key"))
      try await gateway.awaitCondition("Connected", of: "broker", "plant", "True")
      let key = try String(contentsOfFile: folder("client.key"), encoding: .utf8).split(separator: "\n")[3]
      let grep = try await run(["grep", "-rlF", "-e", String(key), gateway.dataDirectory, "/dev/shm"])
      #expect(grep.output.isEmpty, "the key lies in a file: \(grep.output)")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func aMissingKeyFileEndsTheStartWithOneLine() async throws {
    try await withGateway { gateway in
      try await gateway.kubectl("create", "secret", "generic", "a", "--from-literal=b=c")
      try await gateway.stop()
      let keyFile = gateway.dataDirectory + "/keys/secrets.key"
      try FileManager.default.removeItem(atPath: keyFile)
      let result = try await run(
        [try selvedgeBinary(), "run", "--data-dir", gateway.dataDirectory, "--listen", "127.0.0.1:0"],
        within: .seconds(120))
      #expect(result.status == 1)
      #expect(result.errors.contains("Error: ") && result.errors.contains(keyFile), "\(result)")
    }
  }
}
