internal import DeviceKit
internal import Documents

/// Keeps of each series the first of every so many samples, or the first in each aligned span of source time: one whose
/// span is another than that of the sample before it, later or, after a clock was set back, earlier.
final class SamplingStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    /// Samples since the last that passed, or the number of the span in which one has.
    var mark: Int64 = .min
  }

  let name = "sample"
  private(set) var counters = StageCounters()
  private var table = SlotTable(initial: Cell())
  private let sampling: PipelineSpecification.Sampling

  init(_ sampling: PipelineSpecification.Sampling) { self.sampling = sampling }

  func grow(to count: Int) { table.grow(to: count) }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    let cells = table.cells
    var kept = 0
    switch sampling {
    case .every(let count):
      for index in 0..<offered {
        let (row, slot) = (rows[index], slots[index])
        let mark = cells[Int(slot)].mark
        let passes = mark == .min || mark + 1 == Int64(count)
        cells[Int(slot)].mark = passes ? 0 : mark + 1
        rows[kept] = row
        slots[kept] = slot
        kept += passes ? 1 : 0
      }
    case .interval(let interval):
      let size = interval.nanoseconds
      for index in 0..<offered {
        let (row, slot) = (rows[index], slots[index])
        let time = columns.sourceTimes[Int(row)]
        let span = time / size - (time % size < 0 ? 1 : 0)
        let passes = cells[Int(slot)].mark != span
        cells[Int(slot)].mark = span
        rows[kept] = row
        slots[kept] = slot
        kept += passes ? 1 : 0
      }
    }
    selection.count = kept
    counters.input += UInt64(offered)
    counters.output += UInt64(kept)
    counters.drop(offered - kept, "sampledOut")
  }

  func save(slot: Int, to output: inout ByteWriter) {
    if table[slot].mark != .min { output.fixed(table[slot].mark) }
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    table[slot] = Cell(mark: try input.fixed())
  }
}
