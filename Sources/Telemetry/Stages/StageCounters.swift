/// What went through a stage since it was made. At any moment `input + made == output + dropped + held`; only stages that
/// make samples of their own (derive, alarm) count any as `made`.
public struct StageCounters: Sendable, Hashable {
  public var input: UInt64 = 0
  /// Samples that the stage added to those that came in.
  public var made: UInt64 = 0
  /// Samples passed on; for an aggregate, samples in windows that have closed.
  public var output: UInt64 = 0
  /// By cause, in lowerCamelCase: `filtered`, `deadband`, `late` …; docs/PIPELINES.md lists them by stage.
  public var dropped: [String: UInt64] = [:]
  /// Samples in open windows, and such as a stage keeps back until it knows whether to pass them on.
  public var held: UInt64 = 0

  public init() {}

  public var droppedTotal: UInt64 { dropped.values.reduce(0, +) }

  /// Whether every sample is accounted for.
  public var isBalanced: Bool { input + made == output + droppedTotal + held }

  /// Counts samples under a cause; nothing for none, so that causes appear once they occur.
  mutating func drop(_ count: Int, _ cause: String) {
    guard count > 0 else { return }
    dropped[cause, default: 0] += UInt64(count)
  }
}
