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
    if definition.type == .array, let count = json.array?.count, let most = definition.maximumItems, count > most {
      throw DesiredRejection(
        reason: "OutOfBounds", message: "\(Self.short(json)) has \(count) elements, more than the maximum \(most)")
    }
    guard let value = Value(json, for: definition) else {
      let kind = json.isNull ? "null" : "\(Self.article(json.typeName)) \(json.typeName)"
      throw DesiredRejection(
        reason: "WrongType",
        message: "\(Self.short(json)) is \(kind); \(definition.name) takes \(Self.wanted(definition))")
    }
    if !definition.allowed.isEmpty,
      !definition.allowed.contains(where: { Value($0, for: definition) == value })
    {
      let list = definition.allowed.map(Self.short).joined(separator: ", ")
      throw DesiredRejection(reason: "NotAllowed", message: "\(Self.short(json)) is not one of \(list)")
    }
    if case .object(.array(let elements)) = value, let items = definition.items {
      for element in elements {
        guard let typed = Value(element, as: items) else { continue }
        try checkBounds(typed, typed.json, definition)
      }
    } else {
      try checkBounds(value, json, definition)
    }
    return value
  }

  private func checkBounds(
    _ value: Value, _ json: JSONValue, _ definition: PropertyDefinition
  ) throws(DesiredRejection) {
    if let minimum = definition.minimum, Self.isBelow(value, minimum) {
      throw outOfBounds(json, "below the minimum", minimum, definition)
    }
    if let maximum = definition.maximum, Self.isAbove(value, maximum) {
      throw outOfBounds(json, "above the maximum", maximum, definition)
    }
  }

  private static func wanted(_ definition: PropertyDefinition) -> String {
    let type = definition.type.rawValue
    let items = definition.type == .array ? definition.items.map { " of type \($0.rawValue)" } ?? "" : ""
    return "\(article(type)) \(type)" + (items.isEmpty ? "" : " with elements\(items)")
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
