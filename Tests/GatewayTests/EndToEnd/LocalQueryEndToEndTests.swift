import Documents
import Foundation
import TestSupport
import Testing

/// Telemetry asked on the gateway itself, while the cloud is away.
@Suite struct LocalQueryEndToEndTests {
  private static let base = "/selvedge/v1/namespaces/default/telemetry/"

  /// A pipeline of windows to a receiver that is not there.
  private func apply(_ gateway: RunningGateway, _ boiler: BoilerServer) async throws {
    try await gateway.kubectl(
      "apply", "-f", "-",
      input: """
        apiVersion: selvedge.dev/v1alpha1
        kind: Sink
        metadata: {name: cloud}
        spec: {http: {url: "http://127.0.0.1:\(freePort())/in", format: ndjson}}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Pipeline
        metadata: {name: line-a}
        spec:
          stages: [{aggregate: {window: {tumbling: 1s}, functions: [mean, min, max, count]}}]
          to: [{name: cloud}]
        ---
        \(BoilerServer.model)
        ---
        \(boiler.device())
        """)
  }

  private func points(_ gateway: RunningGateway, _ query: String) async throws -> [JSONValue] {
    let response = try await gateway.http("GET", Self.base + "query?" + query)
    #expect(response.status == 200 && response.contentType == "application/json", "\(response)")
    return try response.json()["series"]?.array?.first?["points"]?.array ?? []
  }

