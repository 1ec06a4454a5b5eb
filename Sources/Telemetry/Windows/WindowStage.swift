internal import DeviceKit
internal import Documents

/// Tumbling windows in event time, one set per series.
///
/// A window holds the samples whose source time t has start ≤ t < start + size; starts are multiples of the size since
/// 1970. It closes when the newest source time of its series reaches its end + lateness, or when the series has been
/// silent until the gateway's clock says so (``advance(to:into:)``). A sample for a window that has closed is late and
/// dropped. Samples of Bad quality or without a value are not aggregated.
package struct WindowStage: ~Copyable {
  package private(set) var counters = StageCounters()
  package let functions: [PipelineSpecification.Function]
  let size: Int64
  let lateness: Int64
  let keepsEdges: Bool
  /// The newest window of each series.
  var table = SlotTable(initial: WindowCell())
  var edges = SlotTable(initial: EdgeCell())
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
    pending.keepsEdges = keepsEdges
  }

  package mutating func grow(to count: Int) {
    table.grow(to: count)
    if keepsEdges { edges.grow(to: count) }
    pending.grow(to: count)
  }

  /// Takes the selected samples and appends the windows that they close, the oldest of a series first.
  package mutating func process(_ columns: BatchColumns, _ selection: Selection, into output: inout RecordRows) {
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
  private mutating func take(_ columns: BatchColumns, _ row: Int, _ slot: Int, _ output: inout RecordRows) {
    let time = columns.sourceTimes[row]
    let kind = columns.kinds[row]
    guard columns.qualities[row] != .bad, kind != .none else { return counters.drop(1, "badQuality") }
    let arrival = columns.gatewayTimes[row]
    guard time.magnitude < 1 << 62, arrival.magnitude < 1 << 62,
      arrival < Self.clockIsSet || time &- arrival <= Self.farthestAhead
    else { return counters.drop(1, "timeOutOfRange") }
    if table.cells[slot].closeAt == .min { table.cells[slot].closeAt = firstClose(after: time) }
    if time >= table.cells[slot].closeAt { advance(slot, to: time, &output) }
    guard time >= closedUpTo(slot) else { return counters.drop(1, "late") }
    let cell = table.cells + slot
    let start = self.start(of: time, near: cell.pointee.start)
    if cell.pointee.kind != .closed, start < cell.pointee.start {
      let place = pending.window(of: slot, start: start)
      let window = pending.window(at: place)
      let isFirst = window.pointee.count == 0
      window.pointee.take(kind, columns.payloads[row], columns.qualities[row], isFirst: isFirst)
      if keepsEdges { keep(columns, row, isFirst: isFirst, in: pending.edges.cells + Int(place)) }
    } else {
      if cell.pointee.kind != .closed, start > cell.pointee.start { setAside(slot) }
      let opens = cell.pointee.kind == .closed
      if opens {
        cell.pointee.start = start
        cell.pointee.skew = arrival - time
        earliestDue = min(earliestDue, cell.pointee.closeAt + cell.pointee.skew + Self.grace)
      }
      cell.pointee.take(kind, columns.payloads[row], columns.qualities[row], isFirst: opens)
      if keepsEdges { keep(columns, row, isFirst: opens, in: edges.cells + slot) }
    }
    counters.held &+= 1
  }

  private mutating func keep(
    _ columns: BatchColumns, _ row: Int, isFirst: Bool, in edge: UnsafeMutablePointer<EdgeCell>
  ) {
    let time = columns.sourceTimes[row]
    let kind = columns.kinds[row]
    let side: Value? = kind == .side ? columns.sideValues[Int(columns.payloads[row])] : nil
    if isFirst || time < edge.pointee.firstTime {
      if !isFirst, edge.pointee.firstKind == .side { _ = shelf.take(edge.pointee.first) }
      edge.pointee.first = side.map { shelf.put($0) } ?? columns.payloads[row]
      (edge.pointee.firstTime, edge.pointee.firstKind) = (time, kind)
    }
    if isFirst || time >= edge.pointee.lastTime {
      if !isFirst, edge.pointee.lastKind == .side { _ = shelf.take(edge.pointee.last) }
      edge.pointee.last = side.map { shelf.put($0) } ?? columns.payloads[row]
      (edge.pointee.lastTime, edge.pointee.lastKind) = (time, kind)
    }
  }

  /// Wraps below zero within ``process(_:_:into:)``, which adds the plain samples of a batch at its end.
  mutating func countClosed(_ samples: UInt32) {
    counters.held &-= UInt64(samples)
    counters.output += UInt64(samples)
  }

  mutating func countRestored(_ samples: UInt32) {
    counters.held += UInt64(samples)
    counters.input += UInt64(samples)
  }

  /// The start of the window that `time` falls into; without a division where that is `other`, a window's start too, or
  /// the one after it.
  @inline(__always)
  private func start(of time: Int64, near other: Int64) -> Int64 {
    let offset = UInt64(bitPattern: time &- other)
    if offset < UInt64(bitPattern: size) { return other }
    return offset < UInt64(bitPattern: 2 * size) ? other + size : Self.floor(time, size)
  }

  static func floor(_ time: Int64, _ size: Int64) -> Int64 {
    let rest = time % size
    return time - (rest < 0 ? rest + size : rest)
  }
}
