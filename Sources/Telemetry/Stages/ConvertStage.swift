internal import DeviceKit
internal import SinkKit

/// Brings numbers into another unit, and says so in their series' description. Integers become doubles where the factor
/// is not 1. Series whose unit is not of the same kind, and values that are no numbers, pass as they are.
final class ConvertStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    var factor = 1.0
    var offset = 0.0
    var isConverted: Bool { factor != 1 || offset != 0 }
  }

  let name = "convert"
  private(set) var counters = StageCounters()
  private var table = SlotTable(initial: Cell())
  private let convert: PipelineSpecification.Convert

  init(_ convert: PipelineSpecification.Convert) { self.convert = convert }

  func grow(to count: Int) { table.grow(to: count) }

  func describe(slot: Int, _ details: inout SeriesDetails) {
    table[slot] = Cell()
    guard let source = convert.source ?? (try? Unit(details.description.unit)),
      let (factor, offset) = source.conversion(to: convert.unit)
    else { return }
    table[slot] = Cell(factor: factor, offset: offset)
    details.description.unit = convert.to
    details.range = details.range.map { ($0.lowerBound * factor + offset)...($0.upperBound * factor + offset) }
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    counters.input += UInt64(selection.count)
    counters.output += UInt64(selection.count)
    let slots = selection.slots
    guard (0..<selection.count).contains(where: { table.cells[Int(slots[$0])].isConverted }) else { return }
    var infinite = 0
    flow.rewrite { made in
      for index in 0..<selection.count {
        let (row, slot) = (Int(selection.rows[index]), slots[index])
        let cell = table.cells[Int(slot)]
        guard cell.isConverted, columns.kinds[row] != .boolean, let number = columns.number(at: row) else {
          made.append(columns, row: row, slot: slot)
          continue
        }
        let converted = number * cell.factor + cell.offset
        guard converted.isFinite else {
          infinite += 1
          continue
        }
        made.append(
          slot: slot, kind: .number, payload: converted.bitPattern, quality: columns.qualities[row],
          sourceTime: columns.sourceTimes[row], gatewayTime: columns.gatewayTimes[row])
      }
    }
    counters.output -= UInt64(infinite)
    counters.drop(infinite, "nonFinite")
  }
}
