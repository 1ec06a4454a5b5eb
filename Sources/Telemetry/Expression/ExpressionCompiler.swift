internal import DeviceKit
internal import Documents

/// Checks the types of a parsed expression and writes its program.
struct ExpressionCompiler {
  enum Kind {
    case number, boolean, quality, text
    /// A property of the device: a number or a boolean, as the device has it.
    case property

    var name: String {
      switch self {
      case .number: "a number"
      case .boolean: "true or false"
      case .quality: "a quality"
      case .text: "a text"
      case .property: "a property"
      }
    }
  }

  private static let maximumInputs = 32
  private static let texts: [String: SeriesPredicate.Text] = [
    "namespace": .namespace, "device": .device, "node": .node, "property": .property, "model": .model, "unit": .unit,
  ]
  private static let figures = Dictionary(
    uniqueKeysWithValues: ExpressionInput.Figure.allCases.map { ($0.rawValue, $0) })
  let scope: Expression.Scope
  private(set) var steps: [ExpressionProgram.Step] = []
  private(set) var inputs: [ExpressionInput] = []

  init(scope: Expression.Scope) { self.scope = scope }

  mutating func compile(_ node: ExpressionNode) throws(ExpressionError) -> Kind {
    switch node.form {
    case .number(let number):
      steps.append(.constant(number))
      return .number
    case .text:
      throw ExpressionError(message: "a text can only be compared with == and !=", column: node.column)
    case .name(let name): return try compile(name, node)
    case .call(let function, let arguments): return try compile(call: function, arguments, node)
    case .unary(.negate, let operand):
      try require(operand, .number, "what follows -")
      steps.append(.negate)
      return .number
    case .unary(.not, let operand):
      try require(operand, .boolean, "what follows !")
      steps.append(.not)
      return .boolean
    case .binary(let operation, let left, let right): return try compile(operation, left, right, node)
    }
  }

  /// Compiles what must be of a kind.
  mutating func require(_ node: ExpressionNode, _ kind: Kind, _ what: String) throws(ExpressionError) {
    let found = try compile(node)
    if found == .property {
      if kind == .boolean { steps.append(.truth) }
      if kind == .boolean || kind == .number { return }
    }
    guard found == kind else {
      throw ExpressionError(message: "\(what) must be \(kind.name), is \(found.name)", column: node.column)
    }
  }

  private var readsSample: Bool { scope != .group && scope != .device }

  /// Whether what is described of a series can be asked for.
  private var readsSeries: Bool { scope != .group && scope != .reading }

  private mutating func read(_ input: ExpressionInput, _ node: ExpressionNode) throws(ExpressionError) {
    let place = inputs.firstIndex(of: input) ?? inputs.count
    if place == inputs.count { inputs.append(input) }
    guard inputs.count <= Self.maximumInputs else {
      throw ExpressionError(message: "reads more than \(Self.maximumInputs) different things", column: node.column)
    }
    steps.append(.input(place))
  }

  private mutating func compile(_ name: String, _ node: ExpressionNode) throws(ExpressionError) -> Kind {
    if let quality = Quality.allCases.first(where: { $0.name == name }) {
      steps.append(.constant(Double(quality.rawValue)))
      return .quality
    }
    switch name {
    case "true", "false":
      steps.append(.constant(name == "true" ? 1 : 0))
      return .boolean
    case "value" where readsSample:
      try read(.value, node)
      return .number
    case "age" where readsSample && readsSeries:
      try read(.age, node)
      return .number
    case "quality" where readsSample:
      try read(.quality, node)
      return .quality
    case _ where readsSeries && Self.texts[name] != nil:
      throw ExpressionError(message: "the text '\(name)' can only be compared with == and !=", column: node.column)
    default: break
    }
    if let word = ["value", "age", "quality"].first(where: { name == $0 || name.hasPrefix("\($0)-") }) {
      let reason = name == word ? "'\(name)' has no meaning here" : "unknown name '\(name)'"
      let hint = name == word ? "; name the property itself" : "; to subtract, put spaces around -"
      throw ExpressionError(message: reason + hint, column: node.column)
    }
    switch scope {
    case .reading:
      throw ExpressionError(
        message: "unknown name '\(name)'; known: value, quality, true, false, Good, Uncertain, Bad", column: node.column
      )
    case .sample:
      throw ExpressionError(
        message: "unknown name '\(name)'; known: value, quality, age, true, false, Good, Uncertain, Bad, "
          + "and to compare as texts label(…), \(Self.texts.keys.sorted().joined(separator: ", "))",
        column: node.column)
    case .device, .sampleAndDevice:
      try read(.property(name), node)
      return .property
    case .group:
      throw ExpressionError(
        message: "in a group, '\(name)' must stand within sum(), avg(), min(), max() or count()", column: node.column)
    }
  }

