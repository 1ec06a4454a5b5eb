/// Why a rule cannot be compiled.
struct RuleError: Error, Equatable, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// Why an expression has no value for these operands: what CEL calls an error value.
enum RuleFailure: Error, Equatable, CustomStringConvertible {
  case noSuchOverload(String)
  case noSuchKey(String)
  case indexOutOfBounds(Int64)
  case overflow
  case divisionByZero
  case conversion(String)
  /// The whole evaluation ends: no operand absorbs it.
  case costExceeded

  var description: String {
    switch self {
    case .noSuchOverload(let function): "no such overload: \(function)"
    case .noSuchKey(let key): "no such key: \(key)"
    case .indexOutOfBounds(let index): "index out of bounds: \(index)"
    case .overflow: "integer overflow"
    case .divisionByZero: "division by zero"
    case .conversion(let message): message
    case .costExceeded: "operation cancelled: actual cost limit exceeded"
    }
  }
}
