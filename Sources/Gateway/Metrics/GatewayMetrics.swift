internal import Controllers
internal import DeviceKit
internal import Documents
internal import HTTPServing
internal import KubernetesClient
internal import Telemetry
internal import TwinStore

/// The gateway's figures as Prometheus text.
struct GatewayMetrics: Sendable {
  let nodeName: String
  let board: ConnectionBoard
  let twins: TwinStore
  let telemetry: TelemetryEngine
  let protocols: [any ProtocolPlugin]
  let events: EventRecorder
  let audit: AuditFile
  let connections: ConnectionGauge
  let remoteWishes: RemoteWishController
  let ownership: DeviceOwnership?
  let cluster: ResourceHome.Cluster?

  func text() async -> String {
    var text = MetricsText()
    text.family(
      "selvedge_build_info", .gauge, "The running version.",
      [
        (
          [
            ("version", GatewayVersion.text), ("commit", BuildStamp.ofThisProgram?.commit ?? "unknown"),
            ("node", nodeName),
          ], 1
        )
      ])
    let (connected, disconnected) = board.counts
    text.family(
      "selvedge_devices", .gauge, "Devices served, by the state of their link.",
      [([("state", "connected")], Double(connected)), ([("state", "disconnected")], Double(disconnected))])
    twinFamilies(&text)
    text.family(
      "selvedge_protocol_dropped_total", .counter, "What devices sent and no good sample came of, by cause.",
      protocols.flatMap { plugin in
        plugin.drops.map { ([("protocol", plugin.name), ("cause", $0.cause)], Double($0.count)) }
      })
    protocolFamilies(&text)
    let recorded = await events.statistics
    text.family(
      "selvedge_events_recorded_total", .counter, "Kubernetes events stored: new ones and higher counts.",
      [([], Double(recorded.recorded))])
    text.family(
      "selvedge_events_dropped_total", .counter, "Kubernetes events not stored, by cause.",
      [([("cause", "rateLimit")], Double(recorded.limited)), ([("cause", "refused")], Double(recorded.failed))])
    accessFamilies(&text)
    remoteFamilies(&text)
    let status = await telemetry.status()
    pipelineFamilies(&text, status.pipelines)
    sinkFamilies(&text, status.sinks)
    quarantineFamilies(&text, status.sinks)
    durabilityFamilies(&text, status)
    historianFamilies(&text, status.historian)
    if let ownership { ownershipFamilies(&text, ownership.statistics) }
    if let cluster { clusterFamilies(&text, cluster.backend.figures, await cluster.status.figures) }
    return text.text
  }

  private func protocolFamilies(_ text: inout MetricsText) {
    for plugin in protocols {
      let counters = plugin.counters
      var told: Set<String> = []
      for counter in counters where told.insert(counter.name).inserted {
        text.family(
          "selvedge_\(plugin.name)_\(counter.name)_total", .counter, counter.help,
          counters.filter { $0.name == counter.name }.map { series in
            (series.label.map { [($0.name, $0.value)] } ?? [], Double(series.count))
          })
      }
    }
  }

  private func twinFamilies(_ text: inout MetricsText) {
    let statistics = twins.statistics
    text.family(
      "selvedge_twin_samples_total", .counter, "Samples offered to the twins.", [([], Double(statistics.samples))])
    text.family(
      "selvedge_twin_samples_dropped_total", .counter, "Samples that no twin took, by cause.",
      [([("cause", "unknownPoint")], Double(statistics.unknownPoint))])
    text.family(
      "selvedge_twin_changes_total", .counter, "Samples that changed a value or a quality.",
      [([], Double(statistics.changes))])
    text.family(
      "selvedge_twin_rows_written_total", .counter, "Rows written to the twins' file.",
      [
        ([("kind", "reported")], Double(statistics.reportedRowsWritten)),
        ([("kind", "desired")], Double(statistics.desiredRowsWritten)),
        ([("kind", "history")], Double(statistics.historyRowsWritten)),
      ])
    text.family(
      "selvedge_twin_history_dropped_total", .counter, "Changes that are not in the twins' history, by cause.",
      [
        ([("cause", "tooMany")], Double(statistics.historySkipped)),
        ([("cause", "notStored")], Double(statistics.historyDropped)),
      ])
    text.family(
      "selvedge_twin_commits_total", .counter, "Commits to the twins' file, by outcome.",
      [
        ([("outcome", "done")], Double(statistics.commits)),
        ([("outcome", "failed")], Double(statistics.failedCommits)),
      ])
  }

  private func remoteFamilies(_ text: inout MetricsText) {
    let statistics = remoteWishes.statistics
    text.family(
      "selvedge_remote_wishes_total", .counter, "Messages of the cloud that wish values, by what came of them.",
      [
        ([("outcome", "taken")], Double(statistics.taken)), ([("outcome", "repeated")], Double(statistics.repeated)),
        ([("outcome", "refused")], Double(statistics.refused)),
      ])
    text.family(
      "selvedge_remote_results_dropped_total", .counter,
      "Answers to the cloud that were let go because too many waited for its broker.",
      [([], Double(statistics.resultsDropped))])
  }

