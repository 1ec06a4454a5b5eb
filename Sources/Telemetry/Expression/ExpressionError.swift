/// Why a text is no expression, and where: `column` counts characters from 1.
public struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public var column: Int
  public var description: String { "\(message) at column \(column)" }
}
