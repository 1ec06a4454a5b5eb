internal import DeviceKit
public import Documents

extension TelemetryRecord {
  /// The record as one JSON object: `time`, `windowStart` (of a window), `node`, `namespace`, `device`, `property`,
  /// `model` and `unit` where they are known, `pipeline`, `sequence`, `quality`, and `fields` by name.
  public var json: JSONValue {
    var members: [String: JSONValue] = [
      "time": .string(time.microsecondsText),
      "node": .string(series.node),
      "namespace": .string(series.device.namespace),
      "device": .string(series.device.name),
      "property": .string(series.property),
      "pipeline": .string(pipeline),
      "sequence": Int64(exactly: sequence).map { .integer($0) } ?? .unsigned(sequence),
      "quality": .string(quality.name),
    ]
    if let windowStart { members["windowStart"] = .string(windowStart.microsecondsText) }
    if !series.model.isEmpty { members["model"] = .string(series.model) }
    if !series.unit.isEmpty { members["unit"] = .string(series.unit) }
    var values: [String: JSONValue] = [:]
    for field in fields { values[field.name] = field.value.json }
    members["fields"] = .object(values)
    return .object(members)
  }
}
