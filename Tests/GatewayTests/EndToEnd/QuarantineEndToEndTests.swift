import Documents
import Foundation
import TestSupport
import Testing

/// Records that a receiver refuses for good, in the hands of an operator.
@Suite struct QuarantineEndToEndTests {
  /// Refuses batches with the setpoint in them, until a file appears.
  private static let receiver = #"""
    import http.server, os, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            bad = '"setpoint"' in body and not os.path.exists(sys.argv[2])
            if not bad: print(body, flush=True)
            self.send_response(400 if bad else 200)
            self.send_header("Content-Length", "10" if bad else "0")
            self.end_headers()
            if bad: self.wfile.write(b"no setpnts")
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """#

  @Test(.timeLimit(.minutes(3)))
  func anOperatorListsShowsRetriesAndDrops() async throws {
    let folder = try ScratchFolder()
    let port = freePort()
    let receiver = try ChildProcess(["python3", "-u", "-c", Self.receiver, "\(port)", folder("willing")])
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      let manifest = """
        apiVersion: selvedge.dev/v1alpha1
        kind: Sink
        metadata: {name: cloud}
        spec:
          http: {url: "http://127.0.0.1:\(port)/in", format: ndjson}
          batch: {maxDelay: 100ms, poisonAfter: 2}
          buffer: {syncInterval: 200ms}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Pipeline
        metadata: {name: all}
        spec: {stages: [{reportOnChange: {}}], to: [{name: cloud}]}
        """
      try await gateway.kubectl(
        "apply", "-f", "-", input: [manifest, BoilerServer.model, boiler.device()].joined(separator: "\n---\n"))
      try await gateway.awaitCondition("Ready", of: "sink", "cloud", "True", reason: "RecordsSetAside")
      #expect(try await gateway.object("sink", "cloud")?[path: "status", "quarantined"] == 1)
      let list = try await gateway.selvedge("quarantine", "list", "cloud").succeeded()
      #expect(list.contains(/^ID +SET ASIDE +DEVICE +PROPERTY +TIME +SEQUENCE +RETRIES +REASON\n1 +/), "\(list)")
      #expect(list.contains("setpoint") && list.contains("no setpnts"), "\(list)")
      let shown = try JSONValue(
        parsing: Array(try await gateway.selvedge("quarantine", "show", "cloud", "1").succeeded().utf8))
      #expect(shown[path: "record", "property"] == "setpoint" && shown[path: "record", "fields", "value"] == 20)
      #expect(shown["id"] == 1 && shown["retries"] == 0)

      let missing = try await gateway.selvedge("quarantine", "show", "cloud", "99")
      #expect(missing.status == 1 && missing.errors.contains("no record 99"), "\(missing)")
      let unclear = try await gateway.selvedge("quarantine", "drop", "cloud")
      #expect(unclear.status != 0 && unclear.errors.contains("--all"), "\(unclear)")
      let nobody = try await gateway.selvedge("quarantine", "list", "nobody")
      #expect(nobody.status == 1 && nobody.errors.contains("\"nobody\" not found"), "\(nobody)")
      #expect(try await gateway.http("GET", "/selvedge/v1/namespaces/default/sinks/cloud/quarantine/x").status == 400)

      // It stands over a restart, and a retry that is refused leaves it.
      try await gateway.restart()
      let retried = try await gateway.selvedge("quarantine", "retry", "cloud", "--all").succeeded()
      #expect(retried == "1 to be tried again\n")
      try await eventually("it is refused again", seen: { gateway.log }) {
        try await gateway.selvedge("quarantine", "list", "cloud").succeeded().contains(/\n1 +.* 1 +\S.*no setpnts/)
      }
      #expect(!receiver.output.contains("setpoint"))
      try folder.write("", to: "willing")
      try await gateway.selvedge("quarantine", "retry", "cloud", "1").succeeded()
      try await eventually("it is delivered", seen: { receiver.output }) { receiver.output.contains("setpoint") }
      try await gateway.awaitCondition("Ready", of: "sink", "cloud", "True", reason: "Delivering")
      let metrics = try await gateway.http("GET", "/metrics").body
      #expect(metrics.contains("\nselvedge_quarantine_records{sink=\"default/cloud\"} 0\n"), "\(metrics)")
      #expect(
        metrics.contains("\nselvedge_quarantine_left_total{sink=\"default/cloud\",how=\"delivered\"} 1\n"), "\(metrics)"
      )
      let dropped = try await gateway.selvedge("quarantine", "drop", "cloud", "--all").succeeded()
      #expect(dropped == "0 dropped\n")
      let empty = try await gateway.selvedge("quarantine", "list", "cloud").succeeded()
      #expect(empty == "Nothing is in quarantine for cloud.\n")
    }
  }
}
