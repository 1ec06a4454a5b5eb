internal import DeviceKit

/// Drops numbers outside of bounds, or puts the nearest bound in their place. What is no number passes, and so does any
/// number of a series without bounds.
final class RangeStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    var low = -Double.infinity
    var high = Double.infinity
  }

  let name = "range"
  private(set) var counters = StageCounters()
  private var table = SlotTable(initial: Cell())
  private let range: PipelineSpecification.Range

  init(_ range: PipelineSpecification.Range) { self.range = range }

  func grow(to count: Int) { table.grow(to: count) }

  func describe(slot: Int, _ details: inout SeriesDetails) {
    let low = range.minimum ?? details.range?.lowerBound ?? -.infinity
    let high = range.maximum ?? details.range?.upperBound ?? .infinity
    table[slot] = Cell(low: low, high: max(low, high))
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    var outside = 0
    var kept = 0
    for index in 0..<offered {
      let (row, slot) = (rows[index], slots[index])
      let bounds = table.cells[Int(slot)]
      let number = columns.number(at: Int(row)) ?? 0
      let isBoolean = columns.kinds[Int(row)] == .boolean
      let isNumber = columns.kinds[Int(row)] != .none && columns.kinds[Int(row)] != .side && !isBoolean
      let isOutside = isNumber && (number < bounds.low || number > bounds.high)
      outside += isOutside ? 1 : 0
      guard range.outside == .drop else { continue }
      rows[kept] = row
      slots[kept] = slot
      kept += isOutside ? 0 : 1
    }
    counters.input += UInt64(offered)
    if range.outside == .drop {
      selection.count = kept
      counters.drop(outside, "outOfRange")
      counters.output += UInt64(kept)
    } else {
      counters.output += UInt64(offered)
      if outside > 0 { clamp(flow) }
    }
  }

  private func clamp(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    flow.rewrite { made in
      for index in 0..<selection.count {
        let (row, slot) = (Int(selection.rows[index]), selection.slots[index])
        let bounds = table.cells[Int(slot)]
        guard columns.kinds[row] != .boolean, let number = columns.number(at: row),
          number < bounds.low || number > bounds.high
        else {
          made.append(columns, row: row, slot: slot)
          continue
        }
        let bound = number < bounds.low ? bounds.low : bounds.high
        // An integer stays one where the bound is whole.
        let isWhole = columns.kinds[row] != .number && bound.magnitude < 0x1p63 && bound == bound.rounded()
        made.append(
          slot: slot, isWhole ? .integer(Int64(bound)) : .number(bound),
          quality: max(columns.qualities[row], .uncertain),
          sourceTime: columns.sourceTimes[row], gatewayTime: columns.gatewayTimes[row])
      }
    }
  }
}

private func max(_ left: Quality, _ right: Quality) -> Quality { left.rawValue < right.rawValue ? right : left }
