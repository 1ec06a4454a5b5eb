internal import DeviceKit

/// Joins records in steps. Of windows that overlap, those count which follow one another.
final class StepCollector: QueryCollector {
  fileprivate struct Plan {
    var fields: [String]
    var joins: [FieldJoin?]
  }
  fileprivate struct Found {
    var plan: Plan
    var approximate: Set<String> = []
    /// Step after step, all fields of each; nil: no record.
    var cells: [[JoinCell]?]
    /// The first window taken, and the end of the newest one.
    var phase: Int64
    var length: Int64
    var covered = Int64.min
  }

  private let window: Range<Int64>
  private let step: Int64
  private let origin: Int64
  private let count: Int
  private let fields: [String]
  private let superseded: [WindowName: Int64]
  private var found: [Int: Found] = [:]

  /// - Parameter superseded: The highest revision of windows that were put out again.
  init(
    _ query: TelemetryQuery, _ window: Range<Int64>, step: Int64, superseded: [WindowName: Int64]
  ) {
    self.window = window
    self.step = step
    origin = window.lowerBound.floored(to: step)
    count = Self.steps(window, step)
    fields = query.fields
    self.superseded = superseded
  }

  /// How many steps a stretch of time touches.
  static func steps(_ window: Range<Int64>, _ step: Int64) -> Int {
    let (span, overflow) = window.upperBound.subtractingReportingOverflow(window.lowerBound.floored(to: step))
    guard !overflow, span > 0 else { return overflow ? .max : 0 }
    return Int(clamping: (span - 1) / step + 1)
  }

  func take(_ columns: RecordColumns, _ slots: [Int?]) -> Bool {
    let layout = columns.layout
    let names = fields.isEmpty ? Self.joinable(layout) : fields
    let plan = Plan(fields: names, joins: names.map { FieldJoin($0, in: layout) })
    guard plan.joins.contains(where: { $0 != nil }) else { return true }
    let revision = layout.fields.firstIndex(of: PipelineSpecification.Aggregate.revision)
    for (row, slot) in slots.enumerated() {
      guard let slot, window.contains(columns.starts[row]) else { continue }
      let start = columns.starts[row]
      var series =
        found[slot]
        ?? Found(
          plan: plan, cells: Array(repeating: nil, count: count), phase: start, length: columns.times[row] &- start)
      found[slot] = nil
      let isAdmitted = !columns.isWindow(row) || series.admits(start, to: columns.times[row])
      let isReplaced =
        revision.map { revision in
          guard let last = superseded[WindowName(slot: slot, start: start)] else { return false }
          return columns.number(revision, of: row).exact.map { $0 < last } ?? true
        } ?? false
      if isAdmitted, !isReplaced { series.take(plan, columns, row, at: Int((start - origin) / step)) }
      found[slot] = series
    }
    return true
  }

  private static func joinable(_ layout: RecordLayout) -> [String] {
    layout.fields == ["value"] ? FieldJoin.ofSamples : layout.fields.filter { FieldJoin($0, in: layout) != nil }
  }

  /// The series with points, by their place among those wanted.
  var result: [(slot: Int, fields: [String], approximate: [String], points: [TelemetryAnswer.Point])] {
    found.sorted { $0.key < $1.key }.map { slot, series in
      var points: [TelemetryAnswer.Point] = []
      for (index, cells) in series.cells.enumerated() {
        guard let cells else { continue }
        let values = zip(series.plan.joins, cells).map { join, cell in join.flatMap { cell.result($0) } }
        points.append(TelemetryAnswer.Point(time: origin + Int64(index) * step, values: values))
      }
      return (slot, series.plan.fields, series.approximate.sorted(), points)
    }
  }
}

extension StepCollector.Found {
  /// Whether the window adds to those taken and says nothing of their time again. One that comes out of its turn, as a
  /// correction does, belongs to them if it lies among them as one of the same length would.
  fileprivate mutating func admits(_ start: Int64, to end: Int64) -> Bool {
    if start >= covered {
      covered = end
      return true
    }
    return end &- start == length && length > 0 && (start &- phase) % length == 0
  }

  fileprivate mutating func take(_ plan: StepCollector.Plan, _ columns: RecordColumns, _ row: Int, at step: Int) {
    var cells = self.cells[step] ?? Array(repeating: JoinCell(), count: self.plan.fields.count)
    self.cells[step] = nil
    for (index, name) in self.plan.fields.enumerated() {
      // Another spec of the pipeline may have had the field elsewhere, or not at all.
      guard let place = plan.fields.firstIndex(of: name), let join = plan.joins[place] else { continue }
      if !join.isExact(name, in: columns.layout) { approximate.insert(name) }
      if self.plan.joins[index] == nil { self.plan.joins[index] = join }
      cells[index].take(join, columns, row)
    }
    self.cells[step] = cells
  }
}

extension Int64 {
  /// The greatest multiple of `step` that is not above.
  func floored(to step: Int64) -> Int64 {
    let rest = self % step
    return self &- (rest < 0 ? rest + step : rest)
  }
}
