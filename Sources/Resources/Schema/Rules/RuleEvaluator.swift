internal import Documents

/// Evaluates a CEL expression. Pure; every step is paid for out of a budget.
struct RuleEvaluator {
  /// What one rule may cost at one place, as in Kubernetes (apiserver/pkg/apis/cel, PerCallLimit).
  static let costOfOneCall = 1_000_000

  private(set) var cost = 0
  private var scope: [(name: String, value: RuleValue)]

  init(_ scope: [(name: String, value: RuleValue)]) { self.scope = scope }

  mutating func spend(_ amount: Int = 1) throws(RuleFailure) {
    cost += amount
    guard cost <= Self.costOfOneCall else { throw .costExceeded }
  }

  mutating func evaluate(_ expression: RuleExpression) throws(RuleFailure) -> RuleValue {
    try spend()
    switch expression {
    case .literal(let literal): return literal.value
    case .name(let name):
      guard let value = scope.last(where: { $0.name == name })?.value else { throw .noSuchKey(name) }
      return value
    case .select(let base, let field): return try select(field, of: try evaluate(base))
    case .has(let base, let field): return .bool(try has(field, in: try evaluate(base)))
    case .index(let base, let index): return try element(try evaluate(index), of: try evaluate(base))
    case .not(let operand): return .bool(!(try truth(operand)))
    case .negate(let operand): return try negated(try evaluate(operand))
    case .and(let parts): return .bool(try junction(parts, absorbing: false))
    case .or(let parts): return .bool(try junction(parts, absorbing: true))
    case .conditional(let condition, let yes, let no): return try evaluate(try truth(condition) ? yes : no)
    case .arithmetic(let sign, let left, let right):
      return try arithmetic(sign, try evaluate(left), try evaluate(right))
    case .order(let sign, let left, let right):
      let (left, right) = (try evaluate(left), try evaluate(right))
      guard let order = left.compare(right) else {
        if case .double = left { return .bool(false) }
        if case .double = right { return .bool(false) }
        throw .noSuchOverload("_\(sign)_")
      }
      try spend(textCost(left, right))
      switch sign {
      case "<": return .bool(order == .less)
      case "<=": return .bool(order != .greater)
      case ">": return .bool(order == .greater)
      default: return .bool(order != .less)
      }
    case .equal(let left, let right, let isNegated):
      let (left, right) = (try evaluate(left), try evaluate(right))
      try spend(textCost(left, right))
      return .bool(left.isEqual(to: right) != isNegated)
    case .isIn(let needle, let hay): return .bool(try isIn(try evaluate(needle), try evaluate(hay)))
    case .call(let name, let arguments): return try call(name, nil, arguments)
    case .method(let base, let name, let arguments): return try call(name, base, arguments)
    case .matches(let base, let pattern):
      guard case .string(let text) = try evaluate(base) else { throw .noSuchOverload("matches") }
      return .bool(try match(text, pattern))
    case .list(let parts):
      var elements: [RuleValue] = []
      for part in parts { elements.append(try evaluate(part)) }
      return .list(elements)
    case .map(let entries):
      var map: [RuleKey: RuleValue] = [:]
      for (key, value) in entries {
        guard let key = RuleKey(try evaluate(key)) else { throw .noSuchOverload("map key") }
        map[key] = try evaluate(value)
      }
      return .map(map)
    case .comprehension(let macro, let range, let variable, let condition, let transform):
      return try comprehend(macro, try evaluate(range), variable, condition, transform)
    }
  }

  /// The value as a boolean.
  mutating func truth(_ expression: RuleExpression) throws(RuleFailure) -> Bool {
    guard case .bool(let value) = try evaluate(expression) else { throw .noSuchOverload("bool") }
    return value
  }

