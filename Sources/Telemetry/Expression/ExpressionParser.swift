internal import DeviceKit

/// Reads a condition by recursive descent, checks its types, and writes the program as it goes.
struct ExpressionParser {
  private enum Kind {
    case number, boolean, quality
    var name: String {
      switch self {
      case .number: "a number"
      case .boolean: "true or false"
      case .quality: "a quality"
      }
    }
  }

  private struct Operand {
    var kind: Kind
    var column: Int
  }

  private static let maximumLength = 1_024
  private static let maximumDepth = 64
  private let tokens: [ExpressionToken]
  private var position = 0
  private var steps: [ExpressionProgram.Step] = []

  init(_ text: String) throws(ExpressionError) {
    guard text.utf8.count <= Self.maximumLength else {
      throw ExpressionError(message: "longer than \(Self.maximumLength) bytes", column: Self.maximumLength)
    }
    tokens = try ExpressionToken.tokens(of: text)
  }

  mutating func parse() throws(ExpressionError) -> ExpressionProgram {
    let result = try either(depth: 0)
    guard case .end = current.kind else {
      throw ExpressionError(message: "unexpected '\(current.text)'", column: current.column)
    }
    try require(result, .boolean, "the whole condition")
    return ExpressionProgram(steps: steps)
  }

  private var current: ExpressionToken { tokens[position] }

  private mutating func take(_ operators: [String]) -> ExpressionToken? {
    guard case .symbol = current.kind, operators.contains(current.text) else { return nil }
    defer { position += 1 }
    return current
  }

  private func require(_ operand: Operand, _ kind: Kind, _ what: String) throws(ExpressionError) {
    guard operand.kind == kind else {
      throw ExpressionError(message: "\(what) must be \(kind.name), is \(operand.kind.name)", column: operand.column)
    }
  }

  private mutating func either(depth: Int) throws(ExpressionError) -> Operand {
    var left = try both(depth: depth)
    while take(["||"]) != nil {
      try require(left, .boolean, "the left side of ||")
      let right = try both(depth: depth)
      try require(right, .boolean, "the right side of ||")
      steps.append(.or)
      left.kind = .boolean
    }
    return left
  }

  private mutating func both(depth: Int) throws(ExpressionError) -> Operand {
    var left = try comparison(depth: depth)
    while take(["&&"]) != nil {
      try require(left, .boolean, "the left side of &&")
      let right = try comparison(depth: depth)
      try require(right, .boolean, "the right side of &&")
      steps.append(.and)
      left.kind = .boolean
    }
    return left
  }

  private mutating func comparison(depth: Int) throws(ExpressionError) -> Operand {
    let left = try sum(depth: depth)
    guard let symbol = take(["==", "!=", "<=", ">=", "<", ">"]) else { return left }
    let right = try sum(depth: depth)
    switch symbol.text {
    case "==", "!=":
      // `value == true` is allowed: a boolean sample counts as 1 or 0.
      guard left.kind == right.kind || (left.kind != .quality && right.kind != .quality) else {
        throw ExpressionError(
          message: "cannot compare \(left.kind.name) with \(right.kind.name)", column: symbol.column)
      }
      steps.append(symbol.text == "==" ? .equal : .notEqual)
    default:
      try require(left, .number, "the left side of \(symbol.text)")
      try require(right, .number, "the right side of \(symbol.text)")
      switch symbol.text {
      case "<": steps.append(.less)
      case "<=": steps.append(.lessOrEqual)
      case ">": steps.append(.greater)
      default: steps.append(.greaterOrEqual)
      }
    }
    if case .symbol = current.kind, ["==", "!=", "<=", ">=", "<", ">"].contains(current.text) {
      throw ExpressionError(message: "comparisons do not chain; write a < b && b < c", column: current.column)
    }
    return Operand(kind: .boolean, column: left.column)
  }

  private mutating func sum(depth: Int) throws(ExpressionError) -> Operand {
    let left = try product(depth: depth)
    while let symbol = take(["+", "-"]) {
      try require(left, .number, "the left side of \(symbol.text)")
      try require(try product(depth: depth), .number, "the right side of \(symbol.text)")
      steps.append(symbol.text == "+" ? .add : .subtract)
    }
    return left
  }

  private mutating func product(depth: Int) throws(ExpressionError) -> Operand {
    let left = try unary(depth: depth)
    while let symbol = take(["*", "/", "%"]) {
      try require(left, .number, "the left side of \(symbol.text)")
      try require(try unary(depth: depth), .number, "the right side of \(symbol.text)")
      steps.append(symbol.text == "*" ? .multiply : symbol.text == "/" ? .divide : .remainder)
    }
    return left
  }

  private mutating func unary(depth: Int) throws(ExpressionError) -> Operand {
    guard depth < Self.maximumDepth else {
      throw ExpressionError(message: "nested deeper than \(Self.maximumDepth)", column: current.column)
    }
    if let symbol = take(["-", "!"]) {
      let operand = try unary(depth: depth + 1)
      if symbol.text == "-" {
        try require(operand, .number, "what follows -")
        steps.append(.negate)
      } else {
        try require(operand, .boolean, "what follows !")
        steps.append(.not)
      }
      return Operand(kind: operand.kind, column: symbol.column)
    }
    return try primary(depth: depth)
  }

  private mutating func primary(depth: Int) throws(ExpressionError) -> Operand {
    let token = current
    if take(["("]) != nil {
      let inner = try either(depth: depth + 1)
      guard take([")"]) != nil else {
        throw ExpressionError(message: "expected ')' for the '(' at column \(token.column)", column: current.column)
      }
      return Operand(kind: inner.kind, column: token.column)
    }
    switch token.kind {
    case .number(let number):
      position += 1
      steps.append(.constant(number))
      return Operand(kind: .number, column: token.column)
    case .name:
      position += 1
      return try name(token)
    case .symbol:
      throw ExpressionError(message: "expected a value before '\(token.text)'", column: token.column)
    case .end:
      throw ExpressionError(message: "expected a value", column: token.column)
    }
  }

  private mutating func name(_ token: ExpressionToken) throws(ExpressionError) -> Operand {
    if let quality = Quality.allCases.first(where: { $0.name == token.text }) {
      steps.append(.constant(Double(quality.rawValue)))
      return Operand(kind: .quality, column: token.column)
    }
    switch token.text {
    case "value":
      steps.append(.value)
      return Operand(kind: .number, column: token.column)
    case "quality":
      steps.append(.quality)
      return Operand(kind: .quality, column: token.column)
    case "true", "false":
      steps.append(.constant(token.text == "true" ? 1 : 0))
      return Operand(kind: .boolean, column: token.column)
    default:
      throw ExpressionError(
        message: "unknown name '\(token.text)'; known: value, quality, true, false, Good, Uncertain, Bad",
        column: token.column)
    }
  }
}
