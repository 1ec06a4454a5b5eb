internal import DeviceKit

extension WindowStage {
  /// Closes what the gateway's clock says is over for series that have fallen silent. A series' own time is taken to go
  /// on with the gateway's from the sample that opened its newest window, so that a source whose clock is wrong keeps
  /// its windows whole.
  package func advance(to now: Int64, into output: inout RecordRows) {
    guard now >= earliestDue else { return }
    earliestDue = .max
    for slot in 0..<table.count where table.cells[slot].kind != .closed {
      let estimate = now - table[slot].skew - Self.grace
      if estimate >= table[slot].closeAt { advance(slot, to: estimate, &output) }
      if table[slot].kind != .closed {
        earliestDue = min(earliestDue, table[slot].closeAt + table[slot].skew + Self.grace)
      }
    }
  }

  /// Closes all open windows of all series.
  package func flush(into output: inout RecordRows) {
    for slot in 0..<table.count { flush(slot: slot, into: &output) }
    earliestDue = .max
  }

  /// Closes all open windows of one series; what comes later for them is late.
  package func flush(slot: Int, into output: inout RecordRows) {
    guard table[slot].kind != .closed else { return }
    advance(slot, to: table[slot].start + size + lateness, &output)
  }

  /// How many windows are open.
  package var openWindows: Int {
    var count = 0
    for slot in 0..<table.count where table.cells[slot].kind != .closed { count += 1 + pending.all(of: slot).count }
    return count
  }

  /// All windows of the slot that end at or before this are closed.
  func closedUpTo(_ slot: Int) -> Int64 { table[slot].closeAt - size - lateness }

  /// `closeAt` of a series whose first sample has this time.
  func firstClose(after time: Int64) -> Int64 { Self.floor(time - lateness, size) + size + lateness }

  /// Closes the slot's windows that are over when its source time stands at `time`.
  func advance(_ slot: Int, to time: Int64, _ output: inout RecordRows) {
    let limit = Self.floor(time - lateness, size)
    while let place = pending.oldest(of: slot), pending[place].cell.start + size <= limit {
      emit(slot, pending[place].cell, pending[place].edge, &output)
      pending.removeOldest(of: slot)
    }
    if table[slot].kind != .closed, table[slot].start + size <= limit {
      emit(slot, table[slot], keepsEdges ? edges[slot] : EdgeCell(), &output)
      table[slot].kind = .closed
    }
    table[slot].closeAt = max(table[slot].closeAt, limit + size + lateness)
  }

  /// Moves the slot's newest window to the pending ones.
  func setAside(_ slot: Int) {
    let place = pending.window(of: slot, start: table[slot].start)
    pending[place].cell = table[slot]
    if keepsEdges { pending[place].edge = edges[slot] }
    table[slot].kind = .closed
  }

  private func emit(_ slot: Int, _ cell: WindowCell, _ edge: EdgeCell, _ output: inout RecordRows) {
    countClosed(cell.count)
    output.append(
      RecordRows.Row(
        slot: Int32(truncatingIfNeeded: slot), time: cell.start + size, windowStart: cell.start,
        quality: Quality(rawValue: cell.quality) ?? .uncertain))
    for function in functions {
      switch function {
      case .first: emit(edge.firstKind, edge.first, &output)
      case .last: emit(edge.lastKind, edge.last, &output)
      default:
        let (kind, payload) = cell.result(of: function)
        output.appendField(kind, payload)
      }
    }
    // Of a stage that asks for one edge only, the other must leave the shelf too.
    if edge.firstKind == .side { _ = shelf.take(edge.first) }
    if edge.lastKind == .side { _ = shelf.take(edge.last) }
  }

  private func emit(_ kind: SampleKind, _ payload: UInt64, _ output: inout RecordRows) {
    if kind == .side, let value = shelf.value(at: payload) {
      output.appendField(side: value)
    } else {
      output.appendField(kind, payload)
    }
  }
}
