internal import HTTPServing
internal import KubernetesClient
internal import TwinAggregation

/// The figures of the server of the cluster's twins as Prometheus text.
struct TwinsServerMetrics: Sendable {
  let twins: TwinAggregate
  let cluster: KubernetesClient
  let connections: ConnectionGauge

  func text() -> String {
    var text = MetricsText()
    let figures = twins.figures
    let outcomes = twins.outcomes
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: Double) {
      text.family(name, kind, help, [([], value)])
    }
    text.family(
      "selvedge_build_info", .gauge, "The running version.",
      [([("version", GatewayVersion.text), ("commit", BuildStamp.ofThisProgram?.commit ?? "unknown")], 1)])
    text.family(
      "selvedge_twins_gateways", .gauge, "Gateways of the cluster, by whether their twins are heard of.",
      [
        ([("state", "live")], Double(figures.live)), ([("state", "away")], Double(figures.away)),
        ([("state", "withoutAddress")], Double(figures.withoutAddress)),
        ([("state", "beyondBound")], Double(figures.beyondBound)),
      ])
    family("selvedge_twins_shown", .gauge, "Twins that are shown.", Double(figures.shown))
    family(
      "selvedge_twins_stale", .gauge, "Twins that are shown as they were last heard, their gateway being away.",
      Double(figures.stale))
    family("selvedge_twins_omitted", .gauge, "Twins that there is no room for.", Double(figures.omitted))
    family("selvedge_twins_bytes", .gauge, "What all twins take, as JSON text.", Double(figures.bytes))
    family(
      "selvedge_twins_refused_total", .counter, "News of twins that were not kept, since there was no room.",
      Double(figures.refused))
    family("selvedge_twins_watches", .gauge, "Watches of the twins.", Double(twins.watchers))
    text.family(
      "selvedge_twins_forwarded_total", .counter, "What was asked of gateways for clients, by what came of it.",
      TwinAggregate.Outcome.allCases.map { ([("outcome", $0.rawValue)], Double(outcomes[$0] ?? 0)) })
    family(
      "selvedge_cluster_reachable", .gauge, "1 while the API server answers, 0 while it is away.",
      cluster.figures.isReachable ? 1 : 0)
    family("selvedge_http_connections", .gauge, "Connections that are open.", Double(connections.open))
    return text.text
  }
}