  @Test(.timeLimit(.minutes(3)))
  func theLastHourIsThereWithoutTheCloudAndOverAKill() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await apply(gateway, boiler)
      let query = "device=boiler-1&property=flow-temperature&field=mean,count"
      try await eventually("windows are kept", seen: { gateway.log }) { try await points(gateway, query).count >= 3 }
      let before = try await points(gateway, query)
      for point in before { #expect(abs((point.array?[1].number ?? 0) - 42.1) < 1e-9, "\(point)") }
      let whole = try await gateway.http("GET", Self.base + "query?" + query + "&step=1h").json()
      let series = try #require(whole["series"]?.array?.first)
      #expect(series["unit"] == "degC" && series["labels"] == ["line": "a"] && series["fields"] == ["mean", "count"])
      #expect(series["pipeline"] == "line-a" && series["node"] == "gw-test" && whole["stepSeconds"] == 3600)
      let joined = (series["points"]?.array ?? []).compactMap { $0.array?[2].number }.reduce(0, +)
      #expect(joined >= before.compactMap { $0.array?[2].number }.reduce(0, +) - 10)

      try await gateway.crash {}
      let after = try await points(gateway, query)
      #expect(after.prefix(before.count) == before[...], "what was answered before the kill is there after it")
      let metrics = try await gateway.http("GET", "/metrics").body
      #expect(metrics.contains(/\nselvedge_history_recovered_total [1-9]/), "\(metrics)")
      #expect(metrics.contains("\nselvedge_window_misplaced_total{pipeline=\"default/line-a\"} 0\n"))

      // The page's own words, as somebody would type them.
      let binary = try selvedgeBinary()
      let page = try String(contentsOf: repository.appending(path: "docs/QUERY.md"), encoding: .utf8)
      let blocks = page.components(separatedBy: "```sh\n").dropFirst().compactMap {
        $0.components(separatedBy: "```").first
      }
      let lines = blocks.joined().split(separator: "\n").map { String($0) }
      #expect(lines.count == 5)
      for line in lines {
        let path = "\(URL(filePath: binary).deletingLastPathComponent().path):/usr/bin:/bin"
        let answer = try await run(
          ["sh", "-c", line.replacingOccurrences(of: "http://127.0.0.1:7070", with: gateway.server)],
          environment: ["SELVEDGE_SERVER": gateway.server, "PATH": path])
        #expect(answer.status == 0 && !answer.output.contains("\"Failure\""), "\(answer)")
        let hasPoints = !line.contains("--end 1h")
        #expect(!hasPoints || answer.output.contains("flow-temperature"), "\(answer)")
      }
      let table = try await gateway.selvedge("query", "boiler-1", "setpoint", "--step", "1h", "--field", "max")
        .succeeded()
      #expect(
        table.contains(/^TIME +DEVICE +PROPERTY +PIPELINE +MAX\n\S+Z +boiler-1 +setpoint +line-a +20\n/), "\(table)")
      let csv = try await gateway.selvedge("query", "boiler-1", "pump", "-o", "csv", "--field", "count").succeeded()
      #expect(csv.hasPrefix("TIME,DEVICE,PROPERTY,PIPELINE,COUNT\n"), "\(csv)")
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func whatCannotBeAskedIsRefusedByItsParameter() async throws {
    let cases: [(query: String, code: Int, words: String)] = [
      ("query?since=1h", 400, "is no parameter here"), ("query?start=yesterday", 400, "start: "),
      ("query?step=fast", 400, "step: "), ("query?step=0s", 400, "step: "), ("query?limit=0", 400, "limit: "),
      ("query?limit=20001", 400, "limit: "), ("query?limit=many", 400, "limit: "),
      ("query?start=1h&end=2h", 400, "start: must be before end"), ("query?step=1s", 400, "step: makes 360"),
      ("query?step=1m&field=p95", 400, "field: 'p95'"), ("query?continue=x", 400, "continue: 'x'"),
      ("query?step=1m&continue=r5", 400, "continue: 'r5'"), ("series?start=1h", 400, "is no parameter here"),
      ("series?limit=0", 400, "limit: "), ("query?end=now&start=-15m&step=1m", 200, "\"series\":[]"),
    ]
    try await withGateway { gateway in
      for (query, code, words) in cases {
        let response = try await gateway.http("GET", Self.base + query)
        #expect(response.status == code && response.body.contains(words), "\(query): \(response)")
        if code != 200 { #expect(try response.json()["kind"] == "Status") }
      }
      try await gateway.kubectl(
        "patch", "gateway", "gw-test", "--type", "merge", "-p", #"{"spec":{"localQuery":{"keep":"Nothing"}}}"#)
      try await eventually("nothing is kept", seen: { gateway.log }) {
        try await gateway.http("GET", Self.base + "query").status == 404
      }
      let refused = try await gateway.tryKubectl(
        "patch", "gateway", "gw-test", "--type", "merge", "-p", #"{"spec":{"localQuery":{"maxBytes":"12"}}}"#)
      #expect(refused.status != 0 && refused.errors.contains("spec.localQuery.maxBytes"), "\(refused)")
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func aViewerReadsAndOnlyAnAdminDrops() async throws {
    let quarantine = "/selvedge/v1/namespaces/default/sinks/cloud/quarantine"
    try await GuardedGateway.with { guarded in
      let sink = """
        {"apiVersion":"selvedge.dev/v1alpha1","kind":"Sink","metadata":{"name":"cloud"},"spec":{"file":{"path":"a.ndjson"}}}
        """
      _ = try await guarded.curl(
        "/apis/selvedge.dev/v1alpha1/namespaces/default/sinks", token: GuardedGateway.admin,
        ["-H", "Content-Type: application/json", "-d", sink])
      try await eventually("the Sink is served", seen: { guarded.gateway.log }) {
        try await guarded.curl(quarantine, token: GuardedGateway.admin).code == 200
      }
      for (path, method, stranger, viewer, admin) in [
        (Self.base + "query", "GET", 401, 200, 200), (Self.base + "series", "GET", 401, 200, 200),
        (quarantine, "GET", 401, 200, 200), (quarantine + "/retry", "POST", 401, 403, 200),
        (quarantine, "DELETE", 401, 403, 200), (quarantine + "/7", "DELETE", 401, 403, 404),
      ] {
        let codes = [
          try await guarded.curl(path, ["-X", method]).code,
          try await guarded.curl(path, token: GuardedGateway.viewer, ["-X", method]).code,
          try await guarded.curl(path, token: GuardedGateway.admin, ["-X", method]).code,
        ]
        #expect(codes == [stranger, viewer, admin], "\(method) \(path)")
      }
      let certificate = ["--cert", guarded.files("alice.pem"), "--key", guarded.files("alice.key")]
      #expect(
        try await guarded.curl(quarantine + "/retry", certificate + ["-X", "POST"]).code == 200, "an operator retries")
      #expect(try await guarded.curl(quarantine, certificate + ["-X", "DELETE"]).code == 403)
      try await eventually("the writes are on record", seen: { guarded.audit }) {
        let lines = guarded.audit.split(separator: "\n").filter { $0.contains("\"subresource\":\"quarantine\"") }
        return lines.contains { $0.contains("\"verb\":\"delete\"") && $0.contains("\"code\":200") }
          && lines.contains { $0.contains("\"verb\":\"create\"") && $0.contains("\"code\":403") }
      }
    }
  }
}
