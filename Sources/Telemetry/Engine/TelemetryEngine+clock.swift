internal import DeviceKit
internal import Documents
internal import Logging

extension TelemetryEngine {
  /// Takes a step of the gateway's clock: pipelines go along, and what the clock showed is on disk before.
  func followClock() async {
    guard isEntryOpen, let history = clock.pendingHistory() else { return }
    await keep(history)
    guard isEntryOpen, !isShutDown, let step = clock.step() else { return }
    logger.notice(
      step.isFirst
        ? "the clock is set: what was taken since the machine's start has its time now"
        : "the clock was set by \(Duration.nanoseconds(step.by).seconds) s: windows of sources with a clock of their own stay as they are"
    )
    if runs.contains(where: \.isJournaled) { post(.clock(step)) }
    for lane in lanes.values { lane.stir() }
    for run in runs {
      var rows = RecordRows()
      run.core.clockStepped(by: step.by, at: step.from, into: &rows)
      // The lanes are all drained after the commit.
      var touched: [SinkLane] = []
      emit(&rows, of: run, &touched)
    }
  }

  /// Keeps what the gateway's clock has shown on disk. Without it, a start after a step that the disk did not take finds
  /// the step again.
  func keep(_ history: ClockHistory) async {
    do {
      try await checkpoints.save(history)
    } catch {
      logger.error("the clock's history: \(error.message)")
    }
  }

  /// Brings state that was kept at a moment to the clock as it goes now.
  func bringForward(_ run: PipelineRun, from mark: ClockMark, _ touched: inout [SinkLane]) {
    let (history, now) = (clock.history, clock.stamp)
    let step = history.shift(from: mark, to: now)
    if step != 0 {
      var rows = RecordRows()
      run.core.clockStepped(by: step, at: mark.stamp, into: &rows)
      emit(&rows, of: run, &touched)
    }
    if let time = history.setBackUntil(now) { run.core.windows?.wasSetBack(until: time, by: now - time) }
  }
}
