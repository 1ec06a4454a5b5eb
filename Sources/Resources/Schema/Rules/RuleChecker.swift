/// Finds, before any value is seen, what can never be evaluated: unknown names, fields and functions, and operands that
/// do not go together. As strict as Kubernetes' own compiler or stricter, so that a rule that passes is one there too.
struct RuleChecker {
  private var scope: [(name: String, type: RuleType)]

  init(_ scope: [(name: String, type: RuleType)]) { self.scope = scope }

  mutating func type(of expression: RuleExpression) throws(RuleError) -> RuleType {
    switch expression {
    case .literal(let literal): return type(of: literal)
    case .name(let name):
      guard let type = scope.last(where: { $0.name == name })?.type else {
        throw RuleError("undeclared reference to '\(name)'")
      }
      return type
    case .select(let base, let field): return try select(field, of: try type(of: base))
    case .has(let base, let field):
      _ = try select(field, of: try type(of: base))
      return .bool
    case .index(let base, let index):
      let (base, index) = (try type(of: base), try type(of: index))
      switch base {
      case .dyn: return .dyn
      case .list(let element) where index.agrees(with: .int): return element
      case .map(let value) where index.isString: return value
      default: throw mismatch("_[_]", base, index)
      }
    case .not(let operand):
      try require(operand, .bool, "!_")
      return .bool
    case .negate(let operand):
      let type = try type(of: operand)
      guard type.agrees(with: .int) || type.agrees(with: .double) else { throw mismatch("-_", type) }
      return type
    case .and(let parts), .or(let parts):
      for part in parts { try require(part, .bool, "_&&_ or _||_") }
      return .bool
    case .conditional(let condition, let yes, let no):
      try require(condition, .bool, "_?_:_")
      let (yes, no) = (try type(of: yes), try type(of: no))
      guard yes.agrees(with: no) else { throw mismatch("_?_:_", yes, no) }
      if case .dyn = yes { return no }
      return yes
    case .arithmetic(let sign, let left, let right):
      return try arithmetic(sign, try type(of: left), try type(of: right))
    case .order(let sign, let left, let right):
      let (left, right) = (try type(of: left), try type(of: right))
      guard left.agrees(with: right), left.isOrdered, right.isOrdered else { throw mismatch("_\(sign)_", left, right) }
      return .bool
    case .equal(let left, let right, let isNegated):
      let (left, right) = (try type(of: left), try type(of: right))
      guard left.agrees(with: right) else { throw mismatch(isNegated ? "_!=_" : "_==_", left, right) }
      return .bool
    case .isIn(let needle, let hay):
      let (needle, hay) = (try type(of: needle), try type(of: hay))
      switch hay {
      case .dyn: return .bool
      case .list(let element) where element.agrees(with: needle): return .bool
      case .map where needle.isString: return .bool
      default: throw mismatch("@in", needle, hay)
      }
    case .call(let name, let arguments): return try call(name, nil, arguments)
    case .method(let base, let name, let arguments): return try call(name, try type(of: base), arguments)
    case .matches(let base, _):
      try require(base, .string, "matches")
      return .bool
    case .list(let parts): return .list(try common(parts))
    case .map(let entries):
      for entry in entries { try require(entry.key, .string, "map key") }
      return .map(try common(entries.map(\.value)))
    case .comprehension(let macro, let range, let variable, let condition, let transform):
      return try comprehend(macro, try type(of: range), variable, condition, transform)
    }
  }

  private func type(of literal: RuleLiteral) -> RuleType {
    switch literal {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    }
  }

  private func mismatch(_ function: String, _ types: RuleType...) -> RuleError {
    RuleError(
      "found no matching overload for '\(function)' applied to '(\(types.map(\.name).joined(separator: ", ")))'")
  }

  private mutating func require(
    _ expression: RuleExpression, _ wanted: RuleType, _ function: String
  ) throws(RuleError) {
    let type = try type(of: expression)
    guard type.agrees(with: wanted) else { throw mismatch(function, type) }
  }

  /// The type that all share; `dyn` for none and for a mixture.
  private mutating func common(_ parts: [RuleExpression]) throws(RuleError) -> RuleType {
    var common: RuleType?
    for part in parts {
      let type = try type(of: part)
      if let known = common, !known.agrees(with: type) { throw mismatch("[…]", known, type) }
      common = common ?? type
    }
    return common ?? .dyn
  }

