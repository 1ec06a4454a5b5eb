internal import Documents

/// One compiled entry of `x-kubernetes-validations`.
struct ValidationRule: Sendable {
  /// The rule's text.
  let text: String
  let message: String?
  let messageExpression: RuleExpression?
  /// A reason of field errors, such as `FieldValueForbidden`.
  let reason: String
  /// Members below the value that the fault is told at.
  let fieldPath: [String]
  let expression: RuleExpression
  /// Whether the rule compares with the value before.
  let isTransition: Bool
  let isOldOptional: Bool

  private static let reasons = [
    "FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate",
  ]
  private static let keys: Set<String> = [
    "rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf",
  ]

  /// Compiles one entry for values of `type`. Throws what Kubernetes would refuse, and what is not served here.
  /// - Parameter isCorrelatable: whether the value before can be found: not below an atomic list or a set.
  init(_ document: JSONValue, type: RuleType?, isCorrelatable: Bool) throws(RuleError) {
    guard let members = document.object else { throw RuleError("an entry must be an object") }
    for key in members.keys.sorted() where !Self.keys.contains(key) { throw RuleError("\(key) is not supported") }
    let trimmed = members["rule"]?.string.map { String($0.trimmed) }
    guard let text = trimmed, !text.isEmpty else { throw RuleError("rule is missing") }
    guard let type else { throw RuleError("no rule can look into a value of unknown shape") }
    self.text = text
    message = members["message"]?.string.map { String($0.trimmed) }
    guard message != "" else { throw RuleError("message must not be empty") }
    guard message?.contains("\n") != true else { throw RuleError("message must not contain line breaks") }
    guard message != nil || !text.contains("\n") else {
      throw RuleError("message must be set for a rule of several lines")
    }
    reason = members["reason"]?.string ?? "FieldValueInvalid"
    guard Self.reasons.contains(reason) else {
      throw RuleError("reason must be one of \(Self.reasons.joined(separator: ", "))")
    }
    fieldPath = try members["fieldPath"]?.string.map { (path) throws(RuleError) in try Self.path(path, type) } ?? []
    isOldOptional = members["optionalOldSelf"]?.bool ?? false
    expression = try RuleParser.parse(text)
    let messageText = members["messageExpression"]?.string
    messageExpression = try messageText.map { (text) throws(RuleError) in try RuleParser.parse(text) }
    isTransition = expression.mentions("oldSelf") || messageExpression?.mentions("oldSelf") ?? false
    guard !isTransition || isCorrelatable else {
      throw RuleError("oldSelf cannot be used below a list that is atomic or a set, or an atomic map")
    }
    guard !isOldOptional || isTransition else { throw RuleError("optionalOldSelf needs a rule that uses oldSelf") }
    var checker = RuleChecker([("self", type), ("oldSelf", isOldOptional ? .optional(type) : type)])
    let result = try checker.type(of: expression)
    guard result.isBool else { throw RuleError("a rule must be of type bool, not \(result.name)") }
    if let messageExpression {
      let result = try checker.type(of: messageExpression)
      guard result.isString else { throw RuleError("messageExpression must be of type string, not \(result.name)") }
    }
  }

  /// The members that a fieldPath names: `.a.b`, `['a-b']`.
  private static func path(_ text: String, _ type: RuleType) throws(RuleError) -> [String] {
    guard text.first == "." || text.first == "[", let path = JSONPath(text), !path.steps.isEmpty else {
      throw RuleError("fieldPath must be a path of members, as .a.b")
    }
    var names: [String] = []
    var current: RuleType? = type
    for step in path.steps {
      guard case .member(let name) = step else { throw RuleError("fieldPath must not go into lists") }
      switch current {
      case .object(let properties)?:
        guard let inner = properties[name] else { throw RuleError("fieldPath: no such field \(name)") }
        current = inner.ruleType
      case .map(let value)?: current = value
      default: throw RuleError("fieldPath: no such field \(name)")
      }
      names.append(name)
    }
    return names
  }

  /// What Kubernetes shows in place of a rule in its messages.
  var shown: String { message ?? text }
}
