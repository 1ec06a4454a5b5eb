internal import DeviceKit
internal import Documents

/// Lets at most one sample of a series pass per interval of source time. The first passes; so does one whose time lies
/// an interval or more *before* the last one that passed: a clock that was set back does not silence a series.
final class ThrottleStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    var passedAt: Int64 = 0
    var isSeen = false
  }

  let name = "throttle"
  private(set) var counters = StageCounters()
  private var table = SlotTable(initial: Cell())
  private let every: UInt64

  init(_ throttle: PipelineSpecification.Throttle) { every = throttle.every.nanoseconds.magnitude }

  func grow(to count: Int) { table.grow(to: count) }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    let cells = table.cells
    var kept = 0
    for index in 0..<offered {
      let (row, slot) = (rows[index], slots[index])
      let cell = cells + Int(slot)
      let time = columns.sourceTimes[Int(row)]
      guard !cell.pointee.isSeen || (time &- cell.pointee.passedAt).magnitude >= every else { continue }
      cell.pointee = Cell(passedAt: time, isSeen: true)
      rows[kept] = row
      slots[kept] = slot
      kept += 1
    }
    selection.count = kept
    counters.input += UInt64(offered)
    counters.output += UInt64(kept)
    counters.drop(offered - kept, "throttled")
  }

  func moveTimes(of slot: Int, by nanoseconds: Int64) { table[slot].passedAt &+= nanoseconds }

  func save(slot: Int, to output: inout ByteWriter) {
    if table[slot].isSeen { output.fixed(table[slot].passedAt) }
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    table[slot] = Cell(passedAt: try input.fixed(), isSeen: true)
  }
}
