internal import DeviceKit
internal import Documents

/// Tumbling windows in event time, one set per series.
///
/// A window holds the samples whose source time t has start ≤ t < start + size; starts are multiples of the size since
/// 1970. It closes when the newest source time of its series reaches its end + lateness, or when the series has been
/// silent until the gateway's clock says so (``advance(to:into:)``). A sample for a window that has closed is late and
/// dropped. Samples of Bad quality or without a value are not aggregated.
package final class WindowStage {
  package private(set) var counters = StageCounters()
  package let functions: [PipelineSpecification.Function]
  let size: Int64
  let lateness: Int64
  let keepsEdges: Bool
  /// The newest window of each series.
  let table = SlotTable(initial: WindowCell())
  let edges = SlotTable(initial: EdgeCell())
  /// Older windows that lateness keeps open.
  var pending = PendingWindows()
  var shelf = SideShelf()
  /// No window falls due by the gateway's clock before this.
  var earliestDue = Int64.max

  /// How much longer than lateness the gateway waits for a silent series: time for what is on its way through queues.
  package static let grace: Int64 = 500_000_000
  /// A source time further ahead of a gateway clock that has been set is wrong: it would make all others late.
  static let farthestAhead: Int64 = 24 * 3_600_000_000_000
  /// 2020-01-01: a gateway clock before it has not been set.
  static let clockIsSet: Int64 = 1_577_836_800_000_000_000

  package init(_ aggregate: PipelineSpecification.Aggregate) {
    functions = aggregate.functions
    size = aggregate.tumbling.nanoseconds
    lateness = aggregate.lateness.nanoseconds
    keepsEdges = functions.contains(.first) || functions.contains(.last)
  }

  package func grow(to count: Int) {
    table.grow(to: count)
    if keepsEdges { edges.grow(to: count) }
    pending.grow(to: count)
  }

  /// Takes the selected samples and appends the windows that they close, the oldest of a series first.
  package func process(_ columns: BatchColumns, _ selection: Selection, into output: inout RecordRows) {
    let (rows, slots, count) = (selection.rows, selection.slots, selection.count)
    let cells = table.cells
    let span = UInt64(bitPattern: size)
    let isPlain = !keepsEdges
    var fast = 0
    for index in 0..<count {
      let row = Int(rows[index])
      let cell = cells + Int(slots[index])
      let time = columns.sourceTimes[row]
      let quality = columns.qualities[row]
      if isPlain, columns.kinds[row] == .number, cell.pointee.kind == .number, quality != .bad,
        UInt64(bitPattern: time &- cell.pointee.start) < span, time < cell.pointee.closeAt
      {
        let payload = columns.payloads[row]
        cell.pointee.add(Double(bitPattern: payload), payload: payload, quality: quality.rawValue)
        fast += 1
      } else {
        take(columns, row, Int(slots[index]), &output)
      }
    }
    counters.input += UInt64(count)
    counters.held &+= UInt64(fast)
  }

  /// Takes one sample by the full rules.
  private func take(_ columns: BatchColumns, _ row: Int, _ slot: Int, _ output: inout RecordRows) {
    let time = columns.sourceTimes[row]
    let kind = columns.kinds[row]
    guard columns.qualities[row] != .bad, kind != .none else { return counters.drop(1, "badQuality") }
    let arrival = columns.gatewayTimes[row]
    guard time.magnitude < 1 << 62, arrival.magnitude < 1 << 62,
      arrival < Self.clockIsSet || time &- arrival <= Self.farthestAhead
    else { return counters.drop(1, "timeOutOfRange") }
    if table[slot].closeAt == .min { table[slot].closeAt = firstClose(after: time) }
    if time >= table[slot].closeAt { advance(slot, to: time, &output) }
    guard time >= closedUpTo(slot) else { return counters.drop(1, "late") }
    let start = Self.floor(time, size)
    if table[slot].kind != .closed, start < table[slot].start {
      let place = pending.window(of: slot, start: start)
      take(columns, row, isFirst: pending[place].cell.count == 0, into: &pending[place].cell, &pending[place].edge)
    } else {
      if table[slot].kind != .closed, start > table[slot].start { setAside(slot) }
      let opens = table[slot].kind == .closed
      if opens {
        table[slot].start = start
        table[slot].skew = arrival - time
        earliestDue = min(earliestDue, table[slot].closeAt + table[slot].skew + Self.grace)
      }
      var edge = keepsEdges ? edges[slot] : EdgeCell()
      take(columns, row, isFirst: opens, into: &table.cells[slot], &edge)
      if keepsEdges { edges[slot] = edge }
    }
    counters.held &+= 1
  }

  private func take(
    _ columns: BatchColumns, _ row: Int, isFirst: Bool, into cell: inout WindowCell, _ edge: inout EdgeCell
  ) {
    let payload = columns.payloads[row]
    let quality = columns.qualities[row].rawValue
    let kind = columns.kinds[row]
    if isFirst {
      cell.count = 0
      cell.quality = 0
      (cell.sum, cell.compensation) = (0, 0)
      (cell.minimum, cell.maximum) = (payload, payload)
      (cell.minimumIsUnsigned, cell.maximumIsUnsigned) = (kind == .unsigned, kind == .unsigned)
      switch kind {
      case .integer, .unsigned: cell.kind = .integer
      case .number: cell.kind = .number
      case .none, .boolean, .side: cell.kind = .other
      }
    }
    switch (kind, cell.kind) {
    case (.integer, .integer), (.unsigned, .integer):
      cell.add(integer: payload, isUnsigned: kind == .unsigned, quality: quality)
    case (.number, .number):
      cell.add(Double(bitPattern: payload), payload: payload, quality: quality)
    case (.number, .integer):
      cell.promote()
      cell.add(Double(bitPattern: payload), payload: payload, quality: quality)
    case (.integer, .number), (.unsigned, .number):
      let value = kind == .unsigned ? Double(payload) : Double(Int64(bitPattern: payload))
      cell.add(value, payload: value.bitPattern, quality: quality)
    default:
      cell.kind = .other
      cell.count &+= 1
      cell.quality = max(cell.quality, quality)
    }
    if keepsEdges { keep(columns, row, isFirst: isFirst, in: &edge) }
  }

  private func keep(_ columns: BatchColumns, _ row: Int, isFirst: Bool, in edge: inout EdgeCell) {
    let time = columns.sourceTimes[row]
    let kind = columns.kinds[row]
    func payload() -> UInt64 {
      kind == .side ? shelf.put(columns.sideValues[Int(columns.payloads[row])]) : columns.payloads[row]
    }
    if isFirst || time < edge.firstTime {
      if !isFirst, edge.firstKind == .side { _ = shelf.take(edge.first) }
      (edge.firstTime, edge.first, edge.firstKind) = (time, payload(), kind)
    }
    if isFirst || time >= edge.lastTime {
      if !isFirst, edge.lastKind == .side { _ = shelf.take(edge.last) }
      (edge.lastTime, edge.last, edge.lastKind) = (time, payload(), kind)
    }
  }

  /// Wraps below zero within ``process(_:_:into:)``, which adds the plain samples of a batch at its end.
  func countClosed(_ samples: UInt32) {
    counters.held &-= UInt64(samples)
    counters.output += UInt64(samples)
  }

  func countRestored(_ samples: UInt32) {
    counters.held += UInt64(samples)
    counters.input += UInt64(samples)
  }

  static func floor(_ time: Int64, _ size: Int64) -> Int64 {
    let rest = time % size
    return time - (rest < 0 ? rest + size : rest)
  }
}
