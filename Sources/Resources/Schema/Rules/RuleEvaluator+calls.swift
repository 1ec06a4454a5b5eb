internal import Documents

/// The functions and the arithmetic of CEL that are served.
extension RuleEvaluator {
  mutating func call(
    _ name: String, _ target: RuleExpression?, _ arguments: [RuleExpression]
  ) throws(RuleFailure) -> RuleValue {
    var values: [RuleValue] = []
    if let target { values.append(try evaluate(target)) }
    for argument in arguments { values.append(try evaluate(argument)) }
    switch (name, values.count) {
    case ("size", 1): return .int(try size(of: values[0]))
    case ("int", 1): return .int(try int(values[0]))
    case ("uint", 1):
      if case .uint(let value) = values[0] { return .uint(value) }
      guard let value = UInt64(exactly: try int(values[0])) else { throw .overflow }
      return .uint(value)
    case ("double", 1): return .double(try double(values[0]))
    case ("string", 1):
      guard let text = values[0].text else { throw .noSuchOverload("string") }
      return .string(text)
    case ("duration", 1): return .duration(try duration(values[0]))
    case ("timestamp", 1):
      guard case .string(let text) = values[0] else { throw .noSuchOverload("timestamp") }
      guard let time = Timestamp(text) else { throw .conversion("invalid timestamp \"\(text)\"") }
      return .timestamp(time)
    case ("startsWith", 2), ("endsWith", 2), ("contains", 2), ("matches", 2):
      guard case .string(let text) = values[0], case .string(let part) = values[1] else { throw .noSuchOverload(name) }
      try spend(textCost(values[0], values[1]))
      switch name {
      case "startsWith": return .bool(text.utf8.starts(with: part.utf8))
      case "endsWith": return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
      case "contains": return .bool(part.isEmpty || text.contains(part))
      default:
        let pattern: Pattern
        do { pattern = try Pattern(part) } catch { throw .conversion(error.description) }
        return .bool(try match(text, pattern))
      }
    case ("hasValue", 1):
      guard case .optional(let value) = values[0] else { throw .noSuchOverload(name) }
      return .bool(value != nil)
    case ("value", 1):
      guard case .optional(let value) = values[0] else { throw .noSuchOverload(name) }
      guard let value else { throw .conversion("optional.none() dereference") }
      return value
    case ("orValue", 2):
      guard case .optional(let value) = values[0] else { throw .noSuchOverload(name) }
      return value ?? values[1]
    default: throw .noSuchOverload(name)
    }
  }

  private mutating func size(of value: RuleValue) throws(RuleFailure) -> Int64 {
    switch value {
    case .string(let text):
      try spend(textCost(value))
      return Int64(text.unicodeScalars.count)
    case .list(let elements): return Int64(elements.count)
    case .array(let elements, _): return Int64(elements.count)
    case .map(let entries): return Int64(entries.count)
    case .object(let members, let schema) where schema.additional != nil: return Int64(members.count)
    default: throw .noSuchOverload("size")
    }
  }

  private func int(_ value: RuleValue) throws(RuleFailure) -> Int64 {
    switch value {
    case .int(let value): return value
    case .uint(let value):
      guard let value = Int64(exactly: value) else { throw .overflow }
      return value
    case .double(let value):
      guard value.magnitude < 9.2e18 else { throw .overflow }
      return Int64(value)
    case .string(let text):
      guard let value = Int64(text) else { throw .conversion("cannot convert \"\(text)\" to int") }
      return value
    case .timestamp(let time): return time.nanoseconds / 1_000_000_000
    default: throw .noSuchOverload("int")
    }
  }

  private func double(_ value: RuleValue) throws(RuleFailure) -> Double {
    switch value {
    case .double(let value): return value
    case .int(let value): return Double(value)
    case .uint(let value): return Double(value)
    case .string(let text):
      guard let value = Double(text) else { throw .conversion("cannot convert \"\(text)\" to double") }
      return value
    default: throw .noSuchOverload("double")
    }
  }

  private func duration(_ value: RuleValue) throws(RuleFailure) -> Int64 {
    switch value {
    case .duration(let value): return value
    case .string(let text):
      guard let value = RuleDuration.nanoseconds(text) else { throw .conversion("time: invalid duration \"\(text)\"") }
      return value
    default: throw .noSuchOverload("duration")
    }
  }

  func negated(_ value: RuleValue) throws(RuleFailure) -> RuleValue {
    switch value {
    case .int(let value):
      guard value != .min else { throw .overflow }
      return .int(-value)
    case .double(let value): return .double(-value)
    default: throw .noSuchOverload("-_")
    }
  }

  mutating func arithmetic(_ sign: String, _ left: RuleValue, _ right: RuleValue) throws(RuleFailure) -> RuleValue {
    switch (left, right) {
    case (.int(let left), .int(let right)): return .int(try integer(sign, left, right))
    case (.uint(let left), .uint(let right)): return .uint(try integer(sign, left, right))
    case (.double(let left), .double(let right)):
      switch sign {
      case "+": return .double(left + right)
      case "-": return .double(left - right)
      case "*": return .double(left * right)
      case "/": return .double(left / right)
      default: throw .noSuchOverload("_%_")
      }
    case (.string(let one), .string(let other)) where sign == "+":
      try spend(textCost(left, right))
      return .string(one + other)
    case (.duration(let left), .duration(let right)) where sign == "+" || sign == "-":
      return .duration(try integer(sign, left, right))
    case (.timestamp(let time), .duration(let span)) where sign == "+" || sign == "-":
      return .timestamp(Timestamp(nanoseconds: try integer(sign, time.nanoseconds, span)))
    case (.duration(let span), .timestamp(let time)) where sign == "+":
      return .timestamp(Timestamp(nanoseconds: try integer(sign, time.nanoseconds, span)))
    case (.timestamp(let left), .timestamp(let right)) where sign == "-":
      return .duration(try integer(sign, left.nanoseconds, right.nanoseconds))
    default:
      guard sign == "+", let first = left.elements, let second = right.elements else {
        throw .noSuchOverload("_\(sign)_")
      }
      try spend(first.count + second.count)
      return .list(first + second)
    }
  }

  private func integer<Number: FixedWidthInteger>(
    _ sign: String, _ left: Number, _ right: Number
  ) throws(RuleFailure) -> Number {
    let result: (partialValue: Number, overflow: Bool)
    switch sign {
    case "+": result = left.addingReportingOverflow(right)
    case "-": result = left.subtractingReportingOverflow(right)
    case "*": result = left.multipliedReportingOverflow(by: right)
    case "/":
      guard right != 0 else { throw .divisionByZero }
      result = left.dividedReportingOverflow(by: right)
    default:
      guard right != 0 else { throw .divisionByZero }
      result = left.remainderReportingOverflow(dividingBy: right)
    }
    guard !result.overflow else { throw .overflow }
    return result.partialValue
  }
}

extension RuleValue {
  /// What string() makes of the value; nil for a type that it does not take.
  var text: String? {
    switch self {
    case .string(let value): value
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .double(let value): JSONValue.double(value).description
    case .duration(let value): RuleDuration.text(value)
    case .timestamp(let value): value.description
    case .null, .list, .map, .array, .object, .optional: nil
    }
  }
}
