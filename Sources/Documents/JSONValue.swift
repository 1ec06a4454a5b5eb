/// A JSON value as manifests, API bodies and payloads hold it: integers stay exact, objects know no order.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// Every integer of the signed 64-bit range.
  case integer(Int64)
  /// Only integers above `Int64.max`; smaller ones are `.integer`.
  case unsigned(UInt64)
  /// A finite number with a fraction or an exponent, or an integer outside both 64-bit ranges.
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  public var isNull: Bool { if case .null = self { true } else { false } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

  /// The value as a signed integer: exact, or nil. `3.0` counts as 3.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// The value as `Int`: exact, or nil.
  public var int: Int? { integer.flatMap { Int(exactly: $0) } }

  /// Any number as a double; integers beyond 2^53 lose their last digits here.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// A member of an object; nil for an absent key or any other kind of value. Assigning nil removes the key,
  /// assigning to something that is no object makes it one.
  public subscript(key: String) -> JSONValue? {
    get { object?[key] }
    set {
      var members: [String: JSONValue]
      if case .object(let existing) = self {
        members = existing
        self = .null  // gives the storage up, so that the change below happens in place
      } else {
        members = [:]
      }
      members[key] = newValue
      self = .object(members)
    }
  }

  /// The member found by following `path` through objects.
  public subscript(path path: String...) -> JSONValue? {
    var current = self
    for key in path {
      guard let next = current[key] else { return nil }
      current = next
    }
    return current
  }

  /// The JSON Schema name of the value's type: `null`, `boolean`, `integer`, `number`, `string`, `array`, `object`.
  public var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .integer, .unsigned: "integer"
    case .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  /// RFC 7386: `patch` merged into this value; null removes a member, arrays are replaced whole.
  public func merging(_ patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = object ?? [:]
    for (key, change) in changes {
      if change.isNull {
        members[key] = nil
      } else {
        members[key] = (members[key] ?? .null).merging(change)
      }
    }
    return .object(members)
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
