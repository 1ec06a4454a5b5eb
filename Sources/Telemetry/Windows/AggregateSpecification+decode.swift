extension PipelineSpecification.Aggregate {
  private static let unservedWindows = ["hopping", "sliding", "session", "count", "state"]
  private static let unservedFunctions: Set<String> = [
    "stddev", "median", "p90", "p95", "p99", "rate", "increase", "integral", "timeWeightedMean", "duration", "delta",
  ]
  /// Windows are at most a week long: their ends then stay far from the limits of 64-bit nanoseconds.
  private static let longest = Duration.seconds(7 * 86_400)

  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard var window = try reader.object("window") else { throw reader.error("window", "is required") }
    for name in Self.unservedWindows where window.value(name) != nil {
      throw window.error(name, "the window '\(name)' is not served by this version; use tumbling")
    }
    guard let tumbling = try window.duration("tumbling") else { throw window.error("tumbling", "is required") }
    guard tumbling <= Self.longest else { throw window.error("tumbling", "must be at most 168h") }
    try window.finish()
    guard let names = try reader.strings("functions"), !names.isEmpty else {
      throw reader.error("functions", "must list at least one function")
    }
    var functions: [PipelineSpecification.Function] = []
    for (index, name) in names.enumerated() {
      guard let function = PipelineSpecification.Function(rawValue: name) else {
        let known = PipelineSpecification.Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw reader.error(
          "functions[\(index)]",
          Self.unservedFunctions.contains(name)
            ? "the function '\(name)' is not served by this version; served: \(known)"
            : "unknown function '\(name)'; known: \(known)")
      }
      guard !functions.contains(function) else {
        throw reader.error("functions[\(index)]", "lists '\(name)' a second time")
      }
      functions.append(function)
    }
    let lateness = try reader.duration("lateness", allowingZero: true) ?? .zero
    guard lateness <= Self.longest else { throw reader.error("lateness", "must be at most 168h") }
    try reader.finish()
    self.init(tumbling: tumbling, functions: functions, lateness: lateness)
  }
}
