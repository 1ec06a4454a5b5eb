import Documents
import TestSupport
import Testing

/// /metrics before the programs that read it.
@Suite struct PrometheusTests {
  @Test(.timeLimit(.minutes(10)))
  func promtoolFindsNoFault() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      try await gateway.kubectl("apply", "-f", "-", input: BoilerServer.model + "\n---\n" + boiler.device())
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      let response = try await gateway.http("GET", "/metrics")
      #expect(response.status == 200)
      #expect(response.contentType == "text/plain; version=0.0.4; charset=utf-8")
      let check = try await run(["promtool", "check", "metrics"], input: response.body)
      #expect(check.status == 0 && check.errors.isEmpty, "\(check)")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func prometheusScrapesIt() async throws {
    try await withGateway { gateway in
      let folder = try ScratchFolder()
      let port = freePort()
      let settings = try folder.write(
        """
        global: {scrape_interval: 500ms, scrape_timeout: 500ms}
        scrape_configs:
        - job_name: selvedge
          static_configs: [{targets: ["127.0.0.1:\(gateway.port)"]}]
        """, to: "prometheus.yml")
      let prometheus = try ChildProcess(
        [
          "prometheus", "--config.file=\(settings)", "--web.listen-address=127.0.0.1:\(port)",
          "--storage.tsdb.path=\(folder("tsdb"))",
        ], in: folder)
      func query(_ expression: String) async throws -> Double? {
        let output = try await run([
          "curl", "-s", "-m", "5", "-G", "--data-urlencode", "query=\(expression)",
          "http://127.0.0.1:\(port)/api/v1/query",
        ]).output
        let answer = try? JSONValue(parsing: Array(output.utf8))
        let sample = answer?[path: "data", "result"]?.array?.first?["value"]?.array?.last
        return sample?.string.flatMap(Double.init)
      }
      try await eventually("three scrapes", seen: { prometheus.errors }) {
        try await query(#"count_over_time(up{job="selvedge"}[1m])"#) ?? 0 >= 3
      }
      #expect(try await query(#"min_over_time(up{job="selvedge"}[1m])"#) == 1)
      #expect(try await query(#"scrape_samples_scraped{job="selvedge"}"#) ?? 0 > 0)
      let targets = try await run(["curl", "-s", "-m", "5", "http://127.0.0.1:\(port)/api/v1/targets"]).output
      let target = try JSONValue(parsing: Array(targets.utf8))[path: "data", "activeTargets"]?.array?.first
      #expect(target?["health"]?.string == "up" && target?["lastError"]?.string == "", "\(targets)")
    }
  }
}