  private mutating func compile(
    _ operation: ExpressionNode.Binary, _ left: ExpressionNode, _ right: ExpressionNode, _ node: ExpressionNode
  ) throws(ExpressionError) -> Kind {
    switch operation {
    case .or, .and:
      try require(left, .boolean, "the left side of \(operation.rawValue)")
      try require(right, .boolean, "the right side of \(operation.rawValue)")
      steps.append(operation == .or ? .or : .and)
      return .boolean
    case .equal, .notEqual:
      try equality(operation, left, right, node)
      return .boolean
    default: break
    }
    try require(left, .number, "the left side of \(operation.rawValue)")
    try require(right, .number, "the right side of \(operation.rawValue)")
    switch operation {
    case .less: steps.append(.less)
    case .lessOrEqual: steps.append(.lessOrEqual)
    case .greater: steps.append(.greater)
    case .greaterOrEqual: steps.append(.greaterOrEqual)
    case .subtract: steps.append(.subtract)
    case .multiply: steps.append(.multiply)
    case .divide: steps.append(.divide)
    case .remainder: steps.append(.remainder)
    default: steps.append(.add)
    }
    return operation.level == 3 ? .boolean : .number
  }

  private mutating func equality(
    _ operation: ExpressionNode.Binary, _ left: ExpressionNode, _ right: ExpressionNode, _ node: ExpressionNode
  ) throws(ExpressionError) {
    if let first = try text(left) {
      guard let second = try text(right) else {
        throw ExpressionError(message: "a text can only be compared with a text", column: right.column)
      }
      try read(.predicate(SeriesPredicate(text: first, test: .equals(second))), node)
      if operation == .notEqual { steps.append(.not) }
      return
    }
    if try text(right) != nil {
      throw ExpressionError(message: "a text can only be compared with a text", column: left.column)
    }
    let (first, second) = (try compile(left), try compile(right))
    // `value == true` is allowed: a boolean sample counts as 1 or 0.
    guard (first == .quality) == (second == .quality) else {
      throw ExpressionError(message: "cannot compare \(first.name) with \(second.name)", column: node.column)
    }
    steps.append(operation == .equal ? .equal : .notEqual)
  }

  /// The node as a text; nil where it is none.
  private func text(_ node: ExpressionNode) throws(ExpressionError) -> SeriesPredicate.Text? {
    guard readsSeries else { return nil }
    switch node.form {
    case .text(let text): return .literal(text)
    case .name(let name): return Self.texts[name]
    case .call("label", let arguments):
      guard arguments.count == 1, case .text(let key) = arguments[0].form else {
        throw ExpressionError(message: "label() takes the label's key in quotes", column: node.column)
      }
      return .label(key)
    default: return nil
    }
  }

