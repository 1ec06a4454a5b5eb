public import DeviceKit

/// What a Pipeline's `spec` asks for, checked.
public struct PipelineSpecification: Sendable, Hashable {
  public enum Durability: String, Sendable, Hashable, CaseIterable {
    case checkpoint = "Checkpoint"
    case journal = "Journal"
  }

  public enum Stage: Sendable, Hashable {
    case filter(Filter)
    case deadband(Deadband)
    case throttle(every: Duration)
    /// Report on change: only samples that differ from the last one sent.
    case dedup
    /// The last stage where it occurs.
    case aggregate(Aggregate)

    /// The key in `spec.stages[]`.
    public var name: String {
      switch self {
      case .filter: "filter"
      case .deadband: "deadband"
      case .throttle: "throttle"
      case .dedup: "dedup"
      case .aggregate: "aggregate"
      }
    }
  }

  public struct Filter: Sendable, Hashable {
    /// The qualities that pass; nil: all.
    public var qualities: Set<Quality>?
    /// The condition under which a sample passes; nil: none.
    public var condition: Expression?
    public init(qualities: Set<Quality>? = nil, condition: Expression? = nil) {
      self.qualities = qualities
      self.condition = condition
    }
  }

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

  public enum Function: String, Sendable, Hashable, CaseIterable {
    case mean, min, max, sum, count, first, last
  }

  public struct Aggregate: Sendable, Hashable {
    /// The length of the tumbling window, aligned to 1970-01-01T00:00:00Z.
    public var tumbling: Duration
    /// In the order in which the records carry them.
    public var functions: [Function]
    /// How far a series' newest source time may run ahead of a window's end before the window closes.
    public var lateness: Duration
    public init(tumbling: Duration, functions: [Function], lateness: Duration = .zero) {
      self.tumbling = tumbling
      self.functions = functions
      self.lateness = lateness
    }
  }

  public var from: SeriesSelector
  public var durability: Durability
  public var stages: [Stage]
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
