internal import DeviceKit
internal import Documents

/// Swinging door compression (Bristol, US patent 4669097), in its strict form.
///
/// From the last sample kept, the slopes that pass every sample since within the deviation form a door that only closes.
/// A sample whose own slope lies within the door is a possible end of the line, and is kept back in place of the one
/// before it. One whose slope does not lie there ends the line at the sample before, which is kept, and is the first of
/// the next line. Thus every dropped sample lies within the deviation of the line between its kept neighbours.
///
/// A series' first sample passes at once; so does what is no number, or differs in kind or quality from the last kept,
/// after the one that is kept back. A sample that is not later than the one before it is dropped.
final class SwingingDoorStage: SampleStage {
  private struct Cell: BitwiseCopyable {
    /// Payload and time of the last sample kept; where the line begins.
    var anchor: UInt64 = 0
    var anchorTime: Int64 = 0
    var upper = Double.infinity
    var lower = -Double.infinity
    /// The sample kept back, of the anchor's kind and quality.
    var payload: UInt64 = 0
    var time: Int64 = 0
    var arrival: Int64 = 0
    /// Kind and quality of both; ``unseen`` before the first.
    var state: UInt16 = unseen
    var holds = false
  }
  private static let unseen: UInt16 = 0xFFFF
  private static let never: Int64 = 1 << 62

  let name = "swingingDoor"
  private(set) var counters = StageCounters()
  private(set) var dueAt = Int64.max
  private var table = SlotTable(initial: Cell())
  private let deviation: Double
  private let minimumInterval: Int64
  private let maximumInterval: Int64

  init(_ door: PipelineSpecification.SwingingDoor) {
    deviation = door.deviation
    minimumInterval = door.minimumInterval?.nanoseconds ?? 0
    maximumInterval = door.maximumInterval?.nanoseconds ?? Self.never
  }

  func grow(to count: Int) { table.grow(to: count) }

  func process(_ flow: SampleFlow) {
    let (columns, selection) = (flow.columns, flow.selection)
    counters.input += UInt64(selection.count)
    flow.rewrite { made in
      for index in 0..<selection.count {
        take(columns, Int(selection.rows[index]), selection.slots[index], made)
      }
    }
  }

  private func take(_ columns: BatchColumns, _ row: Int, _ slot: Int32, _ made: SampleColumns) {
    let cell = table.cells + Int(slot)
    let time = columns.sourceTimes[row]
    let kind = columns.kinds[row]
    let state = UInt16(kind.rawValue) | UInt16(columns.qualities[row].rawValue) << 8
    let isSeen = cell.pointee.state != Self.unseen
    let newest = cell.pointee.holds ? cell.pointee.time : cell.pointee.anchorTime
    if isSeen, time <= newest { return counters.drop(1, "outOfOrder") }
    guard state == cell.pointee.state, kind == .number || kind == .integer || kind == .unsigned else {
      release(cell, slot, made)
      made.append(columns, row: row, slot: slot)
      counters.output += 1
      cell.pointee = Cell(anchor: columns.payloads[row], anchorTime: time, state: state)
      return
    }
    if time &- cell.pointee.anchorTime < minimumInterval { return counters.drop(1, "tooSoon") }
    if cell.pointee.holds, time &- cell.pointee.anchorTime > maximumInterval { release(cell, slot, made) }
    if cell.pointee.holds {
      let slope = slope(cell.pointee, columns.payloads[row], kind, time, offset: 0)
      if slope > cell.pointee.upper || slope < cell.pointee.lower {
        release(cell, slot, made)
      } else {
        counters.drop(1, "onTheLine")
        counters.held -= 1
      }
    }
    cell.pointee.upper = min(
      cell.pointee.upper, slope(cell.pointee, columns.payloads[row], kind, time, offset: deviation))
    cell.pointee.lower = max(
      cell.pointee.lower, slope(cell.pointee, columns.payloads[row], kind, time, offset: -deviation))
    (cell.pointee.payload, cell.pointee.time) = (columns.payloads[row], time)
    (cell.pointee.arrival, cell.pointee.holds) = (columns.gatewayTimes[row], true)
    counters.held += 1
    dueAt = min(dueAt, due(cell.pointee))
    if time &- cell.pointee.anchorTime >= maximumInterval { release(cell, slot, made) }
  }

