internal import DeviceKit

/// Windows that follow the samples and not a grid: sliding, session, count and state.
extension WindowStage {
  /// The start of the sliding window that ends at `time`: a pane's.
  private func slidingStart(_ time: Int64) -> Int64 { panes.start(of: time - panes.size) + panes.pane }

  mutating func takeSliding(_ sample: WindowSample, _ slot: Int, _ output: inout RecordRows) {
    let state = series.cells + slot
    var time = sample.time
    if time < state.pointee.newest, isPoisoned(state.pointee.newest, sample) { flushWindows(slot, &output) }
    if time < state.pointee.newest, isSetBack(sample) { time = state.pointee.newest }
    let start = panes.start(of: time)
    let isNewest = time >= state.pointee.newest
    if isNewest, !sample.isBad {
      state.pointee.newest = time
      trim(slot, before: slidingStart(time))
    } else if !isNewest, start < slidingStart(state.pointee.newest) {
      return drop(sample, "late")
    }
    var place: Int32
    if let newest = kept.newest(of: slot), kept.window(at: newest).pointee.start == start {
      place = newest
    } else {
      place =
        kept.window(of: slot, start: start)
        ?? kept.insert(WindowCell(start: start, part: parts.make()), of: slot)
    }
    add(sample, at: time, to: kept.window(at: place), isOpen: false)
    guard isNewest, !sample.isBad else { return }
    emitWindow(slot, from: slidingStart(time), to: time, through: true, revision: 0, &output)
  }

  mutating func takeCounted(_ sample: WindowSample, _ slot: Int, size: Int, _ output: inout RecordRows) {
    guard let place = current(slot, at: sample.time, isBad: sample.isBad) else { return }
    let cell = kept.window(at: place)
    add(sample, at: sample.time, to: cell, isOpen: true)
    if Int(cell.pointee.count) >= size { closeOldest(slot, &output) }
  }

  mutating func takeState(_ sample: WindowSample, _ slot: Int, hasCondition: Bool, _ output: inout RecordRows) {
    let state = series.cells + slot
    var time = sample.time
    if !sample.isBad {
      let (columns, row) = (sample.columns, sample.row)
      guard var value = columns.value(at: row) else { return }
      if hasCondition {
        let number = Numeral(kind: columns.kinds[row], payload: columns.payloads[row])
        guard !number.isAbsent else { return drop(sample, "notNumeric") }
        value = .boolean(plan.condition.holds(number.double, columns.qualities[row]))
      }
      if sample.time < state.pointee.newest, isPoisoned(state.pointee.newest, sample) {
        flushWindows(slot, &output)
        state.pointee.frontier = .min
      }
      if time < state.pointee.newest, isSetBack(sample) { time = state.pointee.newest }
      if value != values[slot] {
        // The frontier is later than the newest sample where windows were put out before a crash.
        guard time >= max(state.pointee.newest, state.pointee.frontier) else { return drop(sample, "late") }
        if kept.oldest(of: slot) != nil { closeOldest(slot, at: time, &output) }
        values[slot] = value
        state.pointee.frontier = time
      } else if time < state.pointee.frontier {
        return drop(sample, "late")
      }
      state.pointee.newest = max(state.pointee.newest, time)
    }
    guard let place = current(slot, at: time, isBad: sample.isBad) else { return }
    add(sample, at: time, to: kept.window(at: place), isOpen: true)
  }

  /// The slot's only window, which a sample makes where there is none; nil for one of Bad quality without a window.
  private mutating func current(_ slot: Int, at time: Int64, isBad: Bool) -> Int32? {
    if let place = kept.oldest(of: slot) { return place }
    return isBad ? nil : kept.insert(WindowCell(start: time, part: parts.make()), of: slot)
  }

  mutating func takeSession(
    _ sample: WindowSample, _ slot: Int, _ mark: Int64, gap: Int64, max: Int64, _ output: inout RecordRows
  ) {
    let state = series.cells + slot
    var time = sample.time
    if mark < state.pointee.newest, !sample.isBad, isPoisoned(state.pointee.newest, sample) {
      flushWindows(slot, &output)
      state.pointee.frontier = .min
    }
    if time < state.pointee.newest, isSetBack(sample) { time = state.pointee.newest }
    state.pointee.newest = Swift.max(state.pointee.newest, mark)
    closeSessions(slot, at: state.pointee.newest, gap: gap, max: max, &output)
    guard time > state.pointee.frontier, time + gap + lateness > state.pointee.newest else {
      return drop(sample, "late")
    }
    let (before, after) = neighbours(slot, of: time)
    let place: Int32
    if let before, time < edge(before).lastTime + gap, time - edge(before).firstTime < max {
      place = before
    } else if let after, edge(after).firstTime - time < gap, edge(after).lastTime - time < max {
      place = after
    } else if sample.isBad {
      return
    } else {
      place = kept.insert(WindowCell(start: time, part: parts.make()), of: slot)
    }
    add(sample, at: time, to: kept.window(at: place), isOpen: true)
    if !sample.isBad { kept.window(at: place).pointee.start = edge(place).firstTime }
    if place == before, let after, edge(after).firstTime - edge(place).lastTime < gap,
      edge(after).lastTime - edge(place).firstTime < max
    {
      let later = kept.window(at: after).pointee
      kept.window(at: place).pointee.add(later)
      parts.add(later.part, to: kept.window(at: place).pointee.part, owning: true)
      kept.remove(after, of: slot)
    }
    guard let oldest = kept.oldest(of: slot) else { return }
    let due = Swift.min(edge(oldest).lastTime + gap, edge(oldest).firstTime + max) + lateness
    table.cells[2 * slot].closeAt = due
    schedule(slot, skew: sample.arrival - time)
  }

  private func edge(_ place: Int32) -> EdgeCell { parts.edges.cells[Int(kept.window(at: place).pointee.part)] }

  /// The last session that begins at or before `time`, and the one after it.
  private func neighbours(_ slot: Int, of time: Int64) -> (Int32?, Int32?) {
    var before: Int32?
    var after = kept.oldest(of: slot)
    while let place = after, edge(place).firstTime <= time {
      before = place
      after = kept.next(after: place)
    }
    return (before, after)
  }

  mutating func closeSessions(_ slot: Int, at mark: Int64, gap: Int64, max: Int64, _ output: inout RecordRows) {
    while let place = kept.oldest(of: slot),
      Swift.min(edge(place).lastTime + gap, edge(place).firstTime + max) + lateness <= mark
    {
      series.cells[slot].frontier = edge(place).lastTime
      closeOldest(slot, &output)
    }
    guard let place = kept.oldest(of: slot) else { return }
    table.cells[2 * slot].closeAt =
      Swift.min(edge(place).lastTime + gap, edge(place).firstTime + max) + lateness
  }

  /// Puts the slot's oldest window out, which ends at `end` or with its last sample.
  mutating func closeOldest(_ slot: Int, at end: Int64? = nil, _ output: inout RecordRows) {
    guard let place = kept.oldest(of: slot) else { return }
    let cell = kept.window(at: place).pointee
    let edge = edge(place)
    let end = end ?? edge.lastTime
    countClosed(cell.count)
    var course = Course()
    if needs.contains(.course) {
      let own = parts.course(of: cell.part)
      if case .count = aggregate.window {
        course = carries.cells[slot].carried(to: edge.firstTime)
        carry(slot, past: own)
      }
      course.append(own)
      course.hold(to: end)
    }
    emit(slot, cell, course, from: edge.firstTime, to: end, revision: 0, &output)
    parts.release(cell.part)
    kept.removeOldest(of: slot)
  }
}
