/// A part of an expression as it is written, with where it begins.
package struct ExpressionNode: Sendable {
  package indirect enum Form: Sendable, Hashable {
    case number(Double)
    case text(String)
    case name(String)
    case call(String, [ExpressionNode])
    case unary(Unary, ExpressionNode)
    case binary(Binary, ExpressionNode, ExpressionNode)
  }

  package enum Unary: String, Sendable, Hashable, CaseIterable {
    case negate = "-"
    case not = "!"
  }

  package enum Binary: String, Sendable, Hashable, CaseIterable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"

    /// Binds the tighter the higher.
    var level: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater: 3
      case .add, .subtract: 4
      case .multiply, .divide, .remainder: 5
      }
    }

    /// `a < b < c` has no meaning.
    var chains: Bool { level != 3 }
  }

  package var form: Form
  /// Counted in characters from 1.
  package var column: Int

  package init(_ form: Form, at column: Int = 1) {
    self.form = form
    self.column = column
  }
}

/// Nodes are equal that say the same, wherever they stand.
extension ExpressionNode: Hashable {
  package static func == (left: ExpressionNode, right: ExpressionNode) -> Bool { left.form == right.form }
  package func hash(into hasher: inout Hasher) { hasher.combine(form) }
}

/// The expression in one spelling, which parses to an equal node.
extension ExpressionNode: CustomStringConvertible {
  private static let unaryLevel = 6

  private var level: Int {
    switch form {
    case .binary(let operation, _, _): operation.level
    case .unary: Self.unaryLevel
    case .number, .text, .name, .call: Self.unaryLevel + 1
    }
  }

  private func text(atLeast least: Int) -> String { level < least ? "(\(description))" : description }

  package var description: String {
    switch form {
    case .number(let number): return number == number.rounded() && number < 1e15 ? "\(Int64(number))" : "\(number)"
    case .text(let text): return text.contains("\"") ? "'\(text)'" : "\"\(text)\""
    case .name(let name): return name
    case .call(let function, let arguments):
      return "\(function)(\(arguments.map(\.description).joined(separator: ", ")))"
    case .unary(let operation, let operand): return operation.rawValue + operand.text(atLeast: Self.unaryLevel)
    case .binary(let operation, let left, let right):
      let level = operation.level
      let first = left.text(atLeast: operation.chains ? level : level + 1)
      return "\(first) \(operation.rawValue) \(right.text(atLeast: level + 1))"
    }
  }
}
