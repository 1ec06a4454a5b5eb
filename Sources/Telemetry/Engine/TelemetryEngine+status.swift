extension TelemetryEngine {
  /// How all pipelines and sinks are doing.
  public func status() async -> TelemetryStatus {
    var pipelines: [PipelineStatus] = runs.map { run in
      let core = run.core
      var stages = [PipelineStatus.Stage(name: "select", counters: core.selected)]
      stages += core.stages.map { PipelineStatus.Stage(name: $0.name, counters: $0.counters) }
      if let counters = core.windows?.counters {
        stages.append(PipelineStatus.Stage(name: "aggregate", counters: counters))
      }
      let missing = run.specification.sinks.map { PipelineRun.sinkKey($0, for: run.key) }
        .filter { sinkDefinitions[$0] == nil }
      return PipelineStatus(
        key: run.key, problem: problems[run.key], isRunning: true, missingSinks: missing, series: core.slots.count,
        openWindows: core.windows?.openWindows ?? 0, misplaced: core.windows?.misplaced ?? 0, records: run.records,
        stages: stages,
        forgottenStates: core.forgottenStates)
    }
    for (key, problem) in problems where !runs.contains(where: { $0.key == key }) {
      pipelines.append(
        PipelineStatus(
          key: key, problem: problem, isRunning: false, missingSinks: [], series: 0, openWindows: 0, misplaced: 0,
          records: 0,
          stages: [], forgottenStates: 0))
    }
    pipelines.sort { $0.key < $1.key }
    let untaken = untaken
    var sinks: [SinkStatus] = []
    for (_, lane) in lanes.sorted(by: { $0.key < $1.key }) { sinks.append(await lane.status()) }
    return TelemetryStatus(
      pipelines: pipelines, sinks: sinks, samplesAfterShutdown: untaken,
      alarmsLost: alarmsLost + runs.reduce(0) { $0 + $1.core.alarmsLost },
      journal: journalStatus(await checkpoints.writtenBytes), historian: await historian.status())
  }

  private func journalStatus(_ checkpointBytes: UInt64) -> JournalStatus {
    let (written, commits) = journal.totals
    return JournalStatus(
      storedBytes: journal.storedBytes, writtenBytes: written, commits: commits,
      damagedBytes: durability.damagedBytes, error: durability.journalError,
      checkpoints: durability.checkpointCount, checkpointBytes: checkpointBytes,
      checkpointError: durability.checkpointError)
  }
}
