internal import CProcessor
internal import DeviceKit
internal import Documents

/// The windows of all series or groups; docs/WINDOWS.md defines the kinds.
///
/// Aligned windows (tumbling, hopping) are cut into panes (``Panes``). A series' newest two open panes lie side by side
/// in one table, older ones that lateness keeps open in chains. A pane closes when the newest time of its series reaches
/// its end + lateness, or when the series has been silent until the gateway's clock says so
/// (``advance(to:into:)``). Tumbling windows are put out as their pane closes; for what needs more than one pane, closed
/// panes are kept. The other kinds keep their windows in chains.
package struct WindowStage: ~Copyable {
  /// The newest pane of each slot, and the one before.
  var table = SlotTable(initial: WindowCell())
  var series = SlotTable(initial: SeriesWindows())
  /// Open panes older than these.
  var older = WindowChains()
  /// Panes that have closed and are needed for later windows or corrections; all windows that are not aligned.
  var kept = WindowChains()
  var parts = WindowParts()
  /// What each series' course was before the oldest kept pane.
  var carries = SlotTable(initial: Course())
  /// The state, or the last reading before an empty window, of a slot, where the aggregate asks for it.
  var values: [Value?] = []
  /// Slots with corrections to put out.
  var corrected: [Int32] = []
  var groups: WindowGroups?
  package internal(set) var counters = StageCounters()
  let plan: WindowPlan
  /// A place in ``parts`` for windows that are put together.
  private(set) var scratch: Int32 = -1
  var fieldKinds = SlotTable(initial: SampleKind.none)
  var fieldPayloads = SlotTable<UInt64>(initial: 0)
  /// No window falls due by the gateway's clock before this.
  var earliestDue = Int64.max
  /// Until the gateway's clock is here again it has been set back: what it stamps meanwhile is not late.
  var setBackUntil = Int64.min

  /// How much longer than lateness the gateway waits for a silent series: time for what is on its way through queues.
  package static let grace: Int64 = 500_000_000
  /// A time further ahead of a gateway clock that has been set is wrong: it would make all others late.
  static let farthestAhead: Int64 = 24 * 3_600_000_000_000
  /// 2020-01-01: a gateway clock before it has not been set.
  static let clockIsSet: Int64 = 1_577_836_800_000_000_000

  package init(_ aggregate: PipelineSpecification.Aggregate) {
    plan = WindowPlan(aggregate)
    parts.prepare(for: plan.needs, condition: WindowCondition(aggregate.durationWhere))
    scratch = parts.make()
    groups = aggregate.groups.map { WindowGroups($0) }
    fieldKinds.grow(to: aggregate.fields.count)
    fieldPayloads.grow(to: aggregate.fields.count)
  }

  var aggregate: PipelineSpecification.Aggregate { plan.aggregate }
  var panes: Panes { plan.panes }
  var lateness: Int64 { plan.lateness }
  var correctFor: Int64 { plan.correctFor }
  var needs: WindowNeeds { plan.needs }
  var isDirect: Bool { plan.isDirect }

  /// Readings that came out of order by more than ``WindowParts/recent`` of their window. Functions of a value's course
  /// leave them out.
  package var misplaced: UInt64 { parts.misplaced }

  package mutating func grow(to count: Int) {
    guard count > series.count else { return }
    table.grow(to: 2 * count)
    series.grow(to: count)
    older.grow(to: count)
    kept.grow(to: count)
    if needs.contains(.course) { carries.grow(to: count) }
    values.append(contentsOf: repeatElement(nil, count: count - values.count))
  }

  /// Takes the selected samples and appends the windows that they close, the oldest of a series first.
  package mutating func process(_ columns: BatchColumns, _ selection: Selection, into output: inout RecordRows) {
    let (rows, slots, count) = (selection.rows, selection.slots, selection.count)
    let times = aggregate.time == .event ? columns.sourceTimes : columns.gatewayTimes
    let (cells, common) = (table.cells, series.cells)
    let span = UInt64(bitPattern: panes.pane)
    let isPlain = plan.isPlain
    // With more series than the cache holds, what a sample may touch is asked for before its turn.
    let looksAhead = series.count > Self.cachedSeries
    var fast = 0
    for index in 0..<count {
      if looksAhead {
        let next = Int(slots[min(index + Self.ahead, count - 1)])
        prefetch_for_write(cells + 2 * next)
        // What opens or closes a window needs more, which is known once its cell is there.
        let nearer = min(index + Self.ahead / 2, count - 1)
        let (near, nearTime) = (Int(slots[nearer]), times[Int(rows[nearer])])
        if UInt64(bitPattern: nearTime &- cells[2 * near].start) >= span || nearTime >= cells[2 * near].closeAt {
          prefetch_for_write(cells + 2 * near + 1)
          prefetch_for_write(common + near)
          prefetch_for_write(columns.gatewayTimes + Int(rows[nearer]))
        }
      }
      let row = Int(rows[index])
      let cell = cells + 2 * Int(slots[index])
      let time = times[row]
      let quality = columns.qualities[row]
      if isPlain, quality != .bad, UInt64(bitPattern: time &- cell.pointee.start) < span, time < cell.pointee.closeAt {
        let (kind, payload) = (columns.kinds[row], columns.payloads[row])
        if kind == .number, cell.pointee.kind == .number {
          cell.pointee.add(Double(bitPattern: payload), payload: payload, quality: quality.rawValue)
          fast += 1
          continue
        }
        if kind == .integer, cell.pointee.isSigned {
          cell.pointee.add(signed: Int64(bitPattern: payload), quality: quality.rawValue)
          fast += 1
          continue
        }
      }
      take(WindowSample(columns, row, at: time), Int(slots[index]), &output)
    }
    counters.input += UInt64(count)
    counters.held &+= UInt64(fast)
  }

  /// How many samples before its turn a cell is asked for.
  private static let ahead = 24
  /// So many series' cells lie in a processor's second cache, of 256 KB at least.
  private static let cachedSeries = 2_048

  /// Takes one sample by the full rules. One of Bad quality or without a value only ends what is known of the value's
  /// course; it moves no time on, since its own may be the gateway's where the others are the source's.
  private mutating func take(_ sample: WindowSample, _ source: Int, _ output: inout RecordRows) {
    if sample.isBad {
      counters.drop(1, "badQuality")
      guard needs.contains(.course) else { return }
    }
    guard sample.time.magnitude < 1 << 62, sample.arrival.magnitude < 1 << 62,
      sample.arrival < Self.clockIsSet || sample.time &- sample.arrival <= Self.farthestAhead
    else { return drop(sample, "timeOutOfRange") }
    var slot = source
    var mark = sample.isBad ? Int64.min : sample.time
    if groups != nil {
      guard let place = groups?.take(source, at: mark) else { return drop(sample, "ungrouped") }
      slot = place.group
      mark = sample.isBad ? .min : place.mark
    }
    switch aggregate.window {
    case .tumbling, .hopping: takeAligned(sample, slot, mark, &output)
    case .sliding: takeSliding(sample, slot, &output)
    case .session(let gap, let max):
      takeSession(sample, slot, mark, gap: gap.nanoseconds, max: max?.nanoseconds ?? .max / 4, &output)
    case .count(let size): takeCounted(sample, slot, size: size, &output)
    case .state(let of): takeState(sample, slot, hasCondition: of != nil, &output)
    }
  }

  /// Counts a sample that goes nowhere; one of Bad quality has been counted already.
  mutating func drop(_ sample: WindowSample, _ cause: String) {
    if !sample.isBad { counters.drop(1, cause) }
  }

  /// Takes the sample into a window. `isOpen`: the window has not been put out, so that the sample is held.
  mutating func add(_ sample: WindowSample, at time: Int64, to cell: UnsafeMutablePointer<WindowCell>, isOpen: Bool) {
    let (columns, row) = (sample.columns, sample.row)
    if sample.isBad { return parts.takeReading(columns, row, time, cell.pointee.part) }
    cell.pointee.take(columns.kinds[row], columns.payloads[row], columns.qualities[row])
    if cell.pointee.part >= 0 { parts.take(columns, row, at: time, into: cell.pointee.part) }
    if isOpen { counters.held &+= 1 } else { counters.output += 1 }
  }

  /// Whether a time that windows have come to is so far ahead of the gateway's clock that it must have been wrong.
  func isPoisoned(_ mark: Int64, _ sample: WindowSample) -> Bool {
    (sample.arrival >= Self.clockIsSet || sample.isStampedByGateway) && mark &- sample.arrival > Self.farthestAhead
  }

  /// Whether a time that lies before others is the gateway's, which was set back.
  func isSetBack(_ sample: WindowSample) -> Bool {
    aggregate.time == .processing || (sample.isStampedByGateway && sample.arrival < setBackUntil)
  }

  /// Notes when the series' windows fall due by the gateway's clock if it falls silent.
  mutating func schedule(_ slot: Int, skew: Int64) {
    series.cells[slot].skew = skew
    earliestDue = min(earliestDue, table.cells[2 * slot].closeAt + skew + Self.grace)
  }

  /// Wraps below zero within ``process(_:_:into:)``, which adds the plain samples of a batch at its end.
  mutating func countClosed(_ samples: UInt32) {
    counters.held &-= UInt64(samples)
    counters.output += UInt64(samples)
  }
}

/// One sample as windows take it.
struct WindowSample {
  let columns: BatchColumns
  let row: Int
  /// By the clock that the windows go by, in nanoseconds since 1970.
  let time: Int64

  @inline(__always)
  init(_ columns: BatchColumns, _ row: Int, at time: Int64) {
    self.columns = columns
    self.row = row
    self.time = time
  }

  var arrival: Int64 { columns.gatewayTimes[row] }
  /// The source has no clock of its own.
  var isStampedByGateway: Bool { columns.sourceTimes[row] == columns.gatewayTimes[row] }
  var isBad: Bool { columns.qualities[row] == .bad || columns.kinds[row] == .none }
}
