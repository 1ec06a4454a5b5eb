import TestSupport
import Testing

/// What the real gateway tells Prometheus of its cluster.
@Suite struct ClusterMetricsTests {
  @Test(.timeLimit(.minutes(4)))
  func itTellsWhatItAsksAndHowOldItsKnowledgeIs() async throws {
    try await PlantCluster.with { plant in
      let gateway = try await ClusterGateway(plant.cluster)
      func metrics() async throws -> String {
        try await run(["curl", "-s", "-m", "10", "http://127.0.0.1:\(gateway.port)/metrics"]).output
      }
      let wanted = [
        #"selvedge_cluster_requests_total{verb="watch",resource="devices",code="2xx"} 2"#,
        #"selvedge_cluster_requests_total{verb="create",resource="leases",code="2xx"}"#,
        #"selvedge_cluster_request_seconds_count{verb="watch",resource="devices"} 2"#,
        #"selvedge_cluster_retries_total{cause="tooManyRequests"} 0"#,
        #"selvedge_cluster_watches_ended_total{cause="expired"} 0"#,
        #"selvedge_cluster_limiter_wait_seconds_count"#, "selvedge_cluster_reachable 1",
        #"selvedge_status_writes_total{outcome="applied"} 1"#,
      ]
      var text = ""
      try await eventually("all of them", seen: { text + gateway.process.errors }) {
        text = try await metrics()
        return wanted.allSatisfy { text.contains("\n" + $0) }
      }
      let check = try await run(["promtool", "check", "metrics"], input: text)
      #expect(check.status == 0 && check.errors.isEmpty, "\(check)")
      #expect(text.contains(/selvedge_cluster_age_seconds [0-9.]+\n/))
      await plant.cluster.stop()
      try await eventually("it is away", seen: { text }) {
        text = try await metrics()
        return text.contains("\nselvedge_cluster_reachable 0\n")
          && text.contains(/selvedge_cluster_watches_ended_total\{cause="unreachable"\} [1-9]/)
      }
      try await gateway.stop()
    }
  }
}
