extension PipelineSpecification {
  /// Report on change: only samples that differ from the last one sent, in value, type or quality.
  public struct OnChange: Sendable, Hashable {
    /// The longest silence in source time after which the next sample passes anyhow; nil: no limit.
    public var heartbeat: Duration?
    public init(heartbeat: Duration? = nil) { self.heartbeat = heartbeat }
  }
}

extension PipelineSpecification.OnChange {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    self.init(heartbeat: try reader.duration("heartbeat"))
    try reader.finish()
  }
}
