internal import DeviceKit
internal import Documents

extension WindowStage {
  /// Puts out corrections, and closes what the gateway's clock says is over for series that have fallen silent. A
  /// series' own time is taken to go on with the gateway's from the sample that opened its newest window, so that a
  /// source whose clock is wrong keeps its windows whole.
  package mutating func advance(to now: Int64, into output: inout RecordRows) {
    for slot in corrected { emitCorrections(Int(slot), &output) }
    corrected.removeAll(keepingCapacity: true)
    guard now >= earliestDue else { return }
    earliestDue = .max
    for slot in 0..<series.count where waitsForTime(slot) {
      let skew = series.cells[slot].skew + Self.grace
      if now - skew >= table.cells[2 * slot].closeAt {
        switch aggregate.window {
        case .session(let gap, let max):
          closeSessions(
            slot, at: now - skew, gap: gap.nanoseconds, max: max?.nanoseconds ?? .max / 4, &output)
        default: advance(slot, to: now - skew, &output)
        }
        let reached = table.cells[2 * slot].closeAt - lateness
        groups?.rest(of: slot, before: reached)
      }
      if waitsForTime(slot) { earliestDue = min(earliestDue, table.cells[2 * slot].closeAt + skew) }
    }
  }

  /// Whether ``advance(to:into:)`` has something to look at.
  package func isDue(at now: Int64) -> Bool { now >= earliestDue || !corrected.isEmpty }

  /// Whether a crash may cost more than a checkpoint a minute does: windows may be longer than that.
  package var isLong: Bool {
    switch aggregate.window {
    case .tumbling(let size), .hopping(let size, _), .sliding(let size): size > .seconds(60)
    case .session, .count, .state: true
    }
  }

  /// Forgets the slot's windows that end at or before `time`: they were put out before a crash, and the state that was
  /// taken back is older. What comes later for them is late.
  package mutating func discard(slot: Int, endingBy time: Int64) {
    var known = RecordRows()
    switch aggregate.window {
    case .tumbling, .hopping:
      if table.cells[2 * slot].closeAt == .min { begin(slot, at: time + lateness) }
      advance(slot, to: time + lateness, &known)
    case .sliding: break
    case .session, .count, .state:
      while let place = kept.oldest(of: slot), kept.window(at: place).pointee.start < time {
        closeOldest(slot, &known)
        values[slot] = nil
      }
      series.cells[slot].frontier = max(series.cells[slot].frontier, time)
    }
  }

  /// Whether time alone closes something of the slot.
  private func waitsForTime(_ slot: Int) -> Bool {
    switch aggregate.window {
    case .tumbling, .hopping:
      if table.cells[2 * slot].kind != .closed { return true }
      guard !isDirect, table.cells[2 * slot].closeAt != .min else { return false }
      if aggregate.empty != .skip { return series.cells[slot].hasBegun }
      guard let newest = kept.newest(of: slot) else { return false }
      return panes.lastEnd(ofPaneAt: kept.window(at: newest).pointee.start) >= series.cells[slot].frontier
    case .session: return kept.oldest(of: slot) != nil
    case .sliding, .count, .state: return false
    }
  }

  /// Takes note that the gateway's clock has been set, by so many nanoseconds ahead or (below zero) back, when it stood
  /// at `time`. Windows of sources with a clock of their own go on as they are. Of those that go by the gateway's, set
  /// ahead over the end of all that is open puts that out, and there are no windows in the span that was skipped; what
  /// the gateway stamps after it was set back goes into the oldest window that is still open, until its clock is again
  /// where it was.
  package mutating func clockJumped(by jump: Int64, at time: Int64, into output: inout RecordRows) {
    if jump < 0 { wasSetBack(until: time, by: jump) }
    earliestDue = .max
    for slot in 0..<series.count {
      if series.cells[slot].skew != 0 {
        series.cells[slot].skew += jump
      } else if jump > 0 {
        skip(slot, to: time + jump, &output)
      }
      guard waitsForTime(slot) else { continue }
      earliestDue = min(earliestDue, table.cells[2 * slot].closeAt + series.cells[slot].skew + Self.grace)
    }
  }

  /// Says that the gateway's clock was set back by so much (below zero) and will again be at `time`. Further than
  /// ``farthestAhead`` the times before it were wrong, and their windows are not gone on with.
  package mutating func wasSetBack(until time: Int64, by jump: Int64) {
    if jump >= -Self.farthestAhead { setBackUntil = max(setBackUntil, time) }
  }

  /// Puts out an aligned window's slot whose windows are all over by `time`.
  private mutating func skip(_ slot: Int, to time: Int64, _ output: inout RecordRows) {
    let front = table.cells + 2 * slot
    guard aggregate.window.isAligned, front.pointee.closeAt != .min else { return }
    var newest = front.pointee.kind == .closed ? Int64.min : front.pointee.start
    if !isDirect, let place = kept.newest(of: slot) { newest = max(newest, kept.window(at: place).pointee.start) }
    if newest == .min {
      series.cells[slot].hasBegun = false
    } else if (isDirect ? newest + panes.pane : panes.lastEnd(ofPaneAt: newest)) + lateness + Self.grace <= time {
      flushAligned(slot, &output)
    }
  }

  /// Closes all open windows of all series.
  package mutating func flush(into output: inout RecordRows) {
    for slot in 0..<series.count { flushWindows(slot, &output) }
    earliestDue = .max
  }

  /// Closes all open windows of one series, or lets it leave its group, whose windows close with its last series. What
  /// comes later for them is late.
  package mutating func flush(slot: Int, into output: inout RecordRows) {
    guard groups != nil else { return flushWindows(slot, &output) }
    if let left = groups?.leave(slot) { flushWindows(left, &output) }
  }

  mutating func flushWindows(_ slot: Int, _ output: inout RecordRows) {
    switch aggregate.window {
    case .tumbling, .hopping: flushAligned(slot, &output)
    case .sliding: trim(slot, before: .max)
    case .session, .count, .state:
      while kept.oldest(of: slot) != nil {
        closeOldest(slot, at: endOfState(slot), &output)
      }
      values[slot] = nil
    }
    if !aggregate.window.isAligned { series.cells[slot].newest = .min }
  }

  /// A state that nothing has followed lasts until its newest sample.
  private func endOfState(_ slot: Int) -> Int64? {
    if case .state = aggregate.window { series.cells[slot].newest } else { nil }
  }

  /// How many strings and objects windows keep as their first or last.
  package var heldTexts: Int { parts.shelf.count }

  /// How many windows are open; of aligned ones, panes.
  package var openWindows: Int {
    var count = 0
    for slot in 0..<series.count {
      if aggregate.window.isAligned {
        for cell in [table.cells + 2 * slot, table.cells + 2 * slot + 1] where cell.pointee.kind != .closed {
          count += 1
        }
        count += older.all(of: slot).count
      } else {
        count += kept.all(of: slot).count
      }
    }
    return count
  }
}
