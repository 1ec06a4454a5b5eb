extension PipelineSpecification {
  /// Report on change: only samples that differ from the last one sent.
  public struct Dedup: Sendable, Hashable {
    public init() {}
  }
}

extension PipelineSpecification.Dedup {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    self.init()
    try stage.finish()
  }
}
