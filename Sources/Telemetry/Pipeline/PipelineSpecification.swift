/// What a Pipeline's `spec` asks for, checked.
public struct PipelineSpecification: Sendable, Hashable {
  public enum Durability: String, Sendable, Hashable, CaseIterable {
    case checkpoint = "Checkpoint"
    case journal = "Journal"
  }

  /// Whether what comes out is kept to be queried on the gateway.
  public enum LocalQuery: String, Sendable, Hashable, CaseIterable {
    case enabled = "Enabled"
    case disabled = "Disabled"
  }

  public var from: SeriesSelector
  public var durability: Durability
  public var stages: [Stage]
  /// Nil: as the Gateway's ``LocalQuerySettings`` say.
  public var localQuery: LocalQuery?
  /// The names of the Sinks, in the Pipeline's namespace.
  public var sinks: [String]

  public init(
    from: SeriesSelector = SeriesSelector(), durability: Durability = .checkpoint, stages: [Stage] = [],
    sinks: [String] = []
  ) {
    self.from = from
    self.durability = durability
    self.stages = stages
    self.sinks = sinks
  }
}
