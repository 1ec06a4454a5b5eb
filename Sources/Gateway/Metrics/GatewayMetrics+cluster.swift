internal import Controllers
internal import KubernetesClient

extension GatewayMetrics {
  /// What this gateway asks of the cluster's API server.
  func clusterFamilies(_ text: inout MetricsText, _ client: ClientFigures, _ statuses: ApplyingStatusWriter.Figures) {
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: Double) {
      text.family(name, kind, help, [([], value)])
    }
    func byCause<Cause: CaseIterable & RawRepresentable<String> & Hashable>(
      _ name: String, _ help: String, _ counts: [Cause: UInt64]
    ) {
      text.family(
        name, .counter, help, Cause.allCases.map { ([("cause", $0.rawValue)], Double(counts[$0] ?? 0)) })
    }
    let calls = client.calls.sorted { $0.key < $1.key }
    text.family(
      "selvedge_cluster_requests_total", .counter,
      "Requests to the API server, by the class of their answer; none: there was no answer.",
      calls.flatMap { call, answers in
        answers.counts.sorted { $0.key < $1.key }.map {
          ([("verb", call.verb), ("resource", call.resource), ("code", $0.key)], Double($0.value))
        }
      })
    text.summary(
      "selvedge_cluster_request_seconds",
      "From the sending of a request to the end of its answer; of a watch, to the answer's head.",
      calls.map {
        ([("verb", $0.key.verb), ("resource", $0.key.resource)], $0.value.time / .seconds(1), $0.value.count)
      })
    byCause("selvedge_cluster_retries_total", "Requests that were sent once more, by cause.", client.retries)
    byCause(
      "selvedge_cluster_watches_ended_total", "Watches that were over and begun anew, by cause.", client.watchEnds)
    family(
      "selvedge_cluster_refused_total", .counter, "Requests not sent, since the API server was known to be away.",
      Double(client.refused))
    text.summary(
      "selvedge_cluster_limiter_wait_seconds", "How long requests waited for their turn, so as not to go out too fast.",
      [([], client.delay / .seconds(1), client.delayed)])
    family(
      "selvedge_cluster_reachable", .gauge, "1 while the API server answers, 0 while it is away.",
      client.isReachable ? 1 : 0)
    family(
      "selvedge_cluster_age_seconds", .gauge,
      "How old what is known of the cluster may be: since the API server was last heard.",
      client.silence / .seconds(1))
    text.family(
      "selvedge_status_writes_total", .counter, "Statuses of objects, by what became of them.",
      [
        ([("outcome", "applied")], Double(statuses.applied)), ([("outcome", "coalesced")], Double(statuses.coalesced)),
        ([("outcome", "failed")], Double(statuses.failed)), ([("outcome", "unchanged")], Double(statuses.unchanged)),
      ])
  }
}
