/// Parses CEL by recursive descent (github.com/google/cel-spec, langdef, section Syntax).
struct RuleParser {
  private static let maximumDepth = 40
  private static let maximumLength = 8_192
  private static let maximumChain = 64

  private let tokens: [RuleToken]
  private var position = 0
  private var depth = 0

  /// The expression that `text` holds.
  static func parse(_ text: String) throws(RuleError) -> RuleExpression {
    guard text.utf8.count <= maximumLength else { throw RuleError("the expression is too long") }
    var lexer = RuleLexer(text)
    var parser = RuleParser(tokens: try lexer.tokens())
    let expression = try parser.expression()
    guard parser.current.kind == .end else { throw parser.unexpected() }
    return expression
  }

  private init(tokens: [RuleToken]) { self.tokens = tokens }

  private var current: RuleToken { tokens[position] }

  private func unexpected() -> RuleError {
    switch current.kind {
    case .end: RuleError("the expression ends too early")
    case .sign(let text), .name(let text): RuleError("unexpected '\(text)' at character \(current.column)")
    case .literal: RuleError("unexpected literal at character \(current.column)")
    }
  }

  private mutating func take(_ sign: String) -> Bool {
    guard current.kind == .sign(sign) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ sign: String) throws(RuleError) { guard take(sign) else { throw unexpected() } }

  private mutating func takeAny(_ signs: [String]) -> String? {
    guard case .sign(let sign) = current.kind, signs.contains(sign) else { return nil }
    position += 1
    return sign
  }

  private mutating func expression() throws(RuleError) -> RuleExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw RuleError("nested too deep at character \(current.column)") }
    let condition = try disjunction()
    guard take("?") else { return condition }
    let yes = try disjunction()
    try expect(":")
    return .conditional(condition, yes, try expression())
  }

  private mutating func disjunction() throws(RuleError) -> RuleExpression {
    var parts = [try conjunction()]
    while take("||") { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func conjunction() throws(RuleError) -> RuleExpression {
    var parts = [try relation()]
    while take("&&") { parts.append(try relation()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func relation() throws(RuleError) -> RuleExpression {
    var left = try sum()
    var count = 0
    while let sign = takeAny(["<", "<=", ">", ">=", "==", "!=", "in"]) {
      try bound(&count)
      let right = try sum()
      switch sign {
      case "==", "!=": left = .equal(left, right, isNegated: sign == "!=")
      case "in": left = .isIn(left, right)
      default: left = .order(sign, left, right)
      }
    }
    return left
  }

  private mutating func sum() throws(RuleError) -> RuleExpression {
    var left = try product()
    var count = 0
    while let sign = takeAny(["+", "-"]) {
      try bound(&count)
      left = .arithmetic(sign, left, try product())
    }
    return left
  }

  private mutating func product() throws(RuleError) -> RuleExpression {
    var left = try unary()
    var count = 0
    while let sign = takeAny(["*", "/", "%"]) {
      try bound(&count)
      left = .arithmetic(sign, left, try unary())
    }
    return left
  }

  private func bound(_ count: inout Int) throws(RuleError) {
    count += 1
    guard count <= Self.maximumChain else { throw RuleError("too many operators at character \(current.column)") }
  }

  private mutating func unary() throws(RuleError) -> RuleExpression {
    var signs = 0
    if take("!") {
      signs = 1
      while take("!") { signs += 1 }
      let operand = try member()
      return signs % 2 == 1 ? .not(operand) : .not(.not(operand))
    }
    if take("-") {
      signs = 1
      while take("-") { signs += 1 }
      let operand = try member()
      guard signs % 2 == 1 else { return .negate(.negate(operand)) }
      switch operand {
      case .literal(.int(let value)): return .literal(.int(-value))
      case .literal(.double(let value)): return .literal(.double(-value))
      default: return .negate(operand)
      }
    }
    return try member()
  }

  private mutating func member() throws(RuleError) -> RuleExpression {
    var base = try primary()
    var count = 0
    while true {
      try bound(&count)
      if take(".") {
        guard case .name(let name) = current.kind else { throw unexpected() }
        position += 1
        base = take("(") ? try method(base, name, try arguments(until: ")")) : .select(base, name)
      } else if take("[") {
        base = .index(base, try expression())
        try expect("]")
      } else {
        return base
      }
    }
  }

  private mutating func primary() throws(RuleError) -> RuleExpression {
    switch current.kind {
    case .literal(let literal):
      position += 1
      return .literal(literal)
    case .name(let name):
      position += 1
      return take("(") ? try call(name, try arguments(until: ")")) : .name(name)
    case .sign("("):
      position += 1
      let inner = try expression()
      try expect(")")
      return inner
    case .sign("["):
      position += 1
      return .list(try arguments(until: "]"))
    case .sign("{"):
      position += 1
      return .map(try entries())
    default: throw unexpected()
    }
  }

  private mutating func arguments(until end: String) throws(RuleError) -> [RuleExpression] {
    var arguments: [RuleExpression] = []
    while !take(end) {
      if !arguments.isEmpty {
        try expect(",")
        if end == "]", take(end) { break }
      }
      arguments.append(try expression())
    }
    return arguments
  }

  private mutating func entries() throws(RuleError) -> [(key: RuleExpression, value: RuleExpression)] {
    var entries: [(key: RuleExpression, value: RuleExpression)] = []
    while !take("}") {
      if !entries.isEmpty {
        try expect(",")
        if take("}") { break }
      }
      let key = try expression()
      try expect(":")
      entries.append((key, try expression()))
    }
    return entries
  }

  private func call(_ name: String, _ arguments: [RuleExpression]) throws(RuleError) -> RuleExpression {
    guard name == "has" else {
      if name == "matches", arguments.count == 2, case .literal(.string(let text)) = arguments[1] {
        return .matches(arguments[0], try pattern(text))
      }
      return .call(name, arguments)
    }
    guard arguments.count == 1, case .select(let base, let field) = arguments[0] else {
      throw RuleError("has() takes the selection of a field")
    }
    return .has(base, field)
  }

  private func method(
    _ base: RuleExpression, _ name: String, _ arguments: [RuleExpression]
  ) throws(RuleError) -> RuleExpression {
    if name == "matches", arguments.count == 1, case .literal(.string(let text)) = arguments[0] {
      return .matches(base, try pattern(text))
    }
    guard let macro = RuleExpression.Comprehension(rawValue: name) else { return .method(base, name, arguments) }
    guard arguments.count == 2 || (macro == .map && arguments.count == 3) else {
      throw RuleError("\(name)() takes a variable and an expression")
    }
    guard case .name(let variable) = arguments[0] else { throw RuleError("\(name)() takes a variable's name first") }
    let isMap = macro == .map
    return .comprehension(
      macro, base, variable: variable, condition: isMap && arguments.count == 2 ? nil : arguments[1],
      transform: isMap ? arguments.last : nil)
  }

  private func pattern(_ text: String) throws(RuleError) -> Pattern {
    do { return try Pattern(text) } catch { throw RuleError(error.description) }
  }
}
