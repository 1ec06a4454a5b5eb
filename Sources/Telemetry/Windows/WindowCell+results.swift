internal import DeviceKit

extension WindowCell {
  /// One of count, min, max, sum and mean; absent where it has no meaning for what the window took, or is too large for
  /// its type.
  func result(of function: PipelineSpecification.Function) -> Numeral {
    switch (function, kind) {
    case (.count, _): Numeral(exact: Int128(count))
    case (.min, .integer): Numeral(kind: minimumIsUnsigned ? .unsigned : .integer, payload: minimum)
    case (.max, .integer): Numeral(kind: maximumIsUnsigned ? .unsigned : .integer, payload: maximum)
    case (.sum, .integer): Numeral(exact: integerSum)
    case (.mean, .integer): Numeral(finite: integerSum.double / Double(count))
    case (.min, .number): Numeral(kind: .number, payload: minimum)
    case (.max, .number): Numeral(kind: .number, payload: maximum)
    case (.sum, .number): Numeral(finite: sum + compensation)
    case (.mean, .number): Numeral(finite: (sum + compensation) / Double(count))
    default: .absent
    }
  }
}
