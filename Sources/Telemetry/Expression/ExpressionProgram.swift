/// A condition compiled to steps of a stack machine whose cells are columns: each step works on a whole chunk of
/// samples. Truth is 1, falsehood 0.
package struct ExpressionProgram: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    case value
    case quality
    case constant(Double)
    case negate, not
    case add, subtract, multiply, divide, remainder
    case less, lessOrEqual, greater, greaterOrEqual, equal, notEqual
    case and, or

    /// How the step changes the height of the stack.
    var effect: Int {
      switch self {
      case .value, .quality, .constant: 1
      case .negate, .not: 0
      default: -1
      }
    }
  }

  package let steps: [Step]
  /// The stack's greatest height.
  package let height: Int
  package let readsValue: Bool

  package init(steps: [Step]) {
    self.steps = steps
    var height = 0
    var greatest = 1
    for step in steps {
      height += step.effect
      greatest = max(greatest, height)
    }
    self.height = greatest
    readsValue = steps.contains(.value)
  }

  /// Computes the condition for `count` samples. `stack` has room for `height × count` cells; its first `count` are
  /// the result.
  package func run(
    values: UnsafePointer<Double>, qualities: UnsafePointer<Double>, count: Int, stack: UnsafeMutablePointer<Double>
  ) {
    var top = stack - count
    for step in steps {
      switch step {
      case .value:
        top += count
        top.update(from: values, count: count)
      case .quality:
        top += count
        top.update(from: qualities, count: count)
      case .constant(let constant):
        top += count
        top.update(repeating: constant, count: count)
      case .negate: for index in 0..<count { top[index] = -top[index] }
      case .not: for index in 0..<count { top[index] = 1 - top[index] }
      case .add: top = Self.combine(top, count) { $0 + $1 }
      case .subtract: top = Self.combine(top, count) { $0 - $1 }
      case .multiply: top = Self.combine(top, count) { $0 * $1 }
      case .divide: top = Self.combine(top, count) { $0 / $1 }
      case .remainder: top = Self.combine(top, count) { $0.truncatingRemainder(dividingBy: $1) }
      case .less: top = Self.combine(top, count) { $0 < $1 ? 1 : 0 }
      case .lessOrEqual: top = Self.combine(top, count) { $0 <= $1 ? 1 : 0 }
      case .greater: top = Self.combine(top, count) { $0 > $1 ? 1 : 0 }
      case .greaterOrEqual: top = Self.combine(top, count) { $0 >= $1 ? 1 : 0 }
      case .equal: top = Self.combine(top, count) { $0 == $1 ? 1 : 0 }
      case .notEqual: top = Self.combine(top, count) { $0 != $1 ? 1 : 0 }
      case .and: top = Self.combine(top, count) { $0 * $1 }
      case .or: top = Self.combine(top, count) { max($0, $1) }
      }
    }
  }

  @inline(__always)
  private static func combine(
    _ top: UnsafeMutablePointer<Double>, _ count: Int, _ operation: (Double, Double) -> Double
  ) -> UnsafeMutablePointer<Double> {
    let below = top - count
    for index in 0..<count { below[index] = operation(below[index], top[index]) }
    return below
  }

  /// The condition for one sample. `quality` is the raw value of the quality.
  package func holds(value: Double, quality: Double) -> Bool {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: height) { stack in
      stack.initialize(repeating: 0)
      guard let base = stack.baseAddress else { return false }
      return withUnsafePointer(to: value) { value in
        withUnsafePointer(to: quality) { quality in
          run(values: value, qualities: quality, count: 1, stack: base)
          return base[0] != 0
        }
      }
    }
  }
}
