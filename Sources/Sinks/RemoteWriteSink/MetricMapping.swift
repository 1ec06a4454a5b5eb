internal import DeviceKit
internal import Documents
internal import SinkKit

/// How records become series: names, labels, and which values are samples.
///
/// Numbers and booleans (0 and 1) are samples, as doubles: integers beyond 2^53 lose their last digits. A sample without
/// a value is a stale marker. Texts, objects and numbers that are not finite have no form. Of samples of one series that fall into the same
/// millisecond the last one is sent.
struct MetricMapping: Sendable {
  var name: NameTemplate
  /// Besides `namespace`, `device`, `node`, `model` and `pipeline`, or in place of one of them; an empty text leaves the
  /// label out.
  var labels: [String: NameTemplate]
  var kinds: MetricKinds
  /// Whether names are taken as they are.
  var isUTF8: Bool

  func batch(of records: [TelemetryRecord], starts: CounterStarts<[MetricSeries.Label]>) -> MetricBatch {
    var batch = MetricBatch(starts: starts)
    var places: [[MetricSeries.Label]: Int] = [:]
    var kept = [Int](repeating: 0, count: records.count)
    for (index, record) in records.enumerated() {
      var values = record.fields.compactMap { field in number(of: field.value).map { (field.name, $0) } }
      if record.fields.isEmpty, record.windowStart == nil { values = [("value", MetricSeries.staleMarker)] }
      for (field, value) in values {
        let labels = labels(of: record, field: field)
        let isCounter = kinds.kind(of: record, field: field) == .counter
        var sample = MetricSeries.Sample(
          milliseconds: milliseconds(record.time), value: value, start: nil, record: index)
        if isCounter, !value.isNaN {
          sample.start = batch.starts.start(of: labels, value: value, at: record.time).map { max(1, milliseconds($0)) }
        }
        if let place = places[labels] {
          batch.series[place].samples.append(sample)
        } else {
          places[labels] = batch.series.count
          batch.series.append(
            MetricSeries(
              labels: labels, isCounter: isCounter, unit: kinds.unit(of: record, field: field), samples: [sample]))
        }
        kept[index] += 1
      }
      if values.isEmpty { batch.dropped["unsupportedValue", default: 0] += 1 }
    }
    for index in batch.series.indices { batch.series[index].order(&kept, &batch.dropped) }
    return batch
  }

  private func milliseconds(_ time: Timestamp) -> Int64 {
    let (quotient, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return rest < 0 ? quotient - 1 : quotient
  }

  private func number(of value: Value) -> Double? {
    if case .boolean(let value) = value { return value ? 1 : 0 }
    return value.number.flatMap { $0.isFinite ? $0 : nil }
  }

  func labels(of record: TelemetryRecord, field: String) -> [MetricSeries.Label] {
    var metric = name.name(of: record, field: field)
    let namesField = name.parts.contains { if case .word(.field, _) = $0 { true } else { false } }
    if !namesField, field != "value" { metric += "_\(field)" }
    let series = record.series
    var pairs = [
      "namespace": series.device.namespace, "device": series.device.name, "node": series.node, "model": series.model,
      "pipeline": record.pipeline,
    ]
    let legal = isUTF8 ? metric : MetricName.sanitised(metric, isLabel: false)
    // Two properties must not become one series because their names differ only in what a name cannot have.
    if !legal.contains(series.property) { pairs["property"] = series.property }
    for (name, template) in labels { pairs[name] = template.name(of: record) }
    pairs["__name__"] = legal
    // Bytes in order are code points in order: what Prometheus means by sorted.
    return pairs.filter { !$0.value.isEmpty }.map { MetricSeries.Label(name: $0.key, value: $0.value) }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }
}

extension MetricSeries {
  /// Puts samples in the order of their times and keeps the last of each millisecond.
  fileprivate mutating func order(_ kept: inout [Int], _ dropped: inout [String: Int]) {
    guard samples.count > 1 else { return }
    let sorted = samples.enumerated().sorted {
      ($0.element.milliseconds, $0.offset) < ($1.element.milliseconds, $1.offset)
    }
    var ordered: [Sample] = []
    for (_, sample) in sorted {
      if let last = ordered.last, last.milliseconds == sample.milliseconds {
        ordered.removeLast()
        kept[last.record] -= 1
        if kept[last.record] == 0 { dropped["sameMillisecond", default: 0] += 1 }
      }
      ordered.append(sample)
    }
    samples = ordered
  }
}
