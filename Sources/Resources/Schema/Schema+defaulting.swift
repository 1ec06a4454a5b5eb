public import Documents

extension Schema {
  /// The value with the schema's defaults where members are absent, or null without being nullable.
  public func defaulting(_ value: JSONValue) -> JSONValue {
    guard hasDefaults else { return value }
    switch value {
    case .object(var members):
      for (name, property) in properties where property.hasDefaults {
        let present = members[name]
        if let fallback = property.fallback, present == nil || (present?.isNull == true && !property.isNullable) {
          members[name] = property.defaulting(fallback)
        } else if let present {
          members[name] = property.defaulting(present)
        }
      }
      if let additional, additional.hasDefaults {
        for (name, member) in members where properties[name] == nil { members[name] = additional.defaulting(member) }
      }
      return .object(members)
    case .array(let elements):
      guard let items, items.hasDefaults else { return value }
      return .array(elements.map { items.defaulting($0) })
    default: return value
    }
  }
}
