internal import DeviceKit
internal import Documents

/// Drops samples that were delivered before: equal in source time, kind, value and quality to one of the last
/// ``PipelineSpecification/Dedup/remembered`` of their series.
///
/// A sample is remembered by 64 bits of its content (FNV-1a with a final mix): of two different ones in a memory of 32
/// the chance to be taken for the same is below 10⁻¹⁷.
final class RedeliveryStage: SampleStage {
  private typealias Ring = InlineArray<32, UInt64>
  private struct Cell: BitwiseCopyable {
    var next: UInt8 = 0
    /// Zero: an empty place.
    var marks = Ring(repeating: 0)
  }

  let name = "dedup"
  private(set) var counters = StageCounters()
  private var table = SlotTable(initial: Cell())

  func grow(to count: Int) { table.grow(to: count) }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    var kept = 0
    for index in 0..<offered {
      let (row, slot) = (rows[index], slots[index])
      let cell = table.cells + Int(slot)
      let mark = Self.mark(columns, Int(row))
      var isKnown = false
      for place in 0..<32 where cell.pointee.marks[place] == mark { isKnown = true }
      guard !isKnown else { continue }
      cell.pointee.marks[Int(cell.pointee.next)] = mark
      cell.pointee.next = (cell.pointee.next + 1) % 32
      rows[kept] = row
      slots[kept] = slot
      kept += 1
    }
    selection.count = kept
    counters.input += UInt64(offered)
    counters.output += UInt64(kept)
    counters.drop(offered - kept, "redelivered")
  }

  /// What a sample is remembered by, never zero; the same in every process.
  private static func mark(_ columns: BatchColumns, _ row: Int) -> UInt64 {
    var content = FNV1a()
    content.add(UInt64(bitPattern: columns.sourceTimes[row]))
    content.add(UInt64(columns.kinds[row].rawValue) | UInt64(columns.qualities[row].rawValue) << 8)
    if columns.kinds[row] == .side {
      var value = ByteWriter()
      value.value(columns.value(at: row))
      content.add(value.bytes)
    } else {
      content.add(columns.payloads[row])
    }
    let hash = (content.value ^ content.value >> 31) &* 0x94D0_49BB_1331_11EB
    return (hash ^ hash >> 29) | 1
  }

  func save(slot: Int, to output: inout ByteWriter) {
    let cell = table[slot]
    // In the order in which they came, the oldest first.
    let marks = (0..<32).map { cell.marks[(Int(cell.next) + $0) % 32] }.filter { $0 != 0 }
    guard !marks.isEmpty else { return }
    output.varint(UInt64(marks.count))
    for mark in marks { output.fixed(mark) }
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    let count = try input.count()
    guard count <= 32 else { throw DecodingFault() }
    for place in 0..<count { table.cells[slot].marks[place] = try input.fixed() }
    table.cells[slot].next = UInt8(count % 32)
  }
}
