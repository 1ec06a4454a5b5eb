internal import DeviceKit
public import Documents

/// How the values of one field relate from record to record: what metric protocols call the kind of a metric.
public enum MetricKind: Sendable, Hashable {
  /// Each value stands for itself.
  case gauge
  /// A count since some start, which only rises until it begins anew.
  case counter
  /// What one window adds; `isMonotonic` where that is never negative.
  case delta(isMonotonic: Bool)
}

/// Which kind each field of a record is of. A model does not say that a property counts, so the Sink does.
public struct MetricKinds: Sendable, Hashable {
  /// Properties that are counters.
  private let counters: [Glob]

  public init(counters: [Glob] = []) { self.counters = counters }

  /// Of a window, `count`, `increase` and `duration` are deltas that only rise, `sum`, `delta` and `integral` deltas;
  /// of a counter, the value itself, `first`, `last`, `min` and `max` count on; everything else is a gauge.
  public func kind(of record: TelemetryRecord, field: String) -> MetricKind {
    if record.windowStart != nil {
      switch field {
      case "count", "increase", "duration": return .delta(isMonotonic: true)
      case "sum", "delta", "integral": return .delta(isMonotonic: false)
      default: break
      }
    }
    guard ["value", "first", "last", "min", "max"].contains(field) else { return .gauge }
    return counters.contains { $0.matches(record.series.property) } ? .counter : .gauge
  }

  /// The unit of a field, in UCUM: mostly the property's own.
  public func unit(of record: TelemetryRecord, field: String) -> String {
    let unit = UCUM.code(of: record.series.unit)
    switch field {
    case "count": return "{sample}"
    case "duration": return "s"
    case "validPercentage": return "%"
    case "rate" where !unit.isEmpty: return unit + "/s"
    case "integral" where !unit.isEmpty: return unit + ".s"
    default: return unit
    }
  }
}

/// Since when each counter has been counting: from its first value on, and anew from the first value that is lower.
///
/// A value type: a try to send works on a copy, which takes the original's place when the receiver has the batch.
public struct CounterStarts<Key: Hashable & Sendable>: Sendable {
  private struct Start: Sendable {
    var since: Timestamp
    var time: Timestamp
    var value: Double
  }

  /// Series beyond this number have no start: protocols allow that.
  private static var limit: Int { 100_000 }
  private var starts: [Key: Start] = [:]

  public init() {}

  /// The start of the counter `key`, which stood at `value` at `time`. A time that is past already changes nothing.
  public mutating func start(of key: Key, value: Double, at time: Timestamp) -> Timestamp? {
    guard var known = starts[key] else {
      guard starts.count < Self.limit else { return nil }
      starts[key] = Start(since: time, time: time, value: value)
      return time
    }
    guard time > known.time else { return known.since <= time ? known.since : time }
    if value < known.value { known.since = time }
    (known.time, known.value) = (time, value)
    starts[key] = known
    return known.since
  }
}
