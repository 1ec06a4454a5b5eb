extension PipelineSpecification {
  /// What is computed over a window; docs/WINDOWS.md defines each.
  public enum Function: String, Sendable, Hashable, CaseIterable {
    case mean, min, max, sum, count, first, last, stddev, median, p90, p95, p99
    case rate, increase, delta, integral, timeWeightedMean, duration, validPercentage
  }

  public struct Aggregate: Sendable, Hashable {
    /// Which samples belong together.
    public enum Window: Sendable, Hashable {
      /// Windows of this length, one after the other.
      case tumbling(Duration)
      /// Windows of one length that begin at another, shorter period.
      case hopping(size: Duration, every: Duration)
      /// The window that ends at each sample.
      case sliding(Duration)
      /// A window for each stretch without a gap; `max` is the longest it may become.
      case session(gap: Duration, max: Duration?)
      /// A window for each so many samples.
      case count(Int)
      /// A window for as long as the value, or whether the condition holds, stays the same.
      case state(of: Expression?)

      /// Whether windows begin at fixed times.
      var isAligned: Bool {
        switch self {
        case .tumbling, .hopping: true
        case .sliding, .session, .count, .state: false
        }
      }
    }

    /// What samples of one window have in common.
    public enum Dimension: Sendable, Hashable {
      case property
      case device
      /// The value of a label of the device.
      case label(String)
    }

    /// Which clock the windows go by.
    public enum Time: String, Sendable, Hashable, CaseIterable {
      /// The samples' source times.
      case event = "Event"
      /// The times of their arrival at the gateway.
      case processing = "Processing"
    }

    /// What becomes of a sample whose window has closed.
    public enum Late: Sendable, Hashable {
      case drop
      /// The window is put out again if it closed no longer ago than this.
      case correct(for: Duration)
    }

    /// What becomes of a window without samples between others.
    public enum Empty: String, Sendable, Hashable, CaseIterable {
      case skip = "Skip"
      /// A record with a count of 0.
      case emit = "Emit"
      /// The same, in which mean, min, max, first and last repeat the last reading before it.
      case last = "Last"
    }

    public var window: Window
    /// How far windows begin after multiples of their period since 1970-01-01T00:00:00Z.
    public var offset: Duration = .zero
    /// In the order in which the records carry them.
    public var functions: [Function]
    /// Of `duration`; nil: the value is not 0.
    public var durationWhere: Expression?
    /// How far a series' newest time may run ahead of a window's end before the window closes.
    public var lateness: Duration
    public var time = Time.event
    public var late = Late.drop
    public var empty = Empty.skip
    /// What the samples of one window have in common, beside the namespace of their devices; nil: the series.
    public var groups: [Dimension]?

    public init(window: Window, functions: [Function], lateness: Duration = .zero) {
      self.window = window
      self.functions = functions
      self.lateness = lateness
    }

    public init(tumbling: Duration, functions: [Function], lateness: Duration = .zero) {
      self.init(window: .tumbling(tumbling), functions: functions, lateness: lateness)
    }

    /// The names of a record's fields.
    public var fields: [String] {
      let names = functions.map(\.rawValue)
      return late == .drop ? names : names + [Self.revision]
    }

    /// The field that tells a correction: 0 at first, then higher with every correction of the series.
    public static let revision = "revision"
  }
}
