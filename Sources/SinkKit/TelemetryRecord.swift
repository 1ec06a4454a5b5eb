public import DeviceKit
public import Documents

/// What a point is called and belongs to: what topics, labels and payloads are made of.
public struct SeriesDescription: Sendable, Hashable {
  public var node: String
  public var device: DeviceKey
  public var property: String
  /// The DeviceModel's name; empty where there is none.
  public var model: String
  public var unit: String
  /// The Device's labels.
  public var labels: [String: String]
  public init(
    node: String, device: DeviceKey, property: String, model: String = "", unit: String = "",
    labels: [String: String] = [:]
  ) {
    self.node = node
    self.device = device
    self.property = property
    self.model = model
    self.unit = unit
    self.labels = labels
  }
}

/// One datum on its way to the cloud: a sample, or the aggregates of one window.
public struct TelemetryRecord: Sendable, Hashable {
  public var series: SeriesDescription
  public var pipeline: String
  /// Rises by one from record to record of one series of one pipeline, over restarts: a receiver can tell a
  /// duplicate (same number) and a gap.
  public var sequence: UInt64
  /// A sample's source time; a window's end.
  public var time: Timestamp
  /// The window's start; nil for a sample.
  public var windowStart: Timestamp?
  public var quality: Quality
  /// `value` for a sample; `mean`, `count` … for a window; in the order in which the pipeline names them.
  public var fields: [Field]

  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: Value
    public init(name: String, value: Value) {
      self.name = name
      self.value = value
    }
  }

  public init(
    series: SeriesDescription, pipeline: String, sequence: UInt64, time: Timestamp, windowStart: Timestamp? = nil,
    quality: Quality, fields: [Field]
  ) {
    self.series = series
    self.pipeline = pipeline
    self.sequence = sequence
    self.time = time
    self.windowStart = windowStart
    self.quality = quality
    self.fields = fields
  }
}
