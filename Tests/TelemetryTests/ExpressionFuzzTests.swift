import DeviceKit
import Documents
import Foundation
import Telemetry
import Testing

private typealias Expression = Telemetry.Expression

/// Random expressions: printed and parsed, evaluated twice over, and mangled. `SELVEDGE_FUZZ_SECONDS` says how long;
/// without it a count of rounds ends it. `SELVEDGE_FUZZ_SEED` says where it begins.
@Suite struct ExpressionFuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seed = environment["SELVEDGE_FUZZ_SEED"].flatMap { UInt64($0) } ?? 77

  private func rounds(_ least: Int, _ body: (inout SplitMix64) throws -> Void) rethrows {
    var generator = SplitMix64(seed: Self.seed)
    let span = Self.environment["SELVEDGE_FUZZ_SECONDS"].flatMap { Double($0) }
    let deadline = span.map { ContinuousClock.now + .seconds($0 / 4) }
    var round = 0
    while deadline.map({ ContinuousClock.now < $0 }) ?? (round < least) {
      try body(&generator)
      round += 1
    }
  }

  /// A random condition over `value`, and what Swift's own arithmetic makes of it.
  private func condition(_ depth: Int, _ generator: inout SplitMix64, _ value: Double) -> (ExpressionNode, Bool) {
    func node(_ form: ExpressionNode.Form) -> ExpressionNode { ExpressionNode(form) }
    if depth == 0 || Int.random(in: 0..<4, using: &generator) == 0 {
      let (left, right) = (number(2, &generator, value), number(2, &generator, value))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: return (node(.binary(.less, left.0, right.0)), left.1 < right.1)
      case 1: return (node(.binary(.greaterOrEqual, left.0, right.0)), left.1 >= right.1)
      case 2: return (node(.binary(.equal, left.0, right.0)), left.1 == right.1)
      case 3: return (node(.binary(.lessOrEqual, left.0, right.0)), left.1 <= right.1)
      case 4: return (node(.binary(.greater, left.0, right.0)), left.1 > right.1)
      default: return (node(.binary(.notEqual, left.0, right.0)), left.1 != right.1)
      }
    }
    let left = condition(depth - 1, &generator, value)
    let right = condition(depth - 1, &generator, value)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return (node(.binary(.and, left.0, right.0)), left.1 && right.1)
    case 1: return (node(.binary(.or, left.0, right.0)), left.1 || right.1)
    case 2:
      let chosen = condition(depth - 1, &generator, value)
      return (node(.call("if", [chosen.0, left.0, right.0])), chosen.1 ? left.1 : right.1)
    default: return (node(.unary(.not, left.0)), !left.1)
    }
  }

  private func number(_ depth: Int, _ generator: inout SplitMix64, _ value: Double) -> (ExpressionNode, Double) {
    func node(_ form: ExpressionNode.Form) -> ExpressionNode { ExpressionNode(form) }
    func inner() -> (ExpressionNode, Double) { number(depth - 1, &generator, value) }
    switch Int.random(in: 0..<(depth == 0 ? 2 : 10), using: &generator) {
    case 0: return (node(.name("value")), value)
    case 1:
      let constant = [0, 1, 2, 3.5, 1e20, 0.1, 1e-7, 123_456_789].randomElement(using: &generator)!
      return (node(.number(constant)), constant)
    case 2:
      let (left, right) = (inner(), inner())
      return (node(.binary(.add, left.0, right.0)), left.1 + right.1)
    case 3:
      let (left, right) = (inner(), inner())
      return (node(.binary(.multiply, left.0, right.0)), left.1 * right.1)
    case 4:
      let (left, right) = (inner(), inner())
      return (node(.binary(.subtract, left.0, right.0)), left.1 - right.1)
    case 5:
      let (left, right) = (inner(), inner())
      return (node(.binary(.divide, left.0, right.0)), left.1 / right.1)
    case 6:
      let (left, right) = (inner(), inner())
      return (
        node(.binary(.remainder, left.0, right.0)), left.1.truncatingRemainder(dividingBy: right.1)
      )
    case 7:
      let one = inner()
      return (node(.call("abs", [one.0])), abs(one.1))
    case 8:
      let (low, one, high) = (inner(), inner(), inner())
      let clamped = one.1 < low.1 ? low.1 : one.1 > high.1 ? high.1 : one.1
      return (node(.call("clamp", [one.0, low.0, high.0])), clamped)
    default:
      let one = inner()
      return (node(.unary(.negate, one.0)), -one.1)
    }
  }

  @Test func `what is printed is parsed to the same, and computes as Swift does`() throws {
    try rounds(4_000) { generator in
      let value = Double(Int.random(in: -5...5, using: &generator))
      let (node, expected) = condition(3, &generator, value)
      guard node.description.utf8.count <= 1_024 else { return }
      let expression = try Expression(node.description)
      #expect(expression.node == node, "\(node)")
      #expect(expression.node.description == node.description)
      #expect((ExpressionTests.result(expression, value: value) != 0) == expected, "\(node) of \(value)")
    }
  }

  private static let words = [
    "value", "quality", "age", "Good", "true", "1", "2.5", "1e", ".", "(", ")", "&&", "||", "!", "-", "<", "==", "%",
    " ",
    "é", "&", "=", "sum(", "if(", ",", "label('a')", "'", "\"", "power", "in-let", "matches(unit,'*')", "min(", "\u{0}",
  ]

  @Test func `random words end in an error or in an expression that prints and parses again`() {
    var taken = 0
    rounds(20_000) { generator in
      let text = (0..<Int.random(in: 0..<12, using: &generator))
        .map { _ in Self.words.randomElement(using: &generator)! }.joined()
      for scope in [Expression.Scope.sample, .device, .sampleAndDevice, .group] {
        guard let expression = try? Expression(text, scope: scope, result: nil) else { continue }
        taken += 1
        _ = expression.program.result(expression.program.inputs.map { _ in 1 })
        #expect((try? Expression(expression.node.description, scope: scope, result: nil))?.node == expression.node)
      }
    }
    #expect(taken > 10)
  }

  @Test func `expressions with a byte changed, lost or doubled never crash the parser`() {
    rounds(8_000) { generator in
      var bytes = Array(condition(3, &generator, 1).0.description.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = .random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[place], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(ExpressionError) {
        let expression = try Expression(text)
        _ = ExpressionTests.result(expression, value: 1)
      } catch {
        #expect((1...text.count + 1).contains(error.column) || text.utf8.count > 1_024, "\(text): \(error)")
      }
    }
  }
}
