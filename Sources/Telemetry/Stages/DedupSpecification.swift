extension PipelineSpecification {
  /// Samples that have come before do not pass again.
  public struct Dedup: Sendable, Hashable {
    public enum Basis: String, Sendable, Hashable, CaseIterable {
      /// A sample that equals the last that passed in value, type and quality, whatever its time.
      case value = "Value"
      /// A sample that equals one of the series' last ``remembered`` in source time as well: what a broker or a device
      /// has delivered twice.
      case sample = "Sample"
    }
    /// How many samples of a series are remembered to know a redelivery.
    public static let remembered = 32

    public var by: Basis
    /// Of ``Basis/value``: the longest silence in source time after which the next sample passes anyhow.
    public var heartbeat: Duration?
    public init(by: Basis = .value, heartbeat: Duration? = nil) {
      self.by = by
      self.heartbeat = heartbeat
    }
  }
}

extension PipelineSpecification.Dedup {
  init(_ stage: SpecificationReader) throws(SpecificationError) {
    var reader = stage
    self.init(by: try reader.choice("by") ?? .value, heartbeat: try reader.duration("heartbeat"))
    guard by == .value || heartbeat == nil else {
      throw reader.error("heartbeat", "has no meaning with by: Sample; leave it out")
    }
    try reader.finish()
  }
}
