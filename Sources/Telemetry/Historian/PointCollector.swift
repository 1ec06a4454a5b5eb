internal import DeviceKit

/// Makes each record a point.
final class PointCollector: QueryCollector {
  /// Where a field of a series comes from.
  private enum Source {
    case column(Int)
    /// A sample counts as one.
    case one
    case nothing
  }
  fileprivate struct Found {
    var layout: RecordLayout
    var fields: [String]
    var points: [TelemetryAnswer.Point] = []
  }

  private let window: Range<Int64>
  private let fields: [String]
  private let limit: Int
  private let first: UInt64
  private var found: [Int: Found] = [:]
  private var count = 0
  /// The record with which the next answer begins; nil: all were taken.
  private(set) var next: UInt64?

  init(_ query: TelemetryQuery, _ window: Range<Int64>, from first: UInt64) {
    self.window = window
    (fields, limit) = (query.fields, query.limit)
    self.first = first
  }

  func take(_ columns: RecordColumns, _ slots: [Int?]) -> Bool {
    let layout = columns.layout
    let names = fields.isEmpty ? layout.fields : fields
    let sources = names.map { Self.source(of: $0, in: layout) }
    guard sources.contains(where: { if case .nothing = $0 { false } else { true } }) else { return true }
    for (row, slot) in slots.enumerated() {
      let ordinal = columns.header.firstOrdinal + UInt64(row)
      guard let slot, ordinal >= first, window.contains(columns.starts[row]) else { continue }
      guard count < limit else {
        next = ordinal
        return false
      }
      count += 1
      let values = sources.map { source -> Value? in
        switch source {
        case .column(let column): columns.value(column, of: row)
        case .one: .integer(1)
        case .nothing: nil
        }
      }
      var series = found[slot] ?? Found(layout: layout, fields: names)
      // Fields by another spec of the pipeline: the answer has one list.
      let point = TelemetryAnswer.Point(
        time: columns.starts[row],
        values: series.fields == names
          ? values : series.fields.map { name in names.firstIndex(of: name).flatMap { values[$0] } })
      series.points.append(point)
      found[slot] = series
    }
    return true
  }

  /// Of a sample, `value` stands for what windows would say of it.
  private static func source(of field: String, in layout: RecordLayout) -> Source {
    if let column = layout.fields.firstIndex(of: field) { return .column(column) }
    guard let join = FieldJoin(field, in: layout) else { return .nothing }
    if case .number = join { return .one }
    return .column(0)
  }

  /// The series with points, by their place among those wanted.
  var result: [(slot: Int, fields: [String], points: [TelemetryAnswer.Point])] {
    found.sorted { $0.key < $1.key }.map { ($0.key, $0.value.fields, $0.value.points) }
  }
}
