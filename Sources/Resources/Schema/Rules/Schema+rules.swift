public import Documents

extension Schema {
  /// What the rules (`x-kubernetes-validations`) find wrong with a value that the structural validation passes, as
  /// Kubernetes tells it. Rules that compare with the value before are left out where there is none.
  /// - Parameter old: the value that this one replaces; nil for a new one.
  public func violations(
    in value: JSONValue, replacing old: JSONValue? = nil, at root: String = ""
  ) -> [APIStatus.Cause] {
    guard hasRules else { return [] }
    var walk = RuleWalk(path: FieldPath(root))
    walk.visit(value, old, self)
    return walk.causes
  }

  /// What is wrong with a value: its structure first, then, where that lets the rules be judged, its rules.
  public func refusals(of value: JSONValue, replacing old: JSONValue? = nil, at root: String = "") -> [APIStatus.Cause]
  {
    let faults = faults(in: value, at: root)
    guard hasRules else { return faults }
    guard !faults.contains(where: { Self.blocking.contains($0.reason) }) else {
      return faults + [Self.unjudged]
    }
    return faults + violations(in: value, replacing: old, at: root)
  }

  /// Says that the rules have not been looked at.
  static let unjudged = APIStatus.Cause(
    reason: "FieldValueInvalid",
    message:
      "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
    field: "<nil>")

  /// Faults that keep Kubernetes from judging the rules (apiextensions-apiserver, hasBlockingErr).
  private static let blocking: Set<String> = [
    "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
  ]
}

/// Walks a value, the value before it and the schema, and evaluates the rules on the way down.
private struct RuleWalk {
  /// What the rules of one object may cost together (apiserver/pkg/apis/cel, RuntimeCELCostBudget).
  static let maximumCost = 10_000_000

  var path: FieldPath
  var causes: [APIStatus.Cause] = []
  private var cost = 0
  private var isExhausted = false

  init(path: FieldPath) { self.path = path }

  mutating func visit(_ value: JSONValue, _ old: JSONValue?, _ schema: Schema) {
    guard schema.hasRules, !isExhausted, !value.isNull else { return }
    for rule in schema.validations {
      judge(rule, value, old.flatMap { $0.isNull ? JSONValue?.none : $0 }, schema)
      if isExhausted { return }
    }
    switch value {
    case .object(let members):
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        guard let inner = schema.member(name), inner.hasRules else { continue }
        path.append(schema.properties[name] == nil ? .key(name) : .member(name))
        visit(member, old?[name], inner)
        path.removeLast()
      }
    case .array(let elements):
      guard let items = schema.items, items.hasRules else { return }
      let before = schema.listType == .map ? correlated(old, schema) : [:]
      for (index, element) in elements.enumerated() {
        path.append(.index(index))
        visit(element, before[schema.mapKey(of: element)], items)
        path.removeLast()
      }
    default: break
    }
  }

  /// The elements of the list before, by their keys.
  private func correlated(_ old: JSONValue?, _ schema: Schema) -> [JSONValue: JSONValue] {
    Dictionary((old?.array ?? []).map { (schema.mapKey(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func judge(_ rule: ValidationRule, _ value: JSONValue, _ old: JSONValue?, _ schema: Schema) {
    guard !rule.isTransition || old != nil || rule.isOldOptional else { return }
    var scope: [(name: String, value: RuleValue)] = [("self", RuleValue(value, schema))]
    if rule.isTransition {
      let before = old.map { RuleValue($0, schema) }
      scope.append(("oldSelf", rule.isOldOptional ? .optional(before) : before ?? .null))
    }
    var evaluator = RuleEvaluator(scope)
    do throws(RuleFailure) {
      let holds = try evaluator.truth(rule.expression)
      pay(evaluator.cost)
      if !holds, !isExhausted { refuse(rule, schema, message(of: rule, scope)) }
    } catch {
      pay(evaluator.cost)
      guard !isExhausted else { return }
      switch error {
      case .costExceeded:
        invalid(
          schema,
          "'\(error)': no further validation rules will be run due to call cost exceeds limit for rule: \(rule.shown)")
        isExhausted = true
      case .noSuchOverload:
        invalid(
          schema,
          "'\(error)': call arguments did not match a supported operator, function or macro signature for rule: \(rule.shown)"
        )
      default: invalid(schema, "\(error) evaluating rule: \(rule.shown)")
      }
    }
  }

  private mutating func pay(_ amount: Int) {
    cost += amount
    guard cost > Self.maximumCost, !isExhausted else { return }
    isExhausted = true
    causes.append(
      APIStatus.Cause(
        reason: "FieldValueInvalid",
        message:
          "Invalid value: \"\": validation failed due to running out of cost budget, no further validation rules will be run",
        field: path.text))
  }

  /// The message expression's text, where it has one; else the message, else the rule itself.
  private mutating func message(of rule: ValidationRule, _ scope: [(name: String, value: RuleValue)]) -> String {
    if let expression = rule.messageExpression {
      var evaluator = RuleEvaluator(scope)
      let value = try? evaluator.evaluate(expression)
      cost += evaluator.cost
      if case .string(let text)? = value, !text.trimmed.isEmpty, !text.contains("\n") {
        return String(text.trimmed.prefix(5_120))
      }
    }
    return rule.message ?? "failed rule: \(rule.text)"
  }

  private mutating func refuse(_ rule: ValidationRule, _ schema: Schema, _ text: String) {
    var place = path
    for name in rule.fieldPath { place.append(.member(name)) }
    let shown = JSONValue.string(schema.kind?.rawValue ?? "")
    let message =
      switch rule.reason {
      case "FieldValueForbidden": "Forbidden: \(text)"
      case "FieldValueRequired": "Required value: \(text)"
      case "FieldValueDuplicate": "Duplicate value: \(shown)"
      default: "Invalid value: \(shown): \(text)"
      }
    causes.append(APIStatus.Cause(reason: rule.reason, message: message, field: place.text))
  }

  private mutating func invalid(_ schema: Schema, _ text: String) {
    let shown = JSONValue.string(schema.kind?.rawValue ?? "")
    causes.append(
      APIStatus.Cause(reason: "FieldValueInvalid", message: "Invalid value: \(shown): \(text)", field: path.text))
  }
}

extension Schema {
  /// The members of a list-map's element that tell it from the others.
  func mapKey(of element: JSONValue) -> JSONValue {
    .object((element.object ?? [:]).filter { listMapKeys.contains($0.key) })
  }
}
