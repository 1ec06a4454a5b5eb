import Documents
import Foundation
import TestSupport
import Testing

/// From a device over a pipeline to an HTTP receiver, with a token from a Secret.
@Suite struct SinkSecretTests {
  private static let receiver = #"""
    import http.server, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            good = self.headers.get("Authorization") == "Bearer first-t0ken"
            answer = b"" if good else ("not " + str(self.headers.get("Authorization"))).encode()
            if good: print(body.decode(), flush=True)
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """#

  @Test(.timeLimit(.minutes(10)))
  func aSinkWaitsForItsSecretAndFollowsItsChanges() async throws {
    let port = freePort()
    let receiver = try ChildProcess(["python3", "-u", "-c", Self.receiver, "\(port)"])
    let boiler = try await BoilerServer()
    let manifest = """
      apiVersion: selvedge.dev/v1alpha1
      kind: Sink
      metadata: {name: cloud}
      spec:
        http: {url: "http://127.0.0.1:\(port)/in", format: ndjson, tokenSecretRef: {name: cloud}}
        batch: {maxDelay: 100ms}
      ---
      apiVersion: selvedge.dev/v1alpha1
      kind: Pipeline
      metadata: {name: all}
      spec: {to: [{name: cloud}]}
      """
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: manifest)
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.awaitCondition("Ready", of: "sink", "cloud", "False", reason: "SecretNotFound")
      try await gateway.kubectl("create", "secret", "generic", "cloud", "--from-literal=token=wr0ng-t0ken")
      try await gateway.awaitCondition("Ready", of: "sink", "cloud", "False", reason: "Unauthorized")
      let message = try await gateway.condition("Ready", of: "sink", "cloud")?["message"]?.string ?? ""
      #expect(message.contains("401") && message.contains("check the Sink's credentials"), "\(message)")
      #expect(!message.contains("wr0ng-t0ken") && !gateway.log.contains("wr0ng-t0ken"), "a secret is told")
      try await gateway.kubectl(
        "patch", "secret", "cloud", "--type", "merge", "-p", #"{"stringData":{"token":"first-t0ken"}}"#)
      try await gateway.awaitCondition("Ready", of: "sink", "cloud", "True", reason: "Delivering")
      // What waited meanwhile is there from the first record on, in order.
      let records = try receiver.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
      var last: [String: Int] = [:]
      for record in records {
        let property = record["property"]?.string ?? ""
        let sequence = record["sequence"]?.int ?? 0
        #expect(sequence == last[property, default: 0] + 1, "\(property)")
        last[property] = sequence
      }
      #expect(!last.isEmpty)
    }
  }
}
