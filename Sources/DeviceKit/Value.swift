public import Documents

/// How far a value can be trusted, as OPC UA (IEC 62541-8) has it.
public enum Quality: UInt8, Sendable, Hashable, CaseIterable {
  case good
  /// The value may be old or was followed by something unreadable.
  case uncertain
  /// There is no usable value: exception, timeout, NaN.
  case bad

  /// `Good`, `Uncertain` or `Bad`.
  public var name: String {
    switch self {
    case .good: "Good"
    case .uncertain: "Uncertain"
    case .bad: "Bad"
    }
  }
}

/// The type that a model gives a property.
public enum PropertyType: String, Sendable, Hashable, CaseIterable {
  case boolean, integer, number, string, object, array
}

/// A typed value of a property. Integers stay exact over both 64-bit ranges.
public enum Value: Sendable, Hashable {
  case boolean(Bool)
  case integer(Int64)
  /// Only values above `Int64.max`; smaller ones are `.integer`.
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  /// Objects and arrays.
  case object(JSONValue)

  /// The value as JSON. Integers above `Int64.max`, also those within, become decimal strings; a number that is not finite becomes null.
  public var json: JSONValue {
    switch self {
    case .boolean(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .unsigned(let value): .string(value.description)
    case .number(let value): value.isFinite ? .double(value) : .null
    case .string(let value): .string(value)
    case .object(let value): value.withDecimalStrings
    }
  }

  /// Any numeric value as a double.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    case .boolean, .string, .object: nil
    }
  }

  /// `json` read as a value of `type`; nil where the JSON is of another type. An integer is taken where a number is
  /// asked for; a whole number or a decimal string where an integer is.
  public init?(_ json: JSONValue, as type: PropertyType) {
    switch (type, json) {
    case (.boolean, .bool(let value)): self = .boolean(value)
    case (.integer, .integer(let value)): self = .integer(value)
    case (.integer, .unsigned(let value)): self = .unsigned(value)
    case (.integer, .double(let value)):
      guard let exact = Int64(exactly: value) else { return nil }
      self = .integer(exact)
    case (.integer, .string(let text)):
      if let value = Int64(text) {
        self = .integer(value)
      } else if let value = UInt64(text) {
        self = .unsigned(value)
      } else {
        return nil
      }
    case (.number, _):
      guard let value = json.number else { return nil }
      self = .number(value)
    case (.string, .string(let value)): self = .string(value)
    case (.object, .object), (.object, .array), (.array, .array): self = .object(json)
    default: return nil
    }
  }
}

/// A value with its quality and both times.
public struct Reading: Sendable, Hashable {
  /// Nil where there never was a usable value.
  public var value: Value?
  public var quality: Quality
  /// When the source says that the value was true; the gateway's time where it says nothing.
  public var sourceTime: Timestamp
  /// When it arrived at the gateway.
  public var gatewayTime: Timestamp
  /// Why the quality is not Good; empty otherwise.
  public var cause: String

  public init(
    _ value: Value?, quality: Quality = .good, sourceTime: Timestamp, gatewayTime: Timestamp, cause: String = ""
  ) {
    self.value = value
    self.quality = quality
    self.sourceTime = sourceTime
    self.gatewayTime = gatewayTime
    self.cause = cause
  }
}
