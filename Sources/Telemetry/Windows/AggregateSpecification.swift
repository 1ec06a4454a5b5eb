extension PipelineSpecification {
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
}
