internal import Documents
internal import Glibc

/// An expression compiled to steps of a stack machine whose cells are columns: each step works on a whole chunk of
/// samples. Truth is 1, falsehood 0.
package struct ExpressionProgram: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    /// An input by its place in ``inputs``.
    case input(Int)
    case constant(Double)
    /// 1 for all but 0 and what is not a number.
    case truth
    case negate, not
    case add, subtract, multiply, divide, remainder
    case less, lessOrEqual, greater, greaterOrEqual, equal, notEqual
    case and, or
    case call(Function)
  }

  package enum Function: String, Sendable, Hashable, CaseIterable {
    case abs, round, floor, ceil, sqrt, exp, log, log10, pow, min, max, clamp
    case choose = "if"

    /// How many arguments a call takes; nil: two or more, applied from the left.
    var arity: Int? {
      switch self {
      case .abs, .round, .floor, .ceil, .sqrt, .exp, .log, .log10: 1
      case .pow: 2
      case .clamp, .choose: 3
      case .min, .max: nil
      }
    }
  }

  package let steps: [Step]
  package let inputs: [ExpressionInput]
  /// The stack's greatest height.
  package let height: Int
  package let readsValue: Bool

  init(steps: [Step], inputs: [ExpressionInput]) {
    self.steps = steps
    self.inputs = inputs
    var height = 0
    var greatest = 1
    for step in steps {
      height += step.effect
      greatest = max(greatest, height)
    }
    self.height = greatest
    readsValue = inputs.contains(.value)
  }

  /// Computes the expression for `count` samples. Input i of sample n is `inputs[i × stride + n]`. `stack` has room for
  /// `height × count` cells; its first `count` are the result.
  package func run(
    inputs: UnsafePointer<Double>, stride: Int, count: Int, stack: UnsafeMutablePointer<Double>
  ) {
    var top = stack - count
    for step in steps {
      switch step {
      case .input(let place):
        top += count
        top.update(from: inputs + place * stride, count: count)
      case .constant(let constant):
        top += count
        top.update(repeating: constant, count: count)
      case .truth: Self.change(top, count) { $0 != 0 && $0 == $0 ? 1 : 0 }
      case .negate: Self.change(top, count) { -$0 }
      case .not: Self.change(top, count) { 1 - $0 }
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
      case .or: top = Self.combine(top, count) { $0 > $1 ? $0 : $1 }
      case .call(let function): top = Self.call(function, top, count)
      }
    }
  }

  private static func call(
    _ function: Function, _ top: UnsafeMutablePointer<Double>, _ count: Int
  ) -> UnsafeMutablePointer<Double> {
    switch function {
    case .abs: change(top, count) { $0.magnitude }
    case .round: change(top, count) { $0.rounded() }
    case .floor: change(top, count) { $0.rounded(.down) }
    case .ceil: change(top, count) { $0.rounded(.up) }
    case .sqrt: change(top, count) { $0.squareRoot() }
    case .exp: change(top, count) { Glibc.exp($0) }
    case .log: change(top, count) { Glibc.log($0) }
    case .log10: change(top, count) { Glibc.log10($0) }
    case .pow: return combine(top, count) { Glibc.pow($0, $1) }
    // Of a number and what is none, the result is none.
    case .min: return combine(top, count) { $0 < $1 || $0 != $0 ? $0 : $1 }
    case .max: return combine(top, count) { $0 > $1 || $0 != $0 ? $0 : $1 }
    case .clamp:
      let (low, value) = (top - count, top - 2 * count)
      for index in 0..<count {
        value[index] = value[index] < low[index] ? low[index] : value[index] > top[index] ? top[index] : value[index]
      }
      return value
    case .choose:
      let (yes, condition) = (top - count, top - 2 * count)
      for index in 0..<count { condition[index] = condition[index] != 0 ? yes[index] : top[index] }
      return condition
    }
    return top
  }

  @inline(__always)
  private static func change(_ top: UnsafeMutablePointer<Double>, _ count: Int, _ operation: (Double) -> Double) {
    for index in 0..<count { top[index] = operation(top[index]) }
  }

  @inline(__always)
  private static func combine(
    _ top: UnsafeMutablePointer<Double>, _ count: Int, _ operation: (Double, Double) -> Double
  ) -> UnsafeMutablePointer<Double> {
    let below = top - count
    for index in 0..<count { below[index] = operation(below[index], top[index]) }
    return below
  }

  /// Whether a condition over ``Expression/Scope/reading`` holds. `quality` is the raw value of the quality.
  package func holds(value: Double, quality: Double) -> Bool {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: height + inputs.count) { cells in
      cells.initialize(repeating: 0)
      guard let base = cells.baseAddress else { return false }
      for (place, input) in inputs.enumerated() { base[height + place] = input == .value ? value : quality }
      run(inputs: base + height, stride: 1, count: 1, stack: base)
      return base[0] != 0
    }
  }

  /// The result for one sample, whose inputs are given in the order of ``inputs``.
  package func result(_ inputs: [Double]) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: height) { stack in
      stack.initialize(repeating: 0)
      return inputs.withUnsafeBufferPointer { inputs in
        guard let base = stack.baseAddress else { return .nan }
        let none = UnsafePointer(base)
        run(inputs: inputs.baseAddress ?? none, stride: 1, count: 1, stack: base)
        return base[0]
      }
    }
  }
}

extension ExpressionProgram.Step {
  /// How the step changes the height of the stack.
  fileprivate var effect: Int {
    switch self {
    case .input, .constant: 1
    case .negate, .not, .truth: 0
    case .call(let function): 1 - (function.arity ?? 2)
    default: -1
    }
  }
}
