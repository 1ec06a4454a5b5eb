/// A condition over one sample: `value > -40 && quality == Good`.
///
/// Operators, loosest first: `||`, `&&`, comparison (`== != < <= > >=`, not chained), `+ -`, `* / %`, unary `- !`,
/// parentheses. Names: `value`, `quality`, `true`, `false`, `Good`, `Uncertain`, `Bad`. Numbers compute as doubles; a
/// boolean sample counts as 1 or 0. A sample without a number fails every condition that reads `value`. Checked when it
/// is read: at most 1,024 characters, 64 levels deep.
public struct Expression: Sendable, Hashable {
  public let text: String
  package let program: ExpressionProgram

  public init(_ text: String) throws(ExpressionError) {
    self.text = text
    var parser = try ExpressionParser(text)
    program = try parser.parse()
  }
}
