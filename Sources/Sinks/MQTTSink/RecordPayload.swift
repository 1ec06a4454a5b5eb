internal import DeviceKit
internal import Documents
internal import SinkKit

/// The JSON of a record: `time`, `start` (windows), `seq`, `quality`, `unit` (where there is one), then every field
/// under its own name.
///
/// Integers are JSON integers over both 64-bit ranges; a receiver that reads them as doubles loses digits past 2^53,
/// which is its own choice. A number that is not finite is null.
enum RecordPayload {
  static func write(_ record: TelemetryRecord, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + 160)
    output.append(contentsOf: "{\"time\":\"".utf8)
    output.append(contentsOf: record.time.description.utf8)
    if let start = record.windowStart {
      output.append(contentsOf: "\",\"start\":\"".utf8)
      output.append(contentsOf: start.description.utf8)
    }
    output.append(contentsOf: "\",\"seq\":".utf8)
    output.append(contentsOf: record.sequence.description.utf8)
    output.append(contentsOf: ",\"quality\":\"".utf8)
    output.append(contentsOf: record.quality.name.utf8)
    output.append(UInt8(ascii: "\""))
    if !record.series.unit.isEmpty {
      output.append(contentsOf: ",\"unit\":".utf8)
      JSONValue.write(string: record.series.unit, to: &output)
    }
    for field in record.fields {
      output.append(UInt8(ascii: ","))
      JSONValue.write(string: field.name, to: &output)
      output.append(UInt8(ascii: ":"))
      switch field.value {
      case .unsigned(let value): output.append(contentsOf: value.description.utf8)
      default: field.value.json.write(to: &output)
      }
    }
    output.append(UInt8(ascii: "}"))
  }
}
