public import DeviceKit
public import Documents

/// Why a wish cannot be: a reason fit for conditions and a message that names the bound.
public struct DesiredRejection: Error, Sendable, Hashable, CustomStringConvertible {
  /// `WrongType`, `OutOfBounds`, `NotAllowed`, `ReadOnly` or `UnknownProperty`.
  public var reason: String
  public var message: String
  public init(reason: String, message: String) {
    self.reason = reason
    self.message = message
  }
  public var description: String { message }
}

/// Holds a wish to what the model says of its property: access, type, allowed values and bounds.
public struct DesiredValidator: Sendable {
  public init() {}

  /// The typed value of `json`; throws what forbids it.
  public func value(of json: JSONValue, for definition: PropertyDefinition) throws(DesiredRejection) -> Value {
    guard definition.access.canWrite else {
      throw DesiredRejection(reason: "ReadOnly", message: "\(definition.name) is read-only")
    }
    guard let value = Value(json, as: definition.type) else {
      let kind = json.isNull ? "null" : "\(Self.article(json.typeName)) \(json.typeName)"
      throw DesiredRejection(
        reason: "WrongType",
        message: "\(Self.short(json)) is \(kind); \(definition.name) takes \(Self.article(definition.type.rawValue)) "
          + definition.type.rawValue)
    }
    if !definition.allowed.isEmpty,
      !definition.allowed.contains(where: { Value($0, as: definition.type) == value })
    {
      let list = definition.allowed.map(Self.short).joined(separator: ", ")
      throw DesiredRejection(reason: "NotAllowed", message: "\(Self.short(json)) is not one of \(list)")
    }
    if let minimum = definition.minimum, Self.isBelow(value, minimum) {
      throw outOfBounds(json, "below the minimum", minimum, definition)
    }
    if let maximum = definition.maximum, Self.isAbove(value, maximum) {
      throw outOfBounds(json, "above the maximum", maximum, definition)
    }
    return value
  }

  /// For a property that the model does not have.
  public func unknown(_ property: String) -> DesiredRejection {
    DesiredRejection(reason: "UnknownProperty", message: "the model has no property \(property)")
  }

  private func outOfBounds(_ json: JSONValue, _ side: String, _ bound: Double, _ definition: PropertyDefinition)
    -> DesiredRejection
  {
    let unit = definition.unit.isEmpty ? "" : " \(definition.unit)"
    return DesiredRejection(
      reason: "OutOfBounds", message: "\(Self.short(json)) is \(side) \(JSONValue.double(bound))\(unit)")
  }

  /// Integers are compared with a whole bound as integers: 2^53 and more stay exact.
  private static func isBelow(_ value: Value, _ bound: Double) -> Bool {
    switch value {
    case .integer(let number):
      if let exact = Int64(exactly: bound) { return number < exact }
      return Double(number) < bound
    case .unsigned(let number):
      if let exact = UInt64(exactly: bound) { return number < exact }
      return Double(number) < bound
    case .number(let number): return number < bound
    case .boolean, .string, .object: return false
    }
  }

  private static func isAbove(_ value: Value, _ bound: Double) -> Bool {
    switch value {
    case .integer(let number):
      if let exact = Int64(exactly: bound) { return number > exact }
      return Double(number) > bound
    case .unsigned(let number):
      if let exact = UInt64(exactly: bound) { return number > exact }
      return Double(number) > bound
    case .number(let number): return number > bound
    case .boolean, .string, .object: return false
    }
  }

  private static func article(_ noun: String) -> String { "aeiou".contains(noun.first ?? "x") ? "an" : "a" }

  private static func short(_ json: JSONValue) -> String {
    let text = json.description
    return text.count <= 60 ? text : text.prefix(57) + "…"
  }
}
