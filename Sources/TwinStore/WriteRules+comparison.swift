public import DeviceKit
internal import Documents

extension WriteRules {
  /// Part of two floating-point numbers' magnitude by which they may differ and still be the same value: 1e-6.
  ///
  /// A value that passes through an IEEE 754 binary32 register is off by at most 2^-24 (6e-8) of itself, and a scale
  /// applied on the way in and out adds a few units in the last place of a binary64 number (1e-15). 1e-6 is more than
  /// ten times the larger of the two and far below what any sensor resolves.
  public static let relativeEpsilon = 1e-6

  /// Whether `reported` is what `desired` asks for. Integers, booleans and strings are compared exactly,
  /// integers within ``tolerance`` if there is one; numbers within the largest of ``tolerance``, half the
  /// ``resolution`` and ``relativeEpsilon`` of the larger magnitude. Arrays and objects hold where each element and
  /// member does.
  public func holds(_ desired: Value, in reported: Value) -> Bool {
    switch (desired, reported) {
    case (.integer, .integer), (.unsigned, .unsigned), (.integer, .unsigned), (.unsigned, .integer):
      if desired == reported { return true }
      guard tolerance > 0, let left = desired.number, let right = reported.number else { return false }
      return (left - right).magnitude <= tolerance
    case (.number, _), (_, .number):
      guard let left = desired.number, let right = reported.number else { return false }
      if left == right { return true }
      let epsilon = Swift.max(left.magnitude, right.magnitude) * Self.relativeEpsilon
      return (left - right).magnitude <= Swift.max(tolerance, resolution / 2, epsilon)
    case (.object(let left), .object(let right)):
      return holds(left, in: right)
    default:
      return desired == reported
    }
  }

  private func holds(_ desired: JSONValue, in reported: JSONValue) -> Bool {
    switch (desired, reported) {
    case (.array(let left), .array(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { holds($0, in: $1) }
    case (.object(let left), .object(let right)):
      return left.count == right.count
        && left.allSatisfy { key, value in right[key].map { holds(value, in: $0) } ?? false }
    default:
      if desired == reported { return true }
      guard let left = desired.scalar, let right = reported.scalar else { return false }
      return holds(left, in: right)
    }
  }
}

extension JSONValue {
  /// A number as a value; nil for anything else.
  fileprivate var scalar: DeviceKit.Value? {
    switch self {
    case .integer(let value): .integer(value)
    case .unsigned(let value): .unsigned(value)
    case .double(let value): .number(value)
    case .null, .bool, .string, .array, .object: nil
    }
  }
}
