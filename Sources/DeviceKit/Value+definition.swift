public import Documents

extension Value {
  /// `json` as a value of the property that `definition` describes; nil where it is of another type.
  ///
  /// An array has at most `maximumItems` elements, all of the type `items`, in the one form that equal elements share:
  /// whole numbers as integers where integers are asked for, every number as a double where numbers are.
  public init?(_ json: JSONValue, for definition: PropertyDefinition) {
    guard definition.type == .array, let items = definition.items else {
      self.init(json, as: definition.type)
      guard Self.fits(json, definition) else { return nil }
      return
    }
    guard case .array(let elements) = json, Self.fits(json, definition) else { return nil }
    var typed: [JSONValue] = []
    typed.reserveCapacity(elements.count)
    for element in elements {
      switch Value(element, as: items) {
      case .boolean(let value)?: typed.append(.bool(value))
      case .integer(let value)?: typed.append(.integer(value))
      case .unsigned(let value)?: typed.append(.unsigned(value))
      case .number(let value)? where value.isFinite: typed.append(.double(value))
      case .string(let value)?: typed.append(.string(value))
      case .number?, .object?, nil: return nil
      }
    }
    self = .object(.array(typed))
  }

  private static func fits(_ json: JSONValue, _ definition: PropertyDefinition) -> Bool {
    guard definition.type == .array, let count = json.array?.count, let most = definition.maximumItems else {
      return true
    }
    return count <= most
  }
}

extension JSONValue {
  /// The value with every integer above `Int64.max` as a decimal string, as the API shows them.
  var withDecimalStrings: JSONValue {
    switch self {
    case .unsigned(let value): .string(value.description)
    case .array(let elements): .array(elements.map(\.withDecimalStrings))
    case .object(let members): .object(members.mapValues(\.withDecimalStrings))
    case .null, .bool, .integer, .double, .string: self
    }
  }
}
