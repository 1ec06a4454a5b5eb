import Telemetry
import Testing

@Suite struct ExpressionTests {
  @Test(
    arguments: [
      ("value > 1", 2.0, true), ("value > 1", 1, false), ("value >= 1 && value <= 1", 1, true),
      ("value < -40 || value > 125", 126, true), ("!(value == 3)", 3, false), ("1 + 2 * 3 == 7", 0, true),
      ("(1 + 2) * 3 == 9", 0, true), ("10 - 3 - 2 == 5", 0, true), ("7 % 4 == 3", 0, true), ("-value == 5", -5, true),
      ("value / 0 > 1e300", 1, true), ("value / 0 == value / 0", 0, false), ("value == true", 1, true),
      ("quality == Good", 0, true), ("quality != Good", 0, false), ("true || false && false", 0, true),
      ("value*1.5e1>=.5", 0.04, true), ("--value == value", 2, true), ("value != value", .nan, true),
    ] as [(String, Double, Bool)])
  func `conditions mean what they say`(text: String, value: Double, holds: Bool) throws {
    #expect(try Expression(text).program.holds(value: value, quality: 0) == holds)
  }

  @Test(arguments: [
    ("", 1), ("value", 1), ("value > ", 9), ("value = 3", 7), ("value > 1 &", 11), ("vlaue > 1", 1), ("(value > 1", 11),
    ("value > 1)", 10), ("1 < value < 3", 11), ("value && true", 1), ("quality > 1", 1), ("quality == 1", 9),
    ("value > 1 2", 11), ("3x > 1", 1), ("value > §", 9), ("! value", 3),
  ])
  func `errors name the column`(text: String, column: Int) {
    do {
      _ = try Expression(text)
      Issue.record("was taken: \(text)")
    } catch {
      #expect(error.column == column, "\(text): \(error)")
    }
  }

  @Test func `deep nesting and long texts are refused, not crashed on`() {
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "(", count: 500)) }
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "!", count: 500) + "true") }
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "1+", count: 5_000) + "1>0") }
  }

  /// A random condition, and what it is for `value`.
  private func random(_ depth: Int, _ generator: inout SeededGenerator, _ value: Double) -> (String, Bool) {
    if depth == 0 || Int.random(in: 0..<4, using: &generator) == 0 {
      let (left, right) = (number(2, &generator, value), number(2, &generator, value))
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: return ("\(left.0) < \(right.0)", left.1 < right.1)
      case 1: return ("\(left.0)>=\(right.0)", left.1 >= right.1)
      case 2: return ("\(left.0) == \(right.0)", left.1 == right.1)
      default: return ("\(left.0) != \(right.0)", left.1 != right.1)
      }
    }
    let left = random(depth - 1, &generator, value)
    let right = random(depth - 1, &generator, value)
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: return ("(\(left.0)) && (\(right.0))", left.1 && right.1)
    case 1: return ("(\(left.0) || \(right.0))", left.1 || right.1)
    default: return ("!(\(left.0))", !left.1)
    }
  }

  private func number(_ depth: Int, _ generator: inout SeededGenerator, _ value: Double) -> (String, Double) {
    switch Int.random(in: 0..<(depth == 0 ? 2 : 5), using: &generator) {
    case 0: return ("value", value)
    case 1:
      let constant = Int.random(in: 0..<9, using: &generator)
      return ("\(constant)", Double(constant))
    case 2:
      let (left, right) = (number(depth - 1, &generator, value), number(depth - 1, &generator, value))
      return ("(\(left.0) + \(right.0))", left.1 + right.1)
    case 3:
      let (left, right) = (number(depth - 1, &generator, value), number(depth - 1, &generator, value))
      return ("(\(left.0) * \(right.0))", left.1 * right.1)
    default:
      let inner = number(depth - 1, &generator, value)
      return ("-\(inner.0)", -inner.1)
    }
  }

  @Test func `random conditions agree with Swift's own arithmetic`() throws {
    var generator = SeededGenerator(77)
    for _ in 0..<2_000 {
      let value = Double(Int.random(in: -5...5, using: &generator))
      let (text, expected) = random(3, &generator, value)
      guard text.utf8.count <= 1_024 else { continue }
      #expect(try Expression(text).program.holds(value: value, quality: 0) == expected, "\(text)")
    }
  }

  @Test func `mangled texts end in an error or a condition, never in a crash`() {
    var generator = SeededGenerator(5)
    let words = [
      "value", "quality", "Good", "true", "1", "2.5", "1e", ".", "(", ")", "&&", "||", "!", "-", "<", "==", "%", " ",
      "é", "&", "=",
    ]
    var taken = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in words.randomElement(using: &generator)! }
        .joined()
      if let expression = try? Expression(text) {
        taken += 1
        _ = expression.program.holds(value: 1, quality: 0)
      }
    }
    #expect(taken > 10)
  }
}
