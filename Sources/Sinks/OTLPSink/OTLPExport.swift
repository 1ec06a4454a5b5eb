internal import Documents
internal import SinkKit

struct OTLPAttribute: Sendable, Hashable {
  var key: String
  var value: String

  /// Those that have a value, by key.
  static func sorted(_ pairs: [String: String]) -> [OTLPAttribute] {
    pairs.filter { !$0.value.isEmpty }.map { OTLPAttribute(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
  }
}

/// A data point's value.
enum OTLPNumber: Sendable, Hashable {
  case integer(Int64)
  case double(Double)
  /// No recorded value.
  case none

  /// For the comparison of a counter with itself.
  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value.isNaN ? nil : value
    case .none: nil
    }
  }
}

/// What makes a series of OTLP's data model one of its own.
struct OTLPSeries: Sendable, Hashable {
  var resource: [OTLPAttribute]
  var metric: String
  var attributes: [OTLPAttribute]
}

struct OTLPPoint: Sendable, Hashable {
  var time: Timestamp
  var start: Timestamp?
  var number: OTLPNumber
  var attributes: [OTLPAttribute]
}

struct OTLPMetric: Sendable, Hashable {
  var name: String
  var unit: String
  var kind: MetricKind
  var points: [OTLPPoint]
}

/// The metrics of one device.
struct OTLPResource: Sendable {
  struct Identity: Hashable {
    var name: String
    var unit: String
    var kind: MetricKind
  }

  var attributes: [OTLPAttribute]
  private(set) var metrics: [OTLPMetric] = []
  private var places: [Identity: Int] = [:]

  init(attributes: [OTLPAttribute]) { self.attributes = attributes }

  mutating func add(_ point: OTLPPoint, to name: String, unit: String, kind: MetricKind) {
    let identity = Identity(name: name, unit: unit, kind: kind)
    if let place = places[identity] {
      metrics[place].points.append(point)
    } else {
      places[identity] = metrics.count
      metrics.append(OTLPMetric(name: name, unit: unit, kind: kind, points: [point]))
    }
  }
}

/// What records become in one request.
struct OTLPExport: Sendable {
  var resources: [OTLPResource] = []
  var points = 0
  /// Records of which nothing has a form.
  var unsupported = 0
  var starts: CounterStarts<OTLPSeries>

  init(starts: CounterStarts<OTLPSeries>) { self.starts = starts }

  /// `ExportMetricsServiceRequest` in wire format.
  func encoded() -> [UInt8] {
    var writer = ProtobufWriter()
    for resource in resources {
      writer.message(1) { message in
        message.message(1) { Self.write(resource.attributes, as: 1, to: &$0) }
        message.message(2) { scope in
          scope.message(1) { $0.string(1, "selvedge") }
          for metric in resource.metrics { scope.message(2) { Self.write(metric, to: &$0) } }
        }
      }
    }
    return writer.bytes
  }

  private static func write(_ metric: OTLPMetric, to writer: inout ProtobufWriter) {
    writer.string(1, metric.name)
    if !metric.unit.isEmpty { writer.string(3, metric.unit) }
    let points = { (data: inout ProtobufWriter) in
      for point in metric.points { data.message(1) { write(point, to: &$0) } }
    }
    // AggregationTemporality: 1 is delta, 2 cumulative.
    switch metric.kind {
    case .gauge: writer.message(5, points)
    case .counter:
      writer.message(7) { sum in
        points(&sum)
        sum.varint(2, 2)
        sum.varint(3, 1)
      }
    case .delta(let isMonotonic):
      writer.message(7) { sum in
        points(&sum)
        sum.varint(2, 1)
        if isMonotonic { sum.varint(3, 1) }
      }
    }
  }

  private static func write(_ point: OTLPPoint, to writer: inout ProtobufWriter) {
    if let start = point.start { writer.fixed64(2, UInt64(bitPattern: start.nanoseconds)) }
    writer.fixed64(3, UInt64(bitPattern: point.time.nanoseconds))
    switch point.number {
    case .double(let value): writer.double(4, value)
    case .integer(let value): writer.fixed64(6, UInt64(bitPattern: value))
    case .none: writer.varint(8, 1)
    }
    write(point.attributes, as: 7, to: &writer)
  }

  private static func write(_ attributes: [OTLPAttribute], as field: Int, to writer: inout ProtobufWriter) {
    for attribute in attributes {
      writer.message(field) { pair in
        pair.string(1, attribute.key)
        pair.message(2) { $0.string(1, attribute.value) }
      }
    }
  }
}