  private func select(_ field: String, of base: RuleType) throws(RuleError) -> RuleType {
    switch base {
    case .dyn: return .dyn
    case .map(let value): return value
    case .object(let properties):
      let name = RuleIdentifier.unescaped(field)
      guard RuleIdentifier.escaped(name) == field, let type = properties[name]?.ruleType else {
        throw RuleError("undefined field '\(field)'")
      }
      return type
    default: throw RuleError("type '\(base.name)' does not support field selection")
    }
  }

  private func arithmetic(_ sign: String, _ left: RuleType, _ right: RuleType) throws(RuleError) -> RuleType {
    switch (left, right) {
    case (.dyn, _): return right
    case (_, .dyn): return left
    case (.int, .int), (.uint, .uint): return left
    case (.double, .double) where sign != "%": return left
    case (.string, .string) where sign == "+": return left
    case (.duration, .duration) where sign == "+" || sign == "-": return left
    case (.timestamp, .duration) where sign == "+" || sign == "-": return left
    case (.duration, .timestamp) where sign == "+": return right
    case (.timestamp, .timestamp) where sign == "-": return .duration
    case (.list(let one), .list(let other)) where sign == "+" && one.agrees(with: other): return left
    default: throw mismatch("_\(sign)_", left, right)
    }
  }

  private mutating func call(
    _ name: String, _ base: RuleType?, _ arguments: [RuleExpression]
  ) throws(RuleError) -> RuleType {
    var types: [RuleType] = []
    if let base { types.append(base) }
    for argument in arguments { types.append(try type(of: argument)) }
    func refuse() -> RuleError {
      RuleError(
        "found no matching overload for '\(name)' applied to '(\(types.map(\.name).joined(separator: ", ")))'")
    }
    switch (name, types.count, base != nil) {
    case ("size", 1, _):
      switch types[0] {
      case .dyn, .string, .list, .map: return .int
      default: throw refuse()
      }
    case ("int", 1, false), ("uint", 1, false), ("double", 1, false):
      switch types[0] {
      case .dyn, .int, .uint, .double, .string: break
      case .timestamp where name == "int": break
      default: throw refuse()
      }
      return name == "int" ? .int : name == "uint" ? .uint : .double
    case ("string", 1, false):
      guard types[0].isOrdered else { throw refuse() }
      return .string
    case ("duration", 1, false):
      guard types[0].isString || types[0].agrees(with: .duration) else { throw refuse() }
      return .duration
    case ("timestamp", 1, false):
      guard types[0].isString || types[0].agrees(with: .timestamp) else { throw refuse() }
      return .timestamp
    case ("startsWith", 2, true), ("endsWith", 2, true), ("contains", 2, true), ("matches", 2, _):
      guard types[0].isString, types[1].isString else { throw refuse() }
      return .bool
    case ("hasValue", 1, true), ("value", 1, true), ("orValue", 2, true):
      guard case .optional(let value) = types[0] else { throw refuse() }
      if name == "hasValue" { return .bool }
      guard types.count == 1 || types[1].agrees(with: value) else { throw refuse() }
      return value
    default:
      throw base == nil || arguments.isEmpty ? RuleError("undeclared reference to '\(name)'") : refuse()
    }
  }

  private mutating func comprehend(
    _ macro: RuleExpression.Comprehension, _ range: RuleType, _ variable: String, _ condition: RuleExpression?,
    _ transform: RuleExpression?
  ) throws(RuleError) -> RuleType {
    let element: RuleType
    switch range {
    case .dyn: element = .dyn
    case .list(let type): element = type
    case .map: element = .string
    default: throw RuleError("expression of type '\(range.name)' cannot be range of a comprehension")
    }
    scope.append((variable, element))
    defer { scope.removeLast() }
    if let condition { try require(condition, .bool, macro.rawValue) }
    switch macro {
    case .all, .exists, .existsOne: return .bool
    case .filter: return .list(element)
    case .map: return .list(try transform.map { (expression) throws(RuleError) in try type(of: expression) } ?? .dyn)
    }
  }
}

extension RuleType {
  /// Whether `<` means something for the type.
  fileprivate var isOrdered: Bool {
    switch self {
    case .dyn, .bool, .int, .uint, .double, .string, .duration, .timestamp: true
    case .null, .list, .map, .object, .optional: false
    }
  }
}
