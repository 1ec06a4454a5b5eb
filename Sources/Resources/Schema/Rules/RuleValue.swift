internal import Documents

/// A value of CEL. What comes from an object stays JSON beside its schema until a rule looks into it.
indirect enum RuleValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  /// In nanoseconds.
  case duration(Int64)
  case timestamp(Timestamp)
  case list([RuleValue])
  case map([RuleKey: RuleValue])
  /// An array of an object, with the schema of the array.
  case array([JSONValue], Schema)
  /// An object or a map of strings, with its schema.
  case object([String: JSONValue], Schema)
  /// What may be absent: oldSelf of a rule with optionalOldSelf.
  case optional(RuleValue?)

  /// The value as its schema types it: a whole number of type `number` is a double.
  init(_ json: JSONValue, _ schema: Schema) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = schema.kind == .number ? .double(Double(value)) : .int(value)
    case .unsigned(let value): self = schema.kind == .number ? .double(Double(value)) : .uint(value)
    case .double(let value):
      if schema.kind == .integer, let whole = Int64(exactly: value) {
        self = .int(whole)
      } else {
        self = .double(value)
      }
    case .string(let text):
      switch schema.rules.format {
      case "date-time": self = Timestamp(text).map { .timestamp($0) } ?? .string(text)
      case "date": self = Timestamp("\(text)T00:00:00Z").map { .timestamp($0) } ?? .string(text)
      case "duration": self = RuleDuration.nanoseconds(text).map { .duration($0) } ?? .string(text)
      default: self = .string(text)
      }
    case .array(let elements): self = .array(elements, schema)
    case .object(let members): self = .object(members, schema)
    }
  }

  /// CEL's name of the type.
  var typeName: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .duration: "google.protobuf.Duration"
    case .timestamp: "google.protobuf.Timestamp"
    case .list, .array: "list"
    case .map: "map"
    case .object(_, let schema): schema.additional == nil ? "object" : "map"
    case .optional: "optional_type"
    }
  }

  /// The elements of a list; nil for anything else.
  var elements: [RuleValue]? {
    switch self {
    case .list(let elements): elements
    case .array(let elements, let schema):
      elements.map { element in schema.items.map { RuleValue(element, $0) } ?? .null }
    default: nil
    }
  }

  /// The elements of a list, or the keys of a map: what macros go over.
  var range: [RuleValue]? {
    switch self {
    case .map(let entries): entries.keys.map(\.value)
    case .object(let members, let schema) where schema.additional != nil: members.keys.sorted().map { .string($0) }
    default: elements
    }
  }

  /// CEL's equality: numbers by value whatever their type, values of different types differ.
  func isEqual(to other: RuleValue) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.bool(let left), .bool(let right)): return left == right
    case (.string(let left), .string(let right)): return left.unicodeScalars.elementsEqual(right.unicodeScalars)
    case (.duration(let left), .duration(let right)): return left == right
    case (.timestamp(let left), .timestamp(let right)): return left == right
    case (.array(let left, let schema), .array(let right, _)) where schema.listType != .atomic:
      // Sets, and lists that are maps, know no order.
      return left.count == right.count && Set(left) == Set(right)
    case (.list, _), (.array, _):
      guard let left = elements, let right = other.elements, left.count == right.count else { return false }
      return zip(left, right).allSatisfy { $0.isEqual(to: $1) }
    case (.object(let left, let schema), .object(let right, let otherSchema)):
      guard left.count == right.count else { return false }
      return left.allSatisfy { name, value in
        guard let counterpart = right[name] else { return false }
        guard let inner = schema.member(name), let otherInner = otherSchema.member(name) else {
          return value == counterpart
        }
        return RuleValue(value, inner).isEqual(to: RuleValue(counterpart, otherInner))
      }
    case (.map, _), (_, .map):
      guard let left = entries, let right = other.entries, left.count == right.count else { return false }
      return left.allSatisfy { key, value in right[key].map { value.isEqual(to: $0) } ?? false }
    case (.optional(let left), .optional(let right)):
      guard let left, let right else { return left == nil && right == nil }
      return left.isEqual(to: right)
    default: return compare(other) == .some(.equal)
    }
  }

  /// The entries of a map; nil for anything else.
  var entries: [RuleKey: RuleValue]? {
    switch self {
    case .map(let entries): return entries
    case .object(let members, let schema):
      guard let additional = schema.additional else { return nil }
      return Dictionary(uniqueKeysWithValues: members.map { (.string($0.key), RuleValue($0.value, additional)) })
    default: return nil
    }
  }

  enum Order { case less, equal, greater }

  /// The order of two values of one type, or of two numbers; nil where there is none.
  func compare(_ other: RuleValue) -> Order? {
    func order<Value: Comparable>(_ left: Value, _ right: Value) -> Order? {
      left < right ? .less : left == right ? .equal : left > right ? .greater : nil
    }
    switch (self, other) {
    case (.int(let left), .int(let right)): return order(left, right)
    case (.uint(let left), .uint(let right)): return order(left, right)
    case (.int(let left), .uint(let right)): return left < 0 ? .less : order(UInt64(left), right)
    case (.uint(let left), .int(let right)): return right < 0 ? .greater : order(left, UInt64(right))
    case (.double(let left), .double(let right)): return order(left, right)
    case (.double(let left), .int(let right)): return order(left, Double(right))
    case (.int(let left), .double(let right)): return order(Double(left), right)
    case (.double(let left), .uint(let right)): return order(left, Double(right))
    case (.uint(let left), .double(let right)): return order(Double(left), right)
    case (.string(let left), .string(let right)):
      let (left, right) = (left.unicodeScalars, right.unicodeScalars)
      return left.elementsEqual(right) ? .equal : left.lexicographicallyPrecedes(right) ? .less : .greater
    case (.bool(let left), .bool(let right)): return left == right ? .equal : right ? .less : .greater
    case (.duration(let left), .duration(let right)): return order(left, right)
    case (.timestamp(let left), .timestamp(let right)): return order(left, right)
    default: return nil
    }
  }
}

/// A key of a CEL map.
enum RuleKey: Hashable, Sendable {
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case string(String)

  /// Nil for a value that can be no key.
  init?(_ value: RuleValue) {
    switch value {
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .uint(let value): self = Int64(exactly: value).map { .int($0) } ?? .uint(value)
    case .double(let value):
      guard let whole = Int64(exactly: value) else { return nil }
      self = .int(whole)
    case .string(let value): self = .string(value)
    default: return nil
    }
  }

  var value: RuleValue {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): .uint(value)
    case .string(let value): .string(value)
    }
  }
}
