internal import DeviceKit

/// Tumbling and hopping windows.
extension WindowStage {
  mutating func takeAligned(_ sample: WindowSample, _ slot: Int, _ mark: Int64, _ output: inout RecordRows) {
    let front = table.cells + 2 * slot
    var time = sample.time
    if front.pointee.closeAt == .min {
      guard !sample.isBad else { return }
      begin(slot, at: time)
    }
    if mark >= front.pointee.closeAt { advance(slot, to: mark, &output) }
    if time < closedUpTo(slot) {
      if isPoisoned(closedUpTo(slot), sample) {
        flushWindows(slot, &output)
        begin(slot, at: time)
      } else if isSetBack(sample) {
        time = closedUpTo(slot)
      } else if time >= closedUpTo(slot) - correctFor {
        return correct(sample, slot)
      } else {
        return drop(sample, "late")
      }
    }
    let start = panes.start(of: time, near: front.pointee.start)
    let cell: UnsafeMutablePointer<WindowCell>
    if front.pointee.kind != .closed, start == front.pointee.start {
      cell = front
    } else if front.pointee.kind == .closed || start > front.pointee.start {
      open(slot, at: start)
      schedule(slot, skew: sample.arrival - time)
      cell = front
    } else {
      cell = olderPane(slot, at: start)
    }
    add(sample, at: time, to: cell, isOpen: true)
  }

  /// Sets a series' time going at its first sample.
  mutating func begin(_ slot: Int, at time: Int64) {
    let limit = panes.start(of: time - lateness)
    table.cells[2 * slot].closeAt = limit + panes.pane + lateness
    series.cells[slot].frontier = panes.windowEnd(after: limit)
    series.cells[slot].hasBegun = false
  }

  /// All panes of the slot that end at or before this are closed.
  func closedUpTo(_ slot: Int) -> Int64 { table.cells[2 * slot].closeAt &- panes.pane &- lateness }

  /// Makes a new newest pane.
  private mutating func open(_ slot: Int, at start: Int64) {
    let (front, back) = (table.cells + 2 * slot, table.cells + 2 * slot + 1)
    if front.pointee.kind != .closed {
      if back.pointee.kind != .closed { _ = older.insert(back.pointee, of: slot) }
      back.pointee = front.pointee
    }
    let closeAt = front.pointee.closeAt
    front.pointee = WindowCell(start: start, part: parts.make())
    front.pointee.closeAt = closeAt
  }

  /// The pane that begins at `start`, before the newest one.
  private mutating func olderPane(_ slot: Int, at start: Int64) -> UnsafeMutablePointer<WindowCell> {
    let back = table.cells + 2 * slot + 1
    if back.pointee.kind != .closed {
      if back.pointee.start == start { return back }
      if start < back.pointee.start {
        let place = older.window(of: slot, start: start)
        return older.window(at: place ?? older.insert(WindowCell(start: start, part: parts.make()), of: slot))
      }
      _ = older.insert(back.pointee, of: slot)
    }
    back.pointee = WindowCell(start: start, part: parts.make())
    return back
  }

  /// Closes the slot's panes that are over when its time stands at `time`, and puts out the windows that end with them.
  mutating func advance(_ slot: Int, to time: Int64, _ output: inout RecordRows) {
    let (front, back) = (table.cells + 2 * slot, table.cells + 2 * slot + 1)
    let pane = panes.pane
    let isNext = UInt64(bitPattern: time &- front.pointee.closeAt) < UInt64(bitPattern: pane)
    // Mostly one boundary is crossed at a time, and no division is needed.
    let limit = isNext ? front.pointee.closeAt - lateness : panes.start(of: time - lateness)
    while let place = older.oldest(of: slot), older.window(at: place).pointee.start + pane <= limit {
      close(older.window(at: place).pointee, slot, &output)
      older.removeOldest(of: slot)
    }
    if back.pointee.kind != .closed, back.pointee.start + pane <= limit {
      close(back.pointee, slot, &output)
      back.pointee.kind = .closed
    }
    if front.pointee.kind != .closed, front.pointee.start + pane <= limit {
      close(front.pointee, slot, &output)
      front.pointee.kind = .closed
    }
    front.pointee.closeAt = max(front.pointee.closeAt, limit + pane + lateness)
    if !isDirect { emitWindows(slot, upTo: limit, &output) }
  }

  private mutating func close(_ cell: WindowCell, _ slot: Int, _ output: inout RecordRows) {
    countClosed(cell.count)
    if isDirect {
      emit(slot, cell, Course(), from: cell.start, to: cell.start + panes.pane, revision: 0, &output)
      parts.release(cell.part)
    } else {
      _ = kept.insert(cell, of: slot)
    }
  }

  /// Closes all that is open; windows that begin before the newest pane's end are put out with what they have.
  mutating func flushAligned(_ slot: Int, _ output: inout RecordRows) {
    let front = table.cells + 2 * slot
    guard front.pointee.closeAt != .min else { return }
    emitCorrections(slot, &output)
    var newest = front.pointee.kind == .closed ? Int64.min : front.pointee.start
    if !isDirect, let place = kept.newest(of: slot) { newest = max(newest, kept.window(at: place).pointee.start) }
    guard newest != .min else { return }
    let last = isDirect ? newest + panes.pane : panes.lastEnd(ofPaneAt: newest)
    if last + lateness >= front.pointee.closeAt { advance(slot, to: last + lateness, &output) }
    series.cells[slot].hasBegun = false
  }
}
