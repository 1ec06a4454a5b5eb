extension PipelineSpecification {
  /// Holds numbers within bounds.
  public struct Range: Sendable, Hashable {
    public enum Outside: String, Sendable, Hashable, CaseIterable {
      case drop = "Drop"
      /// The nearest bound passes instead, of quality Uncertain.
      case clamp = "Clamp"
    }
    /// The least that is within; nil: the property's own minimum.
    public var minimum: Double?
    /// The greatest that is within; nil: the property's own maximum.
    public var maximum: Double?
    public var outside: Outside
    public init(minimum: Double? = nil, maximum: Double? = nil, outside: Outside = .drop) {
      self.minimum = minimum
      self.maximum = maximum
      self.outside = outside
    }
  }
}

extension PipelineSpecification.Range {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    self.init(
      minimum: try reader.number("min"), maximum: try reader.number("max"),
      outside: try reader.choice("outside") ?? .drop)
    if let minimum, let maximum, minimum > maximum { throw reader.error("min", "must not be greater than max") }
    try reader.finish()
  }
}
