/// A checked expression: `value > -40 && quality == Good`, `power / flow`.
///
/// Operators, loosest first: `||`, `&&`, comparison (`== != < <= > >=`, not chained), `+ -`, `* / %`, unary `- !`,
/// parentheses. Numbers compute as doubles; a boolean counts as 1 or 0. At most 1,024 bytes and 64 levels deep.
public struct Expression: Sendable, Hashable {
  /// What an expression may speak of. Everywhere: numbers, `true`, `false`, `Good`, `Uncertain`, `Bad`, and functions.
  public enum Scope: Sendable, Hashable {
    /// `value` and `quality` of one sample.
    case reading
    /// The same, `age` (seconds from source to arrival), and texts of its series to compare:
    /// `namespace`, `device`, `node`, `property`, `model`, `unit`, `label("key")`, `matches(property, "temp*")`.
    case sample
    /// Last known values of a device's properties by their names, and figures over those that a pattern names.
    case device
    /// Both.
    case sampleAndDevice
    /// Figures over the properties of a group of devices: `sum(power)`, `avg("temperature-*")`.
    case group
  }

  public enum Result: Sendable, Hashable {
    case boolean, number
  }

  /// As it is written.
  public let text: String
  public let scope: Scope
  public let result: Result
  package let node: ExpressionNode
  package let program: ExpressionProgram

  /// - Parameter result: What must come out; nil: either.
  public init(_ text: String, scope: Scope = .sample, result: Result? = .boolean) throws(ExpressionError) {
    var parser = try ExpressionParser(text)
    try self.init(try parser.parse(), text: text, scope: scope, result: result)
  }

  /// Compiles an expression that nobody has written.
  package init(_ node: ExpressionNode, scope: Scope, result: Result?) throws(ExpressionError) {
    try self.init(node, text: node.description, scope: scope, result: result)
  }

  private init(
    _ node: ExpressionNode, text: String, scope: Scope, result: Result?
  ) throws(ExpressionError) {
    var compiler = ExpressionCompiler(scope: scope)
    switch result {
    case .boolean:
      try compiler.require(node, .boolean, "the whole condition")
      self.result = .boolean
    case .number:
      try compiler.require(node, .number, "the whole expression")
      self.result = .number
    case nil:
      let kind = try compiler.compile(node)
      guard kind != .quality else {
        throw ExpressionError(message: "the whole expression is a quality; compare it", column: node.column)
      }
      self.result = kind == .boolean ? .boolean : .number
    }
    self.text = text
    self.scope = scope
    self.node = node
    program = ExpressionProgram(steps: compiler.steps, inputs: compiler.inputs)
  }

  /// Whether it reads the sample at hand, and not only what is known of its device.
  var readsSample: Bool {
    program.inputs.contains { [.value, .quality, .age].contains($0) }
  }

  /// Whether it reads last known values.
  var readsProperties: Bool {
    program.inputs.contains { input in
      switch input {
      case .property, .figure: true
      case .value, .quality, .age, .predicate: false
      }
    }
  }
}
