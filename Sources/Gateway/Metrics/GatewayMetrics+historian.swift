internal import Documents
internal import Telemetry

extension GatewayMetrics {
  /// What is kept for local queries.
  func historianFamilies(_ text: inout MetricsText, _ status: HistorianStatus) {
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: Double) {
      text.family(name, kind, help, [([], value)])
    }
    family("selvedge_history_bytes", .gauge, "Bytes of telemetry kept for local queries.", Double(status.bytes))
    family("selvedge_history_records", .gauge, "Records kept for local queries.", Double(status.held))
    family(
      "selvedge_history_recovered_total", .counter, "Records that were kept at the start.", Double(status.recovered))
    family("selvedge_history_offered_total", .counter, "Records of pipelines that are kept.", Double(status.offered))
    let causes = Set(["age", "size", "busy", "diskError", "keepsNothing"]).union(status.dropped.keys)
    text.family(
      "selvedge_history_dropped_total", .counter, "Records no longer kept, or never, by cause.",
      causes.sorted().map { ([("cause", $0)], Double(status.dropped[$0] ?? 0)) })
    family(
      "selvedge_history_failing", .gauge, "1 while nothing can be written for local queries.",
      status.error == nil ? 0 : 1)
    text.family(
      "selvedge_history_queries_total", .counter, "Local queries, by outcome.",
      [
        ([("outcome", "answered")], Double(status.queries.answered)),
        ([("outcome", "refused")], Double(status.queries.refused)),
      ])
    family(
      "selvedge_history_read_bytes_total", .counter, "Bytes read for local queries.", Double(status.queries.readBytes))
  }
}