  private mutating func compile(
    call name: String, _ arguments: [ExpressionNode], _ node: ExpressionNode
  ) throws(ExpressionError) -> Kind {
    switch name {
    case "label" where readsSeries:
      _ = try text(node)
      throw ExpressionError(message: "the text label() can only be compared with == and !=", column: node.column)
    case "property" where scope == .device || scope == .sampleAndDevice:
      guard arguments.count == 1, case .text(let property) = arguments[0].form else {
        throw ExpressionError(message: "property() takes the property's name in quotes", column: node.column)
      }
      try read(.property(property), node)
      return .property
    case "matches" where readsSeries:
      guard arguments.count == 2, let text = try text(arguments[0]), case .text(let glob) = arguments[1].form else {
        throw ExpressionError(
          message: "matches() takes a text such as property, and a pattern in quotes", column: node.column)
      }
      if let problem = Glob.problem(of: glob) { throw ExpressionError(message: problem, column: arguments[1].column) }
      try read(.predicate(SeriesPredicate(text: text, test: .matches(Glob(glob)))), node)
      return .boolean
    default: break
    }
    if let figure = Self.figures[name], scope != .sample, scope != .reading, try compile(figure, arguments, node) {
      return .number
    }
    guard let function = ExpressionProgram.Function(rawValue: name) else {
      let known = ExpressionProgram.Function.allCases.map(\.rawValue).joined(separator: ", ")
      throw ExpressionError(message: "unknown function '\(name)'; known: \(known)", column: node.column)
    }
    return try compile(function, arguments, node)
  }

  /// A figure over properties: of a group, or by a pattern. False where the call is one over its arguments.
  private mutating func compile(
    _ figure: ExpressionInput.Figure, _ arguments: [ExpressionNode], _ node: ExpressionNode
  ) throws(ExpressionError) -> Bool {
    if arguments.count == 1 {
      switch arguments[0].form {
      case .text(let pattern):
        if let problem = Glob.problem(of: pattern) {
          throw ExpressionError(message: problem, column: arguments[0].column)
        }
        try read(.figure(figure, Glob(pattern)), node)
        return true
      case .name(let name) where scope == .group:
        try read(.figure(figure, Glob(name)), node)
        return true
      default: break
      }
    }
    switch figure {
    case .min, .max: return false
    case .count:
      throw ExpressionError(
        message: "count() takes one pattern of properties in quotes, as in count(\"power-*\")", column: node.column)
    case .sum, .avg:
      guard scope != .group, !arguments.isEmpty else {
        throw ExpressionError(message: "\(figure.rawValue)() takes properties or a pattern", column: node.column)
      }
      for (index, argument) in arguments.enumerated() {
        try require(argument, .number, "argument \(index + 1) of \(figure.rawValue)()")
        if index > 0 { steps.append(.add) }
      }
      if figure == .avg { steps += [.constant(Double(arguments.count)), .divide] }
      return true
    }
  }

  private mutating func compile(
    _ function: ExpressionProgram.Function, _ arguments: [ExpressionNode], _ node: ExpressionNode
  ) throws(ExpressionError) -> Kind {
    let wanted = function.arity
    guard wanted.map({ $0 == arguments.count }) ?? (arguments.count >= 2) else {
      let count = wanted.map { "\($0)" } ?? "two or more"
      throw ExpressionError(
        message: "\(function.rawValue)() takes \(count) arguments, has \(arguments.count)", column: node.column)
    }
    if function == .choose {
      try require(arguments[0], .boolean, "the condition of if()")
      let yes = try compile(arguments[1])
      let no = try compile(arguments[2])
      guard yes != .quality, no != .quality,
        (yes == .boolean) == (no == .boolean) || yes == .property || no == .property
      else {
        throw ExpressionError(
          message: "both results of if() must be of one kind, are \(yes.name) and \(no.name)", column: node.column)
      }
      steps.append(.call(.choose))
      return yes == .boolean && no == .boolean ? .boolean : .number
    }
    for (index, argument) in arguments.enumerated() {
      try require(argument, .number, "argument \(index + 1) of \(function.rawValue)()")
      if wanted == nil, index > 0 { steps.append(.call(function)) }
    }
    if wanted != nil { steps.append(.call(function)) }
    return .number
  }
}
