import DeviceKit
import Documents
import Foundation
import HTTPClient
import SinkConformance
import SinkKit
import TestSupport
import Testing

@Suite struct CredentialTests {
  private func reason(_ outcome: SinkOutcome) -> String {
    if case .retry(let error, _) = outcome { error.reason } else { "\(outcome)" }
  }

  /// Files `ca.pem`, `server.pem`, `client.pem` and their keys.
  private func authority() async throws -> ScratchFolder {
    let folder = try ScratchFolder()
    func request(_ name: String, _ words: [String]) async throws {
      let common = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-keyout", folder("\(name).key"), "-out", folder("\(name).pem"),
      ]
      try await run(common + words).succeeded()
    }
    try await request("ca", ["-subj", "/CN=test-ca"])
    let issued = ["-CA", folder("ca.pem"), "-CAkey", folder("ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"]
    try await request(
      "server", issued + ["-subj", "/CN=r", "-addext", "subjectAltName=IP:127.0.0.1,DNS:receiver.plant"])
    try await request("named", issued + ["-subj", "/CN=r", "-addext", "subjectAltName=DNS:receiver.plant"])
    try await request("client", issued + ["-subj", "/CN=gateway", "-addext", "extendedKeyUsage=clientAuth"])
    return folder
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func `a server is verified by the authority that the Sink names, and sees the gateway's certificate`()
    async throws
  {
    let folder = try await authority()
    let authorities = try text(folder("ca.pem"))
    let pair = ["tls.crt": try text(folder("client.pem")), "tls.key": try text(folder("client.key"))]
    let client = ClientTLS(
      authorities: Array(authorities.utf8), certificates: Array(pair["tls.crt"]!.utf8),
      key: Array(pair["tls.key"]!.utf8))
    let receiver = try await ForeignReceiver(
      ["--certificate", folder("server.pem"), "--key", folder("server.key"), "--clients", folder("ca.pem")], tls: client
    )
    let credentials = TestCredentials(files: ["ca.pem": authorities])
    let record = [SinkUnderTest.sample(1)]

    let untrusting = try Kind.json.writer(receiver.url("/json"), [:], credentials)
    let first = await untrusting.send(record)
    #expect(reason(first) == "CertificateRefused", "\(first)")
    await untrusting.close()

    let writer = try Kind.json.writer(
      receiver.url("/json"), ["tls": ["caFile": "ca.pem", "certificateSecretRef": ["name": "pair"]]], credentials)
    #expect(reason(await writer.send(record)) == "SecretNotFound")
    credentials.set("pair", ["tls.crt": "nonsense", "tls.key": "nonsense"])
    #expect(reason(await writer.send(record)) == "InvalidTLS")
    // The Secret is mended: the next try has it.
    credentials.set("pair", pair)
    #expect(await writer.send(record) == .delivered)
    await writer.close()
  }

  @Test func `the certificate's name is checked, and may be another than the URL's`() async throws {
    let folder = try await authority()
    let credentials = TestCredentials(secrets: ["ca": ["ca.crt": try text(folder("ca.pem"))]])
    let receiver = try await ForeignReceiver(
      ["--certificate", folder("named.pem"), "--key", folder("named.key")], tls: ClientTLS(verifies: false))
    let record = [SinkUnderTest.sample(1)]
    for (tls, expected) in [
      (["caSecretRef": ["name": "ca"]], "CertificateRefused"),
      (["caSecretRef": ["name": "ca"], "serverName": "other.plant"], "CertificateRefused"),
      (["caSecretRef": ["name": "ca"], "serverName": "receiver.plant"], "delivered"),
      (["insecureSkipVerify": true], "delivered"),
    ] as [(JSONValue, String)] {
      let writer = try Kind.json.writer(receiver.url("/json"), ["tls": tls], credentials)
      let outcome = await writer.send(record)
      #expect(outcome == .delivered || reason(outcome) == expected, "\(tls): \(outcome)")
      #expect((outcome == .delivered) == (expected == "delivered"), "\(tls): \(outcome)")
      await writer.close()
    }
    let host = try #require(try await receiver.requests().first?[path: "fields", "host"]?.string)
    #expect(host == "127.0.0.1:\(receiver.port)", "the server is told the URL's own name")
  }

  @Test func `TLS to a port without it, and none to one with it, say so`() async throws {
    let folder = try await authority()
    let plain = try await ForeignReceiver()
    let secured = try await ForeignReceiver(
      ["--certificate", folder("server.pem"), "--key", folder("server.key")], tls: ClientTLS(verifies: false))
    let first = try Kind.json.writer("https://127.0.0.1:\(plain.port)/json", ["timeout": "3s"])
    let outcome = await first.send([SinkUnderTest.sample(1)])
    #expect(reason(outcome) == "NotTLS", "\(outcome)")
    let second = try Kind.json.writer("http://127.0.0.1:\(secured.port)/json", ["timeout": "3s"])
    let other = await second.send([SinkUnderTest.sample(1)])
    #expect(["ConnectionClosed", "NotHTTP"].contains(reason(other)), "\(other)")
    await first.close()
    await second.close()
  }

  @Test func `nobody there, no such name`() async throws {
    let nobody = try Kind.json.writer("http://127.0.0.1:\(freePort())/json")
    #expect(reason(await nobody.send([SinkUnderTest.sample(1)])) == "ConnectionRefused")
    let nameless = try Kind.json.writer("http://no-such-host.invalid/json", ["timeout": "5s"])
    let outcome = await nameless.send([SinkUnderTest.sample(1)])
    #expect(["HostNotFound", "NotConnected", "ConnectTimeout"].contains(reason(outcome)), "\(outcome)")
    await nobody.close()
    await nameless.close()
  }

  @Test func `Basic authentication and header fields come from Secrets, plain ones from the spec`() async throws {
    let receiver = try await ForeignReceiver()
    let credentials = TestCredentials(secrets: [
      "account": ["username": "gateway", "password": "päss:word"],
      "more": ["X-Api-Key": "k3y\n", "X-Scope-OrgID": "7"],
    ])
    let writer = try Kind.json.writer(
      receiver.url("/json?a=b"),
      [
        "credentialsSecretRef": ["name": "account"], "headersSecretRef": ["name": "more"],
        "headers": ["X-Site": "hall 3"],
      ], credentials)
    #expect(await writer.send([SinkUnderTest.sample(1)]) == .delivered)
    let request = try #require(try await receiver.requests().first)
    #expect(request["path"] == "/json?a=b")
    let fields = try #require(request["fields"])
    #expect(fields["authorization"]?.string == "Basic " + Base64.text(of: Array("gateway:päss:word".utf8)))
    #expect(fields["x-api-key"] == "k3y" && fields["x-scope-orgid"] == "7" && fields["x-site"] == "hall 3")
    credentials.set("more", ["Bad Name": "v"])
    #expect(reason(await writer.send([SinkUnderTest.sample(1)])) == "InvalidHeader")
    credentials.set("more", ["X-Api-Key": "two\r\nlines"])
    let injected = await writer.send([SinkUnderTest.sample(1)])
    #expect(reason(injected) == "InvalidHeader" && !"\(injected)".contains("two"))
    credentials.set("more", nil)
    #expect(reason(await writer.send([SinkUnderTest.sample(1)])) == "SecretNotFound")
    await writer.close()
  }

  @Test func `InfluxDB 2 gets its token, and its address from organisation and bucket`() async throws {
    let receiver = try await ForeignReceiver()
    let credentials = TestCredentials(files: ["token": "abc\n"])
    let writer = try Kind.influx2.writer(
      receiver.url("/proxy/"), ["tokenFile": "token", "influx": ["bucket": "a b&c", "precision": "ms"]], credentials)
    #expect(await writer.send([SinkUnderTest.sample(1)]) == .delivered)
    let request = try #require(try await receiver.requests().first)
    #expect(request["path"] == "/proxy/api/v2/write?org=o&bucket=a%20b%26c&precision=ms")
    #expect(request[path: "fields", "authorization"] == "Token abc")
    await writer.close()
  }
}
