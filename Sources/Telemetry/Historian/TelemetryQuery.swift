public import DeviceKit
public import Documents
public import SinkKit

/// What is asked of the telemetry that is kept on the gateway.
public struct TelemetryQuery: Sendable {
  /// Which series; a pattern that is absent restricts nothing.
  public struct Selection: Sendable {
    public var namespace: String
    public var pipeline: Glob?
    public var device: Glob?
    public var property: Glob?

    public init(namespace: String, pipeline: Glob? = nil, device: Glob? = nil, property: Glob? = nil) {
      self.namespace = namespace
      self.pipeline = pipeline
      self.device = device
      self.property = property
    }

    func matches(_ key: SeriesCatalogue.Key) -> Bool {
      guard let slash = key.pipeline.firstIndex(of: "/"), key.pipeline[..<slash] == namespace else { return false }
      return pipeline?.matches(String(key.pipeline[key.pipeline.index(after: slash)...])) ?? true
        && device?.matches(key.point.device.name) ?? true && property?.matches(key.point.property) ?? true
    }
  }

  public static let mostPoints = 20_000
  public static let mostFields = 24

  public var selection: Selection
  /// Names of fields; none: all that a record has, or with ``step`` all that can be joined.
  public var fields: [String]
  /// What begins at `start` or later and before `end`.
  public var start: Timestamp
  public var end: Timestamp
  /// Records are joined in steps of this length, which begin at whole multiples since 1970; nil: each is a point.
  public var step: Duration?
  /// The most points of an answer.
  public var limit: Int
  /// Where the answer before has ended: its ``TelemetryAnswer/next``.
  public var after: String?

  public init(
    selection: Selection, fields: [String] = [], start: Timestamp, end: Timestamp, step: Duration? = nil,
    limit: Int = 2_000, after: String? = nil
  ) {
    self.selection = selection
    self.fields = fields
    self.start = start
    self.end = end
    self.step = step
    self.limit = limit
    self.after = after
  }
}

/// What a ``TelemetryQuery`` is answered.
public struct TelemetryAnswer: Sendable {
  public struct Point: Sendable, Hashable {
    /// The start of what the point stands for, nanoseconds since 1970: of a step, of a window; a sample's time.
    public var time: Int64
    /// As many as the series has fields; nil where a record has none.
    public var values: [Value?]

    public init(time: Int64, values: [Value?]) {
      self.time = time
      self.values = values
    }
  }

  public struct Series: Sendable {
    /// `namespace/name`.
    public var pipeline: String
    public var description: SeriesDescription
    public var fields: [String]
    /// Fields whose points are not what one window of the step's length would have had, for want of weights.
    public var approximate: [String]
    /// By time; without a step, in the order in which they were put out.
    public var points: [Point]
  }

  /// By pipeline, device and property.
  public var series: [Series]
  /// Where the rest begins; nil: there is none.
  public var next: String?
  /// What is older has been let go.
  public var keptSince: Timestamp?
}

/// One page of the series that are kept.
public struct KeptSeries: Sendable {
  public struct Entry: Sendable {
    public var pipeline: String
    public var description: SeriesDescription
    public var fields: [String]
  }
  public var series: [Entry]
  public var next: String?
  public var keptSince: Timestamp?
}

/// Why a query has no answer.
public enum QueryProblem: Error, Sendable, Hashable {
  /// The parameter cannot be, and why.
  case invalid(parameter: String, message: String)
  /// Too many queries are under way.
  case busy
  /// The Gateway's `spec.localQuery` keeps nothing.
  case keepsNothing
  /// The disk.
  case unreadable(String)
}
