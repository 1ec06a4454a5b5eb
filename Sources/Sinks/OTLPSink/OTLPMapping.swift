internal import DeviceKit
internal import Documents
internal import SinkKit

/// How records become metrics of OTLP (opentelemetry-proto, metrics.proto): a resource for each device, a metric for each
/// property and field, a data point for each value.
///
/// Integers are exact; those above the signed range, and only they, become doubles. Booleans are 0 and 1. A sample
/// without a value is a point with the flag "no recorded value". Texts, objects and numbers that are not finite have no
/// form.
struct OTLPMapping: Sendable {
  var name: NameTemplate
  /// Attributes of data points besides `selvedge.pipeline`.
  var attributes: [String: NameTemplate]
  /// Attributes of the resource besides `service.name`, `host.name`, `device.id`, `device.model.identifier` and
  /// `selvedge.namespace`, or in place of one of them.
  var resource: [String: NameTemplate]
  var kinds: MetricKinds

  /// The records as resources, in the order in which they first appear, and the counters' starts afterwards.
  func export(of records: [TelemetryRecord], starts: CounterStarts<OTLPSeries>) -> OTLPExport {
    var export = OTLPExport(starts: starts)
    var places: [[OTLPAttribute]: Int] = [:]
    for record in records {
      var values = record.fields.compactMap { field in number(of: field.value).map { (field.name, $0) } }
      if record.fields.isEmpty, record.windowStart == nil { values = [("value", OTLPNumber.none)] }
      guard !values.isEmpty else {
        export.unsupported += 1
        continue
      }
      let owner = resource(of: record)
      let place = places[owner] ?? export.resources.count
      if place == export.resources.count {
        places[owner] = place
        export.resources.append(OTLPResource(attributes: owner))
      }
      let attributes = attributes(of: record)
      for (field, number) in values {
        let kind = kinds.kind(of: record, field: field)
        let name = metricName(of: record, field: field)
        var point = OTLPPoint(time: record.time, start: record.windowStart, number: number, attributes: attributes)
        if kind == .counter {
          let series = OTLPSeries(resource: owner, metric: name, attributes: attributes)
          point.start = number.double.flatMap { export.starts.start(of: series, value: $0, at: record.time) }
        }
        export.resources[place].add(point, to: name, unit: kinds.unit(of: record, field: field), kind: kind)
        export.points += 1
      }
    }
    return export
  }

  private func metricName(of record: TelemetryRecord, field: String) -> String {
    let base = name.name(of: record, field: field)
    let namesField = name.parts.contains { if case .word(.field, _) = $0 { true } else { false } }
    return namesField || field == "value" ? base : "\(base).\(field)"
  }

  private func resource(of record: TelemetryRecord) -> [OTLPAttribute] {
    let series = record.series
    var pairs = [
      "service.name": "selvedge", "host.name": series.node, "device.id": series.device.name,
      "device.model.identifier": series.model, "selvedge.namespace": series.device.namespace,
    ]
    for (name, template) in resource { pairs[name] = template.name(of: record) }
    return OTLPAttribute.sorted(pairs)
  }

  private func attributes(of record: TelemetryRecord) -> [OTLPAttribute] {
    var pairs = ["selvedge.pipeline": record.pipeline]
    for (name, template) in attributes { pairs[name] = template.name(of: record) }
    return OTLPAttribute.sorted(pairs)
  }

  private func number(of value: Value) -> OTLPNumber? {
    switch value {
    case .boolean(let value): .integer(value ? 1 : 0)
    case .integer(let value): .integer(value)
    case .unsigned(let value): .double(Double(value))
    case .number(let value): value.isFinite ? .double(value) : nil
    case .string, .object: nil
    }
  }
}
