internal import Documents
internal import SinkKit

/// The samples of one series in a request, in the order of their times.
struct MetricSeries: Sendable, Hashable {
  struct Sample: Sendable, Hashable {
    /// Since 1970.
    var milliseconds: Int64
    var value: Double
    /// Since when a counter counts, milliseconds since 1970; nil for everything else.
    var start: Int64?
    /// The record that it came from, by its place in the batch.
    var record: Int
  }

  /// Signals that a series has no value any more: a NaN with these very bits.
  static let staleMarker = Double(bitPattern: 0x7FF0_0000_0000_0002)

  struct Label: Sendable, Hashable {
    var name: String
    var value: String
  }

  /// Sorted by name, none empty, `__name__` among them.
  var labels: [Label]
  var isCounter: Bool
  /// In UCUM; may be empty.
  var unit: String
  var samples: [Sample]
}

/// What records become in a request.
struct MetricBatch: Sendable {
  var series: [MetricSeries] = []
  /// Records of which nothing could be sent, by cause.
  var dropped: [String: Int] = [:]
  /// The counters' starts after this batch.
  var starts: CounterStarts<[MetricSeries.Label]>

  var sampleCount: Int { series.reduce(0) { $0 + $1.samples.count } }
}
