internal import DeviceKit

/// A condition over one reading.
struct WindowCondition {
  private let program: ExpressionProgram?

  /// Nil: the value is not 0.
  init(_ expression: Expression?) { program = expression?.program }

  func holds(_ value: Double, _ quality: Quality) -> Bool {
    program.map { $0.holds(value: value, quality: Double(quality.rawValue)) } ?? (value != 0)
  }
}
