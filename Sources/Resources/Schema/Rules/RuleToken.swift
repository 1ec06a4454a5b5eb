/// One token of a CEL expression with where it begins, counted from 1.
struct RuleToken: Equatable {
  enum Kind: Equatable {
    case name(String)
    case literal(RuleLiteral)
    /// An operator or a bracket.
    case sign(String)
    case end
  }
  var kind: Kind
  var column: Int
}

/// A value that stands in the expression's text.
enum RuleLiteral: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)

  var value: RuleValue {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    }
  }
}
