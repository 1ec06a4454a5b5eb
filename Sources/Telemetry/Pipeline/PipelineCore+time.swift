internal import DeviceKit

extension PipelineCore {
  /// Whether ``advance(to:into:)`` has something to do.
  package func isDue(at now: Int64) -> Bool {
    stages.contains { $0.dueAt <= now } || (windows?.isDue(at: now) ?? false)
  }

  /// Lets happen what falls due by the gateway's clock, in nanoseconds since 1970, without a sample.
  package func advance(to now: Int64, into output: inout RecordRows) {
    for (index, stage) in stages.enumerated() where stage.dueAt <= now {
      stage.advance(to: now, flow)
      run(from: index + 1, &output)
      flow.clear()
    }
    windows?.advance(to: now, into: &output)
  }

  /// Takes note that the gateway's clock has been set by so many nanoseconds (below zero: back) when it stood at `time`.
  /// What stages keep back is put out; windows of readings that the gateway has stamped end where the clock skips their
  /// end.
  package func clockStepped(by step: Int64, at time: Int64, into output: inout RecordRows) {
    settle(into: &output)
    for stage in stages { stage.clockStepped(by: step) }
    windows?.clockJumped(by: step, at: time, into: &output)
    moves.add(step, slots: slots.count)
  }

  /// Moves the times that stages from `first` on keep of the series that the flow brings.
  func moveTimes(before first: Int) {
    let (columns, selection) = (flow.columns, flow.selection)
    for index in 0..<selection.count {
      let (row, slot) = (Int(selection.rows[index]), Int(selection.slots[index]))
      guard let step = moves.take(slot), columns.sourceTimes[row] == columns.gatewayTimes[row] else { continue }
      for stage in stages[first...] {
        stage.grow(to: slots.count)
        stage.moveTimes(of: slot, by: step)
      }
    }
  }

  /// Puts out all that stages keep back, through the stages after them. Windows stay open: for a clean stop, after
  /// which the pipeline goes on from its saved state.
  package func settle(into output: inout RecordRows) { flushStages(slot: nil, &output) }

  /// Puts out all that stages and windows hold, for a pipeline that ends.
  package func flush(into output: inout RecordRows) {
    settle(into: &output)
    windows?.flush(into: &output)
  }

  /// Puts out all that stages and windows hold of one slot.
  func flush(slot: Int, into output: inout RecordRows) {
    flushStages(slot: slot, &output)
    windows?.flush(slot: slot, into: &output)
  }

  private func flushStages(slot: Int?, _ output: inout RecordRows) {
    for (index, stage) in stages.enumerated() {
      stage.grow(to: slots.count)
      stage.flush(slot: slot, flow)
      run(from: index + 1, &output)
      flow.clear()
    }
    windows?.grow(to: slots.count)
  }
}
