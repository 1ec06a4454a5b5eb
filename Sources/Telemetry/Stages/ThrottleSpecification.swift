extension PipelineSpecification {
  public struct Throttle: Sendable, Hashable {
    /// The least distance in source time of two samples of a series that pass.
    public var every: Duration
    public init(every: Duration) { self.every = every }
  }
}

extension PipelineSpecification.Throttle {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    guard let every = try reader.duration("every") else { throw reader.error("every", "is required") }
    try reader.finish()
    self.init(every: every)
  }
}
