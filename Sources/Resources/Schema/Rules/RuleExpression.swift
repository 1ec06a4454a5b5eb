/// A parsed CEL expression.
indirect enum RuleExpression: Sendable {
  enum Comprehension: String, Sendable {
    case all, exists, existsOne = "exists_one", map, filter
  }
  case literal(RuleLiteral)
  case name(String)
  case select(RuleExpression, String)
  case has(RuleExpression, String)
  case index(RuleExpression, RuleExpression)
  case not(RuleExpression)
  case negate(RuleExpression)
  case and([RuleExpression])
  case or([RuleExpression])
  case conditional(RuleExpression, RuleExpression, RuleExpression)
  /// `* / % + -`
  case arithmetic(String, RuleExpression, RuleExpression)
  /// `< <= > >=`
  case order(String, RuleExpression, RuleExpression)
  case equal(RuleExpression, RuleExpression, isNegated: Bool)
  case isIn(RuleExpression, RuleExpression)
  case call(String, [RuleExpression])
  case method(RuleExpression, String, [RuleExpression])
  /// `matches` with a pattern that stands in the text.
  case matches(RuleExpression, Pattern)
  case list([RuleExpression])
  case map([(key: RuleExpression, value: RuleExpression)])
  /// A macro over a list or a map's keys. `transform` is map's; `condition` is absent for map without a filter.
  case comprehension(
    Comprehension, RuleExpression, variable: String, condition: RuleExpression?, transform: RuleExpression?)

  /// Whether the name stands anywhere in the expression.
  func mentions(_ name: String) -> Bool {
    switch self {
    case .literal: false
    case .name(let own): own == name
    case .select(let base, _), .has(let base, _), .not(let base), .negate(let base), .matches(let base, _):
      base.mentions(name)
    case .index(let left, let right), .arithmetic(_, let left, let right), .order(_, let left, let right),
      .equal(let left, let right, _), .isIn(let left, let right):
      left.mentions(name) || right.mentions(name)
    case .and(let parts), .or(let parts), .call(_, let parts), .list(let parts):
      parts.contains { $0.mentions(name) }
    case .method(let base, _, let parts): base.mentions(name) || parts.contains { $0.mentions(name) }
    case .conditional(let condition, let yes, let no):
      condition.mentions(name) || yes.mentions(name) || no.mentions(name)
    case .map(let entries): entries.contains { $0.key.mentions(name) || $0.value.mentions(name) }
    case .comprehension(_, let range, let variable, let condition, let transform):
      range.mentions(name)
        || (variable != name && (condition?.mentions(name) ?? false || transform?.mentions(name) ?? false))
    }
  }
}