  /// The slope from the anchor to a value, per nanosecond.
  private func slope(_ cell: Cell, _ payload: UInt64, _ kind: SampleKind, _ time: Int64, offset: Double) -> Double {
    let rise: Double
    switch kind {
    case .integer:
      let (difference, overflow) = Int64(bitPattern: payload)
        .subtractingReportingOverflow(Int64(bitPattern: cell.anchor))
      rise =
        overflow
        ? Double(Int64(bitPattern: payload)) - Double(Int64(bitPattern: cell.anchor)) : Double(difference)
    case .unsigned:
      rise = payload >= cell.anchor ? Double(payload - cell.anchor) : -Double(cell.anchor - payload)
    default: rise = Double(bitPattern: payload) - Double(bitPattern: cell.anchor)
    }
    return (rise + offset) / Double(time &- cell.anchorTime)
  }

  /// Keeps the sample that is kept back: the line ends there, and the next begins.
  private func release(_ cell: UnsafeMutablePointer<Cell>, _ slot: Int32, _ made: SampleColumns) {
    guard cell.pointee.holds else { return }
    let held = cell.pointee
    made.append(
      slot: slot, kind: SampleKind(rawValue: UInt8(truncatingIfNeeded: held.state)) ?? .none, payload: held.payload,
      quality: Quality(rawValue: UInt8(held.state >> 8)) ?? .uncertain, sourceTime: held.time,
      gatewayTime: held.arrival)
    cell.pointee = Cell(anchor: held.payload, anchorTime: held.time, state: held.state)
    counters.held -= 1
    counters.output += 1
  }

  // MARK: Time

  /// When the sample kept back has to go by the gateway's clock: its series' time is taken to go on with the gateway's.
  private func due(_ cell: Cell) -> Int64 {
    guard cell.holds, maximumInterval < Self.never else { return .max }
    let (due, overflow) = (cell.anchorTime &+ maximumInterval).addingReportingOverflow(cell.arrival &- cell.time)
    return overflow ? .max : due
  }

  func advance(to now: Int64, _ flow: SampleFlow) {
    dueAt = .max
    flow.rewrite { made in
      for slot in 0..<table.count where table.cells[slot].holds {
        let due = due(table.cells[slot])
        if due <= now {
          release(table.cells + slot, Int32(truncatingIfNeeded: slot), made)
        } else {
          dueAt = min(dueAt, due)
        }
      }
    }
  }

  func flush(slot: Int?, _ flow: SampleFlow) {
    flow.rewrite { made in
      for slot in slot.map({ $0..<$0 + 1 }) ?? 0..<table.count {
        release(table.cells + slot, Int32(truncatingIfNeeded: slot), made)
      }
    }
  }

  /// The pipeline has put out what was kept back.
  func moveTimes(of slot: Int, by nanoseconds: Int64) {
    table[slot].anchorTime &+= nanoseconds
    table[slot].time &+= nanoseconds
    table[slot].arrival &+= nanoseconds
  }

  // MARK: State

  func save(slot: Int, to output: inout ByteWriter) {
    let cell = table[slot]
    let kind = SampleKind(rawValue: UInt8(truncatingIfNeeded: cell.state)) ?? .none
    // A string or an object is no anchor: it lies beside columns that are gone. The next sample is a first one.
    guard cell.state != Self.unseen, kind != .side else { return }
    output.fixed(cell.state)
    output.fixed(cell.anchor)
    output.fixed(cell.anchorTime)
    output.byte(cell.holds ? 1 : 0)
    guard cell.holds else { return }
    output.fixed(cell.upper)
    output.fixed(cell.lower)
    output.fixed(cell.payload)
    output.fixed(cell.time)
    output.fixed(cell.arrival)
  }

  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {
    var cell = Cell()
    cell.state = try input.fixed()
    cell.anchor = try input.fixed()
    cell.anchorTime = try input.fixed()
    cell.holds = try input.byte() == 1
    if cell.holds {
      cell.upper = try input.double()
      cell.lower = try input.double()
      cell.payload = try input.fixed()
      cell.time = try input.fixed()
      cell.arrival = try input.fixed()
      counters.held += 1
      counters.input += 1
      dueAt = min(dueAt, due(cell))
    }
    table[slot] = cell
  }
}
