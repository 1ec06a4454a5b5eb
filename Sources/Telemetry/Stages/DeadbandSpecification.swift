extension PipelineSpecification {
  public struct Deadband: Sendable, Hashable {
    public enum Band: Sendable, Hashable {
      /// In the property's unit.
      case absolute(Double)
      /// Percent of the property's range.
      case percent(Double)
    }
    public var band: Band
    /// The longest silence in source time after which the next sample passes anyhow; nil: no limit.
    public var heartbeat: Duration?
    public init(band: Band, heartbeat: Duration? = nil) {
      self.band = band
      self.heartbeat = heartbeat
    }
  }
}

extension PipelineSpecification.Deadband {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    let absolute = try reader.number("absolute")
    let percent = try reader.number("percent")
    switch (absolute, percent) {
    case (let width?, nil):
      guard width >= 0 else { throw reader.error("absolute", "must not be negative") }
      band = .absolute(width)
    case (nil, let width?):
      guard (0...100).contains(width) else { throw reader.error("percent", "must be between 0 and 100") }
      band = .percent(width)
    case (nil, nil), (.some, .some):
      throw SpecificationError(path: reader.path, message: "needs exactly one of absolute and percent")
    }
    heartbeat = try reader.duration("heartbeat")
    try reader.finish()
  }
}
