internal import DeviceKit

extension WindowCell {
  /// The aggregate as kind and payload; `.none` where it has no meaning for what the window took, or is too large for
  /// its type. `first` and `last` are not the cell's.
  func result(of function: PipelineSpecification.Function) -> (SampleKind, UInt64) {
    switch (function, kind) {
    case (.count, _): (.integer, UInt64(count))
    case (_, .closed), (_, .other), (.first, _), (.last, _): (.none, 0)
    case (.min, .integer): (minimumIsUnsigned ? .unsigned : .integer, minimum)
    case (.max, .integer): (maximumIsUnsigned ? .unsigned : .integer, maximum)
    case (.sum, .integer): Self.exact(integerSum)
    case (.mean, .integer): (.number, (Double(integerSum) / Double(count)).bitPattern)
    case (.min, .number): (.number, minimum)
    case (.max, .number): (.number, maximum)
    case (.sum, .number): Self.finite(sum + compensation)
    case (.mean, .number): Self.finite((sum + compensation) / Double(count))
    }
  }

  private static func exact(_ sum: Int128) -> (SampleKind, UInt64) {
    if let small = Int64(exactly: sum) { return (.integer, UInt64(bitPattern: small)) }
    if let large = UInt64(exactly: sum) { return (.unsigned, large) }
    return (.number, Double(sum).bitPattern)
  }

  private static func finite(_ value: Double) -> (SampleKind, UInt64) {
    value.isFinite ? (.number, value.bitPattern) : (.none, 0)
  }
}