  private func accessFamilies(_ text: inout MetricsText) {
    text.family(
      "selvedge_http_connections", .gauge, "Connections to the API and the health address that are open.",
      [([], Double(connections.open))])
    text.family(
      "selvedge_http_connections_cut_total", .counter, "Connections turned away or cut, by cause.",
      connections.cuts.map { ([("cause", $0.cause.rawValue)], Double($0.count)) })
    text.family(
      "selvedge_audit_lines_total", .counter, "Lines written to the audit log.", [([], Double(audit.written))])
    text.family(
      "selvedge_audit_lost_total", .counter, "Lines that the audit log lost, by cause.",
      audit.losses.map { ([("cause", $0.cause.rawValue)], Double($0.count)) })
  }

  private func pipelineFamilies(_ text: inout MetricsText, _ pipelines: [PipelineStatus]) {
    typealias Samples = [(labels: [(String, String)], value: Double)]
    var input: Samples = []
    var output: Samples = []
    var held: Samples = []
    var made: Samples = []
    var dropped: Samples = []
    for pipeline in pipelines {
      for (index, stage) in pipeline.stages.enumerated() {
        let labels = [("pipeline", pipeline.key), ("stage", "\(index)-\(stage.name)")]
        input.append((labels, Double(stage.counters.input)))
        output.append((labels, Double(stage.counters.output)))
        held.append((labels, Double(stage.counters.held)))
        if stage.counters.made > 0 { made.append((labels, Double(stage.counters.made))) }
        for (cause, count) in stage.counters.dropped.sorted(by: { $0.key < $1.key }) {
          dropped.append((labels + [("cause", cause)], Double(count)))
        }
      }
    }
    text.family("selvedge_stage_in_total", .counter, "Samples that entered a stage.", input)
    text.family("selvedge_stage_out_total", .counter, "Samples that left a stage.", output)
    text.family("selvedge_stage_held", .gauge, "Samples in open windows, or kept back.", held)
    text.family(
      "selvedge_stage_made_total", .counter, "Samples that a stage added to those that entered it.", made)
    text.family("selvedge_stage_dropped_total", .counter, "Samples that a stage dropped, by cause.", dropped)
    text.family(
      "selvedge_pipeline_records_total", .counter, "Records put out.",
      pipelines.map { ([("pipeline", $0.key)], Double($0.records)) })
    text.family(
      "selvedge_pipeline_forgotten_states_total", .counter,
      "States of stages saved by another version, not taken back.",
      pipelines.map { ([("pipeline", $0.key)], Double($0.forgottenStates)) })
    text.family(
      "selvedge_window_misplaced_total", .counter,
      "Readings so far out of order that functions of a value's course leave them out.",
      pipelines.map { ([("pipeline", $0.key)], Double($0.misplaced)) })
    text.family(
      "selvedge_pipeline_open_windows", .gauge, "Windows that are open.",
      pipelines.map { ([("pipeline", $0.key)], Double($0.openWindows)) })
  }

  private func durabilityFamilies(_ text: inout MetricsText, _ status: TelemetryStatus) {
    let journal = status.journal
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: Double) {
      text.family(name, kind, help, [([], value)])
    }
    family("selvedge_journal_bytes", .gauge, "Bytes of the journal on disk.", Double(journal.storedBytes))
    family(
      "selvedge_journal_written_bytes_total", .counter, "Bytes written to the journal.", Double(journal.writtenBytes))
    family("selvedge_journal_commits_total", .counter, "Group commits of the journal.", Double(journal.commits))
    family("selvedge_journal_failing", .gauge, "1 while the disk takes no journal.", journal.error == nil ? 0 : 1)
    family("selvedge_checkpoints_total", .counter, "Checkpoints kept.", Double(journal.checkpoints))
    family(
      "selvedge_checkpoint_written_bytes_total", .counter, "Bytes written for checkpoints.",
      Double(journal.checkpointBytes))
    family(
      "selvedge_checkpoint_failing", .gauge, "1 while no checkpoint can be kept.",
      journal.checkpointError == nil ? 0 : 1)
    family(
      "selvedge_samples_after_shutdown_total", .counter, "Samples that came after the pipelines had stopped.",
      Double(status.samplesAfterShutdown))
  }

  private func sinkFamilies(_ text: inout MetricsText, _ sinks: [SinkStatus]) {
    func family(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (SinkStatus) -> Double) {
      text.family(name, kind, help, sinks.map { ([("sink", $0.key)], value($0)) })
    }
    family("selvedge_sink_recovered_total", .counter, "Records that waited on disk at the start.") {
      Double($0.spool.recovered)
    }
    family("selvedge_sink_offered_total", .counter, "Records that pipelines handed over.") { Double($0.spool.offered) }
    family("selvedge_sink_delivered_total", .counter, "Records that the receiver acknowledged.") {
      Double($0.spool.delivered)
    }
    family("selvedge_sink_quarantined_total", .counter, "Records that the receiver refused; set aside.") {
      Double($0.spool.quarantined)
    }
    family("selvedge_sink_corrupt_total", .counter, "Records lost to damage on disk.") { Double($0.spool.corrupt) }
    family("selvedge_sink_held", .gauge, "Records that wait.") { Double($0.spool.held) }
    family("selvedge_sink_spool_bytes", .gauge, "Bytes of the sink's spool.") { Double($0.spoolBytes) }
    family("selvedge_sink_lag_seconds", .gauge, "How long the oldest waiting record has waited.") {
      $0.lag?.seconds ?? 0
    }
    text.family(
      "selvedge_sink_dropped_total", .counter, "Records dropped, by cause.",
      sinks.flatMap { sink in
        sink.spool.dropped.sorted { $0.key < $1.key }.map {
          ([("sink", sink.key), ("cause", $0.key)], Double($0.value))
        }
      })
  }
}
