extension PipelineSpecification {
  /// Keeps the samples between which straight lines reach all others.
  public struct SwingingDoor: Sendable, Hashable {
    /// How far a dropped sample may lie from the line, in the property's unit.
    public var deviation: Double
    /// Samples closer in source time to the last one kept are dropped without a look; the deviation does not bound them.
    public var minimumInterval: Duration?
    /// The longest that a series which has samples stays silent, in source time; nil: no limit.
    public var maximumInterval: Duration?
    public init(deviation: Double, minimumInterval: Duration? = nil, maximumInterval: Duration? = nil) {
      self.deviation = deviation
      self.minimumInterval = minimumInterval
      self.maximumInterval = maximumInterval
    }
  }
}

extension PipelineSpecification.SwingingDoor {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let deviation = try reader.number("deviation") else { throw reader.error("deviation", "is required") }
    guard deviation >= 0 else { throw reader.error("deviation", "must not be negative") }
    self.init(
      deviation: deviation, minimumInterval: try reader.duration("minInterval"),
      maximumInterval: try reader.duration("maxInterval"))
    if let minimumInterval, let maximumInterval, minimumInterval > maximumInterval {
      throw reader.error("minInterval", "must not be longer than maxInterval")
    }
    try reader.finish()
  }
}
