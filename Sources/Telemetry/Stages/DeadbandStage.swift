internal import DeviceKit
internal import Documents

/// Drops samples that differ too little from the last one sent.
///
/// A series' first sample and every change of quality or type pass; so does a sample whose source time is at least the
/// heartbeat past that of the last one sent. Numbers pass when they differ by *more* than the band. Booleans, strings
/// and objects pass when they differ. With a band of zero and no heartbeat this is report on change.
final class DeadbandStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    /// Payload of the last sample sent.
    var payload: UInt64 = 0
    var sentAt: Int64 = 0
    var band: Double = 0
    /// Kind and quality of the last sample sent; ``unseen`` before the first.
    var state: UInt16 = unseen
  }
  private static let unseen: UInt16 = 0xFFFF
  /// A heartbeat of 146 years: far from the limits, so that the difference of two times leaves room.
  private static let never: Int64 = 1 << 62

  let name: String
  private(set) var counters = StageCounters()
  private let cause: String
  private var table = SlotTable(initial: Cell())
  /// The last string or object sent, by slot.
  private var sideValues: [Int: Value] = [:]
  private let band: PipelineSpecification.Deadband.Band
  private let heartbeat: Int64

  init(_ deadband: PipelineSpecification.Deadband) {
    name = "deadband"
    cause = "deadband"
    band = deadband.band
    heartbeat = deadband.heartbeat?.nanoseconds ?? Self.never
  }

  /// Report on change.
  init(_ onChange: PipelineSpecification.OnChange, named name: String) {
    self.name = name
    cause = "unchanged"
    band = .absolute(0)
    heartbeat = onChange.heartbeat?.nanoseconds ?? Self.never
  }

  func grow(to count: Int) { table.grow(to: count) }

  /// A series without a range has a percentage of nothing: any difference passes.
  func describe(slot: Int, _ details: inout SeriesDetails) {
    switch band {
    case .absolute(let width): table[slot].band = width
    case .percent(let percent):
      table[slot].band = details.range.map { ($0.upperBound - $0.lowerBound) * percent / 100 } ?? 0
    }
  }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    let (rows, slots, offered) = (selection.rows, selection.slots, selection.count)
    let cells = table.cells
    let (kinds, qualities) = (columns.kinds, columns.qualities)
    let (times, payloads) = (columns.sourceTimes, columns.payloads)
    let heartbeat = heartbeat
    var kept = 0
    for index in 0..<offered {
      let (row, slot) = (rows[index], slots[index])
      let cell = cells + Int(slot)
      let kind = kinds[Int(row)]
      let time = times[Int(row)]
      let payload = payloads[Int(row)]
      let state = UInt16(kind.rawValue) | UInt16(qualities[Int(row)].rawValue) << 8
      let passes: Int
      if kind == .number, state == cell.pointee.state {
        // Masks of all ones where the sample passes, from sign bits: what passes is chance, and a mispredicted jump
        // costs more than the stores that a jump would save.
        let last = cell.pointee
        let distance = (Double(bitPattern: payload) - Double(bitPattern: last.payload)).magnitude
        let isFar = Int64(bitPattern: (last.band - distance).bitPattern) >> 63
        let isDue = (heartbeat &- 1 &- (time &- last.sentAt)) >> 63
        let mask = isFar | isDue
        cell.pointee.payload = last.payload ^ ((last.payload ^ payload) & UInt64(bitPattern: mask))
        cell.pointee.sentAt = last.sentAt ^ ((last.sentAt ^ time) & mask)
        passes = Int(mask & 1)
      } else {
        passes = take(columns, Int(row), Int(slot), state)
      }
      rows[kept] = row
      slots[kept] = slot
      kept += passes
    }
    selection.count = kept
    counters.input += UInt64(offered)
    counters.output += UInt64(kept)
    counters.drop(offered - kept, cause)
  }

  /// Takes a sample that is not a double following a double of the same quality: 1 where it passes, else 0. Not
  /// inlined: the loop over those that are needs the registers.
  @inline(never)
  private func take(_ columns: BatchColumns, _ row: Int, _ slot: Int, _ state: UInt16) -> Int {
    guard differs(columns, row, slot, table[slot], state) else { return 0 }
    table[slot] = Cell(
      payload: columns.payloads[row], sentAt: columns.sourceTimes[row], band: table[slot].band, state: state)
    return 1
  }

  /// Whether such a sample differs enough from the last one sent, or comes late enough after it, to pass.
  private func differs(_ columns: BatchColumns, _ row: Int, _ slot: Int, _ cell: Cell, _ state: UInt16) -> Bool {
    let payload = columns.payloads[row]
    var passes = state != cell.state || columns.sourceTimes[row] &- cell.sentAt >= heartbeat
    switch columns.kinds[row] {
    case .none, .number: break
    case .boolean: passes = passes || payload != cell.payload
    case .integer:
      let (difference, overflow) = Int64(bitPattern: payload)
        .subtractingReportingOverflow(Int64(bitPattern: cell.payload))
      passes = passes || overflow || Double(difference.magnitude) > cell.band
    case .unsigned:
      passes = passes || Double(max(payload, cell.payload) - min(payload, cell.payload)) > cell.band
    case .side:
      let value = columns.sideValues[Int(payload)]
      passes = passes || sideValues[slot] != value
      if passes { sideValues[slot] = value }
    }
    return passes
  }

  func moveTimes(of slot: Int, by nanoseconds: Int64) { table[slot].sentAt &+= nanoseconds }

  func save(slot: Int, to output: inout ByteWriter) {
    let cell = table[slot]
    guard cell.state != Self.unseen else { return }
    output.fixed(cell.state)
    output.fixed(cell.sentAt)
    let kind = SampleKind(rawValue: UInt8(truncatingIfNeeded: cell.state)) ?? .none
    output.value(Value(kind: kind, payload: cell.payload, side: sideValues[slot]))
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    let state: UInt16 = try input.fixed()
    let sentAt: Int64 = try input.fixed()
    let value = try input.value()
    table[slot].state = state
    table[slot].sentAt = sentAt
    table[slot].payload = value?.payload ?? 0
    if value?.isSide == true { sideValues[slot] = value }
  }
}
