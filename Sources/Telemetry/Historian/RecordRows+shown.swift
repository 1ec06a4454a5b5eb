internal import DeviceKit
internal import Documents

extension RecordRows {
  /// The rows with the times that people are shown in place of stamps of a clock that is not set.
  func shown(by clock: GatewayClock) -> RecordRows {
    guard rows.contains(where: { ClockHistory.unset.contains($0.time) }) else { return self }
    var shown = self
    for index in shown.rows.indices where ClockHistory.unset.contains(shown.rows[index].time) {
      let row = shown.rows[index]
      let time = clock.shown(row.time).nanoseconds
      if row.windowStart != .min { shown.rows[index].windowStart = time - (row.time - row.windowStart) }
      shown.rows[index].time = time
    }
    return shown
  }
}