  /// `&&` and `||`: an operand that decides absorbs the errors of the others, whatever their order.
  private mutating func junction(_ parts: [RuleExpression], absorbing: Bool) throws(RuleFailure) -> Bool {
    var failure: RuleFailure?
    for part in parts {
      do throws(RuleFailure) {
        if try truth(part) == absorbing { return absorbing }
      } catch .costExceeded {
        throw .costExceeded
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return !absorbing
  }

  private func select(_ field: String, of base: RuleValue) throws(RuleFailure) -> RuleValue {
    let missing = RuleFailure.noSuchKey(field)
    switch base {
    case .object(let members, let schema):
      let name = schema.additional == nil ? RuleIdentifier.unescaped(field) : field
      guard let inner = schema.member(name), let value = members[name] else { throw missing }
      return RuleValue(value, inner)
    case .map(let entries):
      guard let value = entries[.string(field)] else { throw missing }
      return value
    default: throw .noSuchOverload("select \(field)")
    }
  }

  private func has(_ field: String, in base: RuleValue) throws(RuleFailure) -> Bool {
    switch base {
    case .object(let members, let schema):
      return members[schema.additional == nil ? RuleIdentifier.unescaped(field) : field] != nil
    case .map(let entries): return entries[.string(field)] != nil
    default: throw .noSuchOverload("has")
    }
  }

  private func element(_ index: RuleValue, of base: RuleValue) throws(RuleFailure) -> RuleValue {
    if case .object(let members, let schema) = base, let additional = schema.additional {
      guard case .string(let key) = index else { throw .noSuchOverload("_[_]") }
      guard let value = members[key] else { throw .noSuchKey(key) }
      return RuleValue(value, additional)
    }
    guard let key = RuleKey(index) else { throw .noSuchOverload("_[_]") }
    if case .map(let entries) = base {
      guard let value = entries[key] else { throw .noSuchKey("\(key.value.text ?? "")") }
      return value
    }
    guard case .int(let position) = key else { throw .noSuchOverload("_[_]") }
    // Only the one element is looked at: going over a list by index stays linear.
    switch base {
    case .array(let elements, let schema):
      guard let items = schema.items, let place = Int(exactly: position), elements.indices.contains(place) else {
        throw .indexOutOfBounds(position)
      }
      return RuleValue(elements[place], items)
    case .list(let elements):
      guard let place = Int(exactly: position), elements.indices.contains(place) else {
        throw .indexOutOfBounds(position)
      }
      return elements[place]
    default: throw .noSuchOverload("_[_]")
    }
  }

  private mutating func isIn(_ needle: RuleValue, _ hay: RuleValue) throws(RuleFailure) -> Bool {
    switch hay {
    case .map(let entries): return RuleKey(needle).map { entries[$0] != nil } ?? false
    case .object(let members, let schema) where schema.additional != nil:
      guard case .string(let key) = needle else { return false }
      return members[key] != nil
    default:
      guard let elements = hay.elements else { throw .noSuchOverload("@in") }
      try spend(elements.count)
      return elements.contains { $0.isEqual(to: needle) }
    }
  }

  private mutating func comprehend(
    _ macro: RuleExpression.Comprehension, _ range: RuleValue, _ variable: String, _ condition: RuleExpression?,
    _ transform: RuleExpression?
  ) throws(RuleFailure) -> RuleValue {
    guard let elements = range.range else { throw .noSuchOverload(macro.rawValue) }
    var failure: RuleFailure?
    var kept: [RuleValue] = []
    var count = 0
    for element in elements {
      scope.append((variable, element))
      defer { scope.removeLast() }
      do throws(RuleFailure) {
        let holds = if let condition { try truth(condition) } else { true }
        switch macro {
        case .all: if !holds { return .bool(false) }
        case .exists: if holds { return .bool(true) }
        case .existsOne: count += holds ? 1 : 0
        case .filter: if holds { kept.append(element) }
        case .map: if holds, let transform { kept.append(try evaluate(transform)) }
        }
      } catch {
        guard macro == .all || macro == .exists, error != .costExceeded else { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    switch macro {
    case .all: return .bool(true)
    case .exists: return .bool(false)
    case .existsOne: return .bool(count == 1)
    case .filter, .map: return .list(kept)
    }
  }

  mutating func match(_ text: String, _ pattern: Pattern) throws(RuleFailure) -> Bool {
    // The matcher's own time: characters times instructions.
    try spend((text.utf8.count + 1) * max(1, pattern.text.utf8.count) / 40)
    return pattern.matches(text)
  }

  /// What looking through two texts costs.
  func textCost(_ values: RuleValue...) -> Int {
    var cost = 0
    for value in values { if case .string(let text) = value { cost += text.utf8.count / 10 } }
    return cost
  }
}
