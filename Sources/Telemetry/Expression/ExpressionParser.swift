/// Reads an expression by recursive descent. Operators, loosest first: `||`, `&&`, comparison (not chained), `+ -`,
/// `* / %`, unary `- !`; then numbers, texts, names, calls and parentheses.
struct ExpressionParser {
  static let maximumLength = 1_024
  static let maximumDepth = 64
  private let tokens: [ExpressionToken]
  private var position = 0
  private var depth = 0

  init(_ text: String) throws(ExpressionError) {
    guard text.utf8.count <= Self.maximumLength else {
      throw ExpressionError(message: "longer than \(Self.maximumLength) bytes", column: Self.maximumLength)
    }
    var scanner = ExpressionScanner(text)
    tokens = try scanner.tokens()
  }

  mutating func parse() throws(ExpressionError) -> ExpressionNode {
    let node = try binary(level: 1)
    guard case .end = current.kind else {
      throw ExpressionError(message: "unexpected '\(current.text)'", column: current.column)
    }
    return node
  }

  private var current: ExpressionToken { tokens[position] }

  private mutating func take(_ symbol: String) -> Bool {
    guard case .symbol = current.kind, current.text == symbol else { return false }
    position += 1
    return true
  }

  private func operation(at level: Int) -> ExpressionNode.Binary? {
    guard case .symbol = current.kind else { return nil }
    return ExpressionNode.Binary(rawValue: current.text).flatMap { $0.level == level ? $0 : nil }
  }

  private mutating func binary(level: Int) throws(ExpressionError) -> ExpressionNode {
    guard level <= 5 else { return try unary() }
    var left = try binary(level: level + 1)
    while let operation = operation(at: level) {
      position += 1
      let right = try binary(level: level + 1)
      left = ExpressionNode(.binary(operation, left, right), at: left.column)
      if !operation.chains, self.operation(at: level) != nil {
        throw ExpressionError(message: "comparisons do not chain; write a < b && b < c", column: current.column)
      }
    }
    return left
  }

  private mutating func unary() throws(ExpressionError) -> ExpressionNode {
    guard depth < Self.maximumDepth else {
      throw ExpressionError(message: "nested deeper than \(Self.maximumDepth)", column: current.column)
    }
    depth += 1
    defer { depth -= 1 }
    let column = current.column
    if take("-") { return ExpressionNode(.unary(.negate, try unary()), at: column) }
    if take("!") { return ExpressionNode(.unary(.not, try unary()), at: column) }
    return try primary()
  }

  private mutating func primary() throws(ExpressionError) -> ExpressionNode {
    let token = current
    if take("(") {
      let inner = try binary(level: 1)
      try close(token)
      return ExpressionNode(inner.form, at: token.column)
    }
    switch token.kind {
    case .number(let number):
      position += 1
      return ExpressionNode(.number(number), at: token.column)
    case .text:
      position += 1
      return ExpressionNode(.text(token.text), at: token.column)
    case .name:
      position += 1
      guard case .symbol = current.kind, current.text == "(" else {
        return ExpressionNode(.name(token.text), at: token.column)
      }
      return ExpressionNode(.call(token.text, try arguments()), at: token.column)
    case .symbol: throw ExpressionError(message: "expected a value before '\(token.text)'", column: token.column)
    case .end: throw ExpressionError(message: "expected a value", column: token.column)
    }
  }

  private mutating func arguments() throws(ExpressionError) -> [ExpressionNode] {
    let opening = current
    position += 1
    if take(")") { return [] }
    var arguments: [ExpressionNode] = []
    repeat { arguments.append(try binary(level: 1)) } while take(",")
    try close(opening)
    return arguments
  }

  private mutating func close(_ opening: ExpressionToken) throws(ExpressionError) {
    guard take(")") else {
      throw ExpressionError(message: "expected ')' for the '(' at column \(opening.column)", column: current.column)
    }
  }
}
