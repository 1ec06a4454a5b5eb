internal import DeviceKit

extension WindowStage {
  /// The layout of what ``save(slot:to:)`` writes. State of another version is forgotten, not read.
  package static let stateVersion: UInt8 = 2

  /// Appends the slot's time, open windows and kept panes, oldest first; nothing for a slot without a sample.
  package func save(slot: Int, to output: inout ByteWriter) {
    let state = series.cells[slot]
    let pairs = [table.cells[2 * slot + 1], table.cells[2 * slot]]
    let kept = self.kept.all(of: slot)
    let hasCarry = needs.contains(.course) && !carries.cells[slot].isEmpty
    guard pairs[1].closeAt != .min || state.newest != .min || values[slot] != nil || !kept.isEmpty || hasCarry
    else { return }
    for time in [pairs[1].closeAt, state.skew, state.frontier, state.newest, state.correctedFrom] { output.fixed(time) }
    output.fixed(state.corrections)
    output.byte(state.hasBegun ? 1 : 0)
    output.value(values[slot])
    if needs.contains(.course) { carries.cells[slot].save(to: &output) }
    let open = pairs.filter { $0.kind != .closed }
    let older = self.older.all(of: slot)
    output.varint(UInt64(older.count + open.count))
    for place in older { save(self.older.window(at: place).pointee, to: &output) }
    for cell in open { save(cell, to: &output) }
    output.varint(UInt64(kept.count))
    for place in kept { save(self.kept.window(at: place).pointee, to: &output) }
  }

  private func save(_ cell: WindowCell, to output: inout ByteWriter) {
    output.fixed(cell.start)
    output.fixed(cell.sum)
    output.fixed(cell.compensation)
    output.fixed(cell.minimum)
    output.fixed(cell.maximum)
    output.fixed(cell.count)
    output.byte(cell.kind.rawValue)
    output.byte(cell.quality)
    output.byte(
      (cell.minimumIsUnsigned ? 1 : 0) | (cell.maximumIsUnsigned ? 2 : 0) | (cell.isCorrected ? 4 : 0))
    parts.save(cell.part, to: &output)
  }

  /// Takes back what ``save(slot:to:)`` wrote for a slot that has taken no sample.
  package mutating func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    guard !input.isAtEnd else { return }
    let closeAt: Int64 = try input.fixed()
    var state = SeriesWindows()
    state.skew = try input.fixed()
    state.frontier = try input.fixed()
    state.newest = try input.fixed()
    state.correctedFrom = try input.fixed()
    state.corrections = try input.fixed()
    state.hasBegun = try input.byte() == 1
    series.cells[slot] = state
    if state.correctedFrom != .max { corrected.append(Int32(truncatingIfNeeded: slot)) }
    values[slot] = try input.value()
    if needs.contains(.course) { carries.cells[slot] = try Course(from: &input) }
    let open = try input.count()
    for index in 0..<open {
      let cell = try restoreWindow(from: &input)
      count(restored: cell)
      switch open - index {
      case 1: table.cells[2 * slot] = cell
      case 2: table.cells[2 * slot + 1] = cell
      default: _ = older.insert(cell, of: slot)
      }
    }
    for _ in 0..<(try input.count()) {
      let cell = try restoreWindow(from: &input)
      if !aggregate.window.isAligned { count(restored: cell) }
      _ = kept.insert(cell, of: slot)
    }
    table.cells[2 * slot].closeAt = closeAt
    if closeAt != .min { earliestDue = min(earliestDue, closeAt + state.skew + Self.grace) }
  }

  /// Samples in an open window count as come in; those of a sliding window have been counted.
  private mutating func count(restored cell: WindowCell) {
    if case .sliding = aggregate.window { return }
    counters.held += UInt64(cell.count)
    counters.input += UInt64(cell.count)
  }

  private mutating func restoreWindow(from input: inout ByteReader) throws(DecodingFault) -> WindowCell {
    var cell = WindowCell()
    cell.start = try input.fixed()
    cell.sum = try input.double()
    cell.compensation = try input.double()
    cell.minimum = try input.fixed()
    cell.maximum = try input.fixed()
    cell.count = try input.fixed()
    guard let kind = WindowCell.Kind(rawValue: try input.byte()), kind != .closed else { throw DecodingFault() }
    cell.kind = kind
    cell.quality = try input.byte()
    let flags = try input.byte()
    (cell.minimumIsUnsigned, cell.maximumIsUnsigned) = (flags & 1 != 0, flags & 2 != 0)
    cell.isCorrected = flags & 4 != 0
    cell.part = try parts.restore(from: &input)
    return cell
  }
}
