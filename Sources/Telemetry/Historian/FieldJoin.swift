/// How one field of several records is made one value: what one window over all of them would have had.
enum FieldJoin: Hashable {
  /// What a mean is weighed by.
  enum Weight: Hashable {
    case column(Int)
    /// A percentage of the record's length.
    case share(Int)
    case length
    /// Each record counts the same.
    case equal
  }
  case total(Int)
  /// How many records there are.
  case number
  case least(Int)
  case greatest(Int)
  case earliest(Int)
  case latest(Int)
  case mean(Int, by: Weight)
  /// The mean is the total of the one by that of the other.
  case quotient(mean: Int, sum: Int, count: Int)

  /// Functions of which no join is known: that of two windows does not follow from theirs.
  static let impossible: Set = ["stddev", "median", "p90", "p95", "p99", PipelineSpecification.Aggregate.revision]

  /// Of samples, what stands in `value`.
  private static let sample = "value"
  static let ofSamples = ["mean", "min", "max", "count"]

  /// Nil where the records have no such field, or it cannot be joined.
  init?(_ field: String, in layout: RecordLayout) {
    let columns = layout.fields
    if columns == [Self.sample] {
      switch field {
      case "mean": self = .mean(0, by: .equal)
      case "min": self = .least(0)
      case "max": self = .greatest(0)
      case "sum": self = .total(0)
      case "count": self = .number
      case "first": self = .earliest(0)
      case "last", Self.sample: self = .latest(0)
      default: return nil
      }
      return
    }
    guard let column = columns.firstIndex(of: field), !Self.impossible.contains(field) else { return nil }
    let count = columns.firstIndex(of: "count")
    switch field {
    case "min": self = .least(column)
    case "max": self = .greatest(column)
    case "first": self = .earliest(column)
    case "last": self = .latest(column)
    case "mean":
      if let count, let sum = columns.firstIndex(of: "sum") {
        self = .quotient(mean: column, sum: sum, count: count)
      } else {
        self = .mean(column, by: count.map { .column($0) } ?? .equal)
      }
    case "timeWeightedMean":
      self = .mean(column, by: columns.firstIndex(of: "validPercentage").map { .share($0) } ?? .length)
    case "validPercentage", "rate": self = .mean(column, by: .length)
    default: self = .total(column)
    }
  }

  /// Whether the join of the field is what one window would have had.
  func isExact(_ field: String, in layout: RecordLayout) -> Bool {
    switch self {
    case .mean(_, by: .equal): layout.fields == [Self.sample]
    case .mean(_, by: .length): field == "validPercentage"
    default: true
    }
  }
}
