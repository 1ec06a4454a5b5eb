internal import DeviceKit

/// Aligned windows out of kept panes.
extension WindowStage {
  /// How many empty windows of a series are put out at once; of a longer silence, the newest.
  static let mostEmpty: Int64 = 1_000

  /// Puts out the windows that end at or before `limit`.
  mutating func emitWindows(_ slot: Int, upTo limit: Int64, _ output: inout RecordRows) {
    let state = series.cells + slot
    while state.pointee.frontier <= limit {
      let end = state.pointee.frontier
      let next = firstPane(slot, after: end - panes.size)
      if next >= end, aggregate.empty == .skip || !state.pointee.hasBegun {
        // Nothing until the window that the next pane falls into.
        state.pointee.frontier = panes.windowEnd(after: min(next, limit))
        continue
      }
      if min(next, limit) - end > Self.mostEmpty * panes.every {
        state.pointee.frontier = panes.windowEnd(after: min(next, limit) - Self.mostEmpty * panes.every)
        continue
      }
      emitWindow(slot, from: end - panes.size, to: end, revision: 0, &output)
      state.pointee.hasBegun = true
      state.pointee.frontier = end + panes.every
    }
    let needed = min(state.pointee.frontier, limit - correctFor) - panes.size
    // Corrections need the panes that they have in common with windows that are not corrected.
    if state.pointee.correctedFrom - panes.size < needed { emitCorrections(slot, &output) }
    trim(slot, before: needed)
  }

  /// The start of the oldest kept pane with a sample that ends after `time`; `Int64.max` where there is none.
  private func firstPane(_ slot: Int, after time: Int64) -> Int64 {
    var place = kept.oldest(of: slot)
    while let current = place {
      let cell = kept.window(at: current)
      if cell.pointee.count > 0, cell.pointee.start + panes.pane > time { return cell.pointee.start }
      place = kept.next(after: current)
    }
    return .max
  }

  /// Lets go of the panes that end at or before `time`.
  mutating func trim(_ slot: Int, before time: Int64) {
    while let place = kept.oldest(of: slot), kept.window(at: place).pointee.start + panes.pane <= time {
      let part = kept.window(at: place).pointee.part
      if needs.contains(.course) { carry(slot, past: parts.course(of: part)) }
      parts.release(part)
      kept.removeOldest(of: slot)
    }
  }

  /// Puts a window together from the kept panes and puts it out; `through` if it holds samples of its very end.
  mutating func emitWindow(
    _ slot: Int, from start: Int64, to end: Int64, through: Bool = false, revision: UInt32,
    _ output: inout RecordRows
  ) {
    let last = through ? end : end - 1
    var cell = WindowCell(start: start, part: scratch)
    if scratch >= 0 { parts.clear(scratch) }
    var course = Course()
    if needs.contains(.course) { course = carries.cells[slot].carried(to: start) }
    var place = kept.oldest(of: slot)
    while let current = place, kept.window(at: current).pointee.start <= last {
      let pane = kept.window(at: current)
      if pane.pointee.start >= start {
        cell.add(pane.pointee)
        if scratch >= 0 { parts.add(pane.pointee.part, to: scratch, owning: false) }
        if needs.contains(.course) { course.append(parts.course(of: pane.pointee.part, through: last)) }
      } else if needs.contains(.course) {
        course.append(parts.course(of: pane.pointee.part))
        course = course.carried(to: start)
      }
      place = kept.next(after: current)
    }
    course.hold(to: end)
    emit(slot, cell, course, from: start, to: end, revision: revision, &output)
  }

  /// Takes a late sample into a window that has closed.
  mutating func correct(_ sample: WindowSample, _ slot: Int) {
    let start = panes.start(of: sample.time)
    let place =
      kept.window(of: slot, start: start)
      ?? kept.insert(WindowCell(start: start, part: parts.make()), of: slot)
    kept.window(at: place).pointee.isCorrected = true
    add(sample, at: sample.time, to: kept.window(at: place), isOpen: false)
    let state = series.cells + slot
    if state.pointee.correctedFrom == .max { corrected.append(Int32(truncatingIfNeeded: slot)) }
    state.pointee.correctedFrom = min(state.pointee.correctedFrom, start)
  }

  /// Puts out again the windows of one slot that late samples have changed.
  mutating func emitCorrections(_ slot: Int, _ output: inout RecordRows) {
    let state = series.cells + slot
    guard state.pointee.correctedFrom != .max else { return }
    var end = panes.windowEnd(after: state.pointee.correctedFrom)
    while end < state.pointee.frontier {
      if isCorrected(slot, from: end - panes.size, to: end) {
        state.pointee.corrections += 1
        emitWindow(slot, from: end - panes.size, to: end, revision: state.pointee.corrections, &output)
        state.pointee.hasBegun = true
      }
      end += panes.every
    }
    for place in kept.all(of: slot) { kept.window(at: place).pointee.isCorrected = false }
    state.pointee.correctedFrom = .max
  }

  /// Whether a sample has come late for the window, or for what the window's course begins with.
  private func isCorrected(_ slot: Int, from start: Int64, to end: Int64) -> Bool {
    var place = kept.oldest(of: slot)
    var (found, before) = (false, false)
    var hasSamples = false
    while let current = place, kept.window(at: current).pointee.start < end {
      let pane = kept.window(at: current).pointee
      if pane.start >= start {
        found = found || pane.isCorrected
        hasSamples = hasSamples || pane.count > 0
      } else {
        before = pane.isCorrected
      }
      place = kept.next(after: current)
    }
    return found || (before && needs.contains(.course) && (hasSamples || aggregate.empty != .skip))
  }

  /// Adds a course to what later windows begin with.
  mutating func carry(_ slot: Int, past course: Course) {
    guard !course.isEmpty else { return }
    var carry = carries.cells[slot]
    carry.append(course)
    carries.cells[slot] = carry.carried(to: course.end)
  }
}
