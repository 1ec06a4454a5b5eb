/// Measurements as lines of text in columns.
struct MeasurementTable {
  var rows: [Measurement]

  var text: String {
    let cells =
      [["measurement", "ours", "floor", "ratio", "unit"]]
      + rows.map { [$0.name, Self.rounded($0.ours), Self.rounded($0.floor), Self.rounded($0.ratio), $0.unit] }
    let widths = (0..<5).map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { row in
      row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return (1...3).contains(column) ? space + cell : cell + space
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// Two digits behind the point.
  static func rounded(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
