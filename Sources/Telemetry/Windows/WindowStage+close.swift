internal import DeviceKit

extension WindowStage {
  /// Closes what the gateway's clock says is over for series that have fallen silent. A series' own time is taken to go
  /// on with the gateway's from the sample that opened its newest window, so that a source whose clock is wrong keeps
  /// its windows whole.
  package mutating func advance(to now: Int64, into output: inout RecordRows) {
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

  /// Whether ``advance(to:into:)`` has something to look at.
  package func isDue(at now: Int64) -> Bool { now >= earliestDue }

  /// Forgets the slot's windows that end at or before `time`: they were put out before a crash, and the state that was
  /// taken back is older. What comes later for them is late.
  package mutating func discard(slot: Int, endingBy time: Int64) {
    while let place = pending.oldest(of: slot), pending[place].start + size <= time {
      countClosed(pending[place].count)
      pending.removeOldest(of: slot)
    }
    if table[slot].kind != .closed, table[slot].start + size <= time {
      countClosed(table[slot].count)
      table.cells[slot].kind = .closed
    }
    table.cells[slot].closeAt = max(table[slot].closeAt, Self.floor(time, size) + size + lateness)
  }

  /// Whether a crash may cost more than a checkpoint a minute does: the windows are longer than that.
  package var isLong: Bool { size > 60_000_000_000 }

  /// Closes all open windows of all series.
  package mutating func flush(into output: inout RecordRows) {
    for slot in 0..<table.count { flush(slot: slot, into: &output) }
    earliestDue = .max
  }

  /// Closes all open windows of one series; what comes later for them is late.
  package mutating func flush(slot: Int, into output: inout RecordRows) {
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
  mutating func advance(_ slot: Int, to time: Int64, _ output: inout RecordRows) {
    let cell = table.cells + slot
    let isNext = UInt64(bitPattern: time &- cell.pointee.closeAt) < UInt64(bitPattern: size)
    // Mostly one boundary is crossed at a time, and no division is needed.
    let limit = isNext ? cell.pointee.closeAt - lateness : Self.floor(time - lateness, size)
    while let place = pending.oldest(of: slot), pending.window(at: place).pointee.start + size <= limit {
      emit(slot, pending.window(at: place).pointee, keepsEdges ? pending.edges[Int(place)] : EdgeCell(), &output)
      pending.removeOldest(of: slot)
    }
    if cell.pointee.kind != .closed, cell.pointee.start + size <= limit {
      emit(slot, cell.pointee, keepsEdges ? edges[slot] : EdgeCell(), &output)
      cell.pointee.kind = .closed
    }
    cell.pointee.closeAt = max(cell.pointee.closeAt, limit + size + lateness)
  }

  /// Moves the slot's newest window to the pending ones.
  mutating func setAside(_ slot: Int) {
    let place = pending.window(of: slot, start: table[slot].start)
    pending.window(at: place).pointee = table[slot]
    if keepsEdges { pending.edges[Int(place)] = edges[slot] }
    table.cells[slot].kind = .closed
  }

  private mutating func emit(_ slot: Int, _ cell: WindowCell, _ edge: EdgeCell, _ output: inout RecordRows) {
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
