import Documents
import Telemetry
import Testing

@Suite struct ExpressionTests {
  /// Inputs of a condition over one sample of Good quality.
  static func result(_ expression: Expression, value: Double, age: Double = 0) -> Double {
    expression.program.result(
      expression.program.inputs.map { input in
        switch input {
        case .value: value
        case .age: age
        default: 0
        }
      })
  }

  @Test(
    arguments: [
      ("value > 1", 2.0, true), ("value > 1", 1, false), ("value >= 1 && value <= 1", 1, true),
      ("value < -40 || value > 125", 126, true), ("!(value == 3)", 3, false), ("1 + 2 * 3 == 7", 0, true),
      ("(1 + 2) * 3 == 9", 0, true), ("10 - 3 - 2 == 5", 0, true), ("7 % 4 == 3", 0, true), ("-value == 5", -5, true),
      ("value / 0 > 1e300", 1, true), ("value / 0 == value / 0", 0, false), ("value == true", 1, true),
      ("quality == Good", 0, true), ("quality != Good", 0, false), ("true || false && false", 0, true),
      ("value*1.5e1>=.5", 0.04, true), ("--value == value", 2, true), ("value != value", .nan, true),
      ("abs(value) == 2", -2, true), ("min(3, value, 5) == 2", 2, true), ("max(3, value) == 3", 2, true),
      ("round(2.5) == 3 && floor(-2.5) == -3 && ceil(2.1) == 3", 0, true), ("sqrt(value) == 3", 9, true),
      ("pow(2, value) == 8", 3, true), ("log(exp(value)) == value", 1, true), ("log10(1000) == 3", 0, true),
      ("clamp(value, 0, 10) == 10", 99, true), ("if(value > 1, value, 0) == 0", 1, true),
      ("if(value > 1, true, false)", 2, true), ("age < 1", 0, true), ("value -1 == 1", 2, true),
      ("min(0 / value, 3) == 3", 0, false), ("min(3, 0 / value) == 3", 0, false), ("max(0 / value, 3) == 3", 0, false),
      ("max(3, 0 / value) == 3", 0, false), ("ceil(value) == 3", 3, true), ("ceil(value) == -2", -2.5, true),
      ("round(value) == -3", -2.5, true), ("value % 4 == -3", -7, true),
    ] as [(String, Double, Bool)])
  func `conditions mean what they say`(text: String, value: Double, holds: Bool) throws {
    #expect((Self.result(try Expression(text), value: value) != 0) == holds)
  }

  @Test(arguments: [
    ("", 1), ("value", 1), ("value > ", 9), ("value = 3", 7), ("value > 1 &", 11), ("vlaue > 1", 1), ("(value > 1", 11),
    ("value > 1)", 10), ("1 < value < 3", 11), ("value && true", 1), ("quality > 1", 1), ("quality == 1", 1),
    ("value > 1 2", 11), ("3x > 1", 1), ("value > §", 9), ("! value", 3), ("value-1 > 2", 1), ("abs() > 1", 1),
    ("value > pow(1)", 9), ("sin(value) > 1", 1), ("unit > 1", 1), ("unit == 1", 9), ("1 == unit", 1),
    ("'a' == 'b", 8), ("label(unit) == 'a'", 1), ("matches(value, 'a*')", 1), ("matches(unit, '[a')", 15),
    ("if(value, 1, 2) > 1", 4), ("if(true, 1, false)", 1), ("value > max(1)", 9), ("'x'", 1), ("count('a*') > 1", 1),
  ])
  func `errors name the column`(text: String, column: Int) {
    do {
      _ = try Expression(text)
      Issue.record("was taken: \(text)")
    } catch {
      #expect(error.column == column, "\(text): \(error)")
    }
  }

  @Test(
    arguments: [
      ("power / flow", .device, nil), ("inlet-temperature - outlet-temperature", .device, .number),
      ("property(\"1st\") + 1", .device, .number), ("running && !door-open", .device, .boolean),
      ("sum(\"phase-*\")", .device, .number), ("avg(a, b, c)", .device, .number), ("value", .device, .failure),
      ("power", .group, .failure), ("sum(power) / count(power)", .group, .number), ("max(power) > 3", .group, .boolean),
      ("quality", .sampleAndDevice, .failure), ("value > limit", .sampleAndDevice, .boolean),
      ("sum()", .device, .failure),
      ("count(a, b)", .device, .failure), ("value-1", .device, .failure), ("label('a') == 'b'", .device, .boolean),
      ("value > 1 && quality == Good", .reading, .boolean), ("age > 1", .reading, .failure),
      ("unit == 'a'", .reading, .failure), ("sum(a, b)", .reading, .failure),
    ] as [(String, Expression.Scope, Outcome?)])
  func `scopes know their names`(text: String, scope: Expression.Scope, outcome: Outcome?) {
    let found = try? Expression(text, scope: scope, result: nil)
    switch outcome {
    case .failure: #expect(found == nil)
    case .boolean: #expect(found?.result == .boolean)
    case .number, nil: #expect(found?.result == .number)
    }
  }
  enum Outcome { case number, boolean, failure }

  @Test(
    arguments: [
      ("avg(a, b, c)", [1, 2, 6], 3), ("sum(a, b, c)", [1, 2, 6], 9), ("max(a, b, c)", [1, 6, 2], 6),
      ("min(a, b, c)", [4, 1, 2], 1), ("!a", [5], 0), ("!a", [0], 1), ("a || b", [5, 7], 1), ("a && b", [5, 7], 1),
      ("a && true", [.nan], 0), ("!a", [.nan], 1), ("if(a, b, 3)", [2, 4], 4), ("if(a, b, 3)", [0, 4], 3),
    ] as [(String, [Double], Double)])
  func `what a device's properties have is computed`(text: String, inputs: [Double], expected: Double) throws {
    let expression = try Expression(text, scope: .device, result: nil)
    #expect(expression.program.inputs.count == inputs.count)
    #expect(expression.program.result(inputs) == expected)
  }

  @Test(
    arguments: [
      ("namespace", "default"), ("device", "d"), ("node", "n1"), ("property", "p"), ("model", "m"), ("unit", "kW"),
      ("label('line')", "a"), ("label('none')", ""),
    ])
  func `a series' texts are compared as they are`(name: String, text: String) throws {
    for (condition, holds) in [
      ("\(name) == '\(text)'", true), ("'\(text)' == \(name)", true), ("\(name) != '\(text)'", false),
      ("\(name) == '\(text)x'", false), ("\(name) != '\(text)x'", true), ("matches(\(name), '\(text)*')", true),
      ("value > 0 && \(name) == '\(text)'", true), ("value > 9 || \(name) != '\(text)'", false),
    ] {
      let run = try StageRun("{\"filter\": {\"where\": \"\(condition)\"}}")
      run.labels = ["d": ["line": "a"]]
      run.units = ["p": "kW"]
      #expect(run.feed([NamedSample("p", 1, at: 1)]).isEmpty == !holds, "\(condition)")
    }
  }

  @Test func `deep nesting and long texts are refused, not crashed on`() {
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "(", count: 500)) }
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "!", count: 500) + "true") }
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "1+", count: 5_000) + "1>0") }
    #expect(throws: ExpressionError.self) { try Expression(String(repeating: "abs(", count: 200) + "1") }
    #expect(throws: ExpressionError.self) {
      try Expression((0..<40).map { "p\($0)" }.joined(separator: "+") + " > 0", scope: .device)
    }
    #expect(throws: Never.self) { try Expression(String(repeating: "1+", count: 500) + "1>0") }
  }
}
