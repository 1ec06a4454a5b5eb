internal import Telemetry

extension GatewayMetrics {
  /// What receivers refuse for good.
  func quarantineFamilies(_ text: inout MetricsText, _ sinks: [SinkStatus]) {
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (QuarantineStatus) -> Double) {
      text.family(name, kind, help, sinks.map { ([("sink", $0.key)], value($0.quarantine)) })
    }
    family("selvedge_quarantine_records", .gauge, "Records that are set aside now.") { Double($0.held) }
    family("selvedge_quarantine_bytes", .gauge, "Bytes of records that are set aside.") { Double($0.bytes) }
    var left: [(labels: [(String, String)], value: Double)] = []
    for sink in sinks {
      let counts = [sink.quarantine.delivered, sink.quarantine.dropped, sink.quarantine.displaced]
      for (how, count) in zip(["delivered", "dropped", "displaced"], counts) {
        left.append(([("sink", sink.key), ("how", how)], Double(count)))
      }
    }
    text.family("selvedge_quarantine_left_total", .counter, "Records that left the quarantine, by how.", left)
  }
}
