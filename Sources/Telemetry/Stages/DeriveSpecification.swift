extension PipelineSpecification {
  /// Makes a property out of others.
  public struct Derive: Sendable, Hashable {
    /// The new property. A property of the same name that comes in is replaced by it.
    public var name: String
    public var unit: String
    public var expression: Expression
    /// The label whose values make groups of devices; nil: the property belongs to each device by itself.
    public var groupLabel: String?
    /// How old a last known value may be, in source time, to be computed with; nil: any age.
    public var maximumAge: Duration?
    public init(
      name: String, unit: String = "", expression: Expression, groupLabel: String? = nil, maximumAge: Duration? = nil
    ) {
      self.name = name
      self.unit = unit
      self.expression = expression
      self.groupLabel = groupLabel
      self.maximumAge = maximumAge
    }
  }
}

extension PipelineSpecification.Derive {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let name = try reader.string("name"), !name.isEmpty else { throw reader.error("name", "is required") }
    let unit = try reader.string("unit") ?? ""
    var groupLabel: String?
    if var of = try reader.object("of") {
      guard let label = try of.string("label"), !label.isEmpty else { throw of.error("label", "is required") }
      groupLabel = label
      try of.finish()
    }
    let scope: Expression.Scope = groupLabel == nil ? .device : .group
    guard let expression = try reader.expression("expression", scope: scope, result: nil) else {
      throw reader.error("expression", "is required")
    }
    guard expression.readsProperties else {
      throw reader.error("expression", "reads no property: nothing would trigger it")
    }
    let maximumAge = try reader.duration("maxAge")
    try reader.finish()
    self.init(name: name, unit: unit, expression: expression, groupLabel: groupLabel, maximumAge: maximumAge)
  }
}
