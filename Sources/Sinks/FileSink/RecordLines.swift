internal import DeviceKit
internal import Documents
internal import SinkKit

/// Records as lines of text.
enum RecordLines {
  /// The columns of a CSV file: one line per field of a record (RFC 4180, but for line ends of LF alone).
  static let columns = [
    "time", "windowStart", "node", "namespace", "device", "property", "model", "unit", "quality", "pipeline",
    "sequence",
    "field", "value",
  ]

  /// What an empty file starts with.
  static func head(of format: FileSinkSpecification.Format) -> [UInt8] {
    switch format {
    case .ndjson: []
    case .csv: Array((columns.joined(separator: ",") + "\n").utf8)
    }
  }

  static func encode(_ records: [TelemetryRecord], as format: FileSinkSpecification.Format) -> [UInt8] {
    var output: [UInt8] = []
    for record in records {
      switch format {
      case .ndjson:
        record.json.write(to: &output)
        output.append(0x0A)
      case .csv: writeCSV(record, to: &output)
      }
    }
    return output
  }

  private static func writeCSV(_ record: TelemetryRecord, to output: inout [UInt8]) {
    let series = record.series
    let shared = [
      record.time.microsecondsText, record.windowStart?.microsecondsText ?? "", series.node, series.device.namespace,
      series.device.name, series.property, series.model, series.unit, record.quality.name, record.pipeline,
      record.sequence.description,
    ]
    var fields = record.fields.map { ($0.name, text(of: $0.value)) }
    // A record without a value still says when and why: by its quality.
    if fields.isEmpty { fields = [("", "")] }
    for (name, value) in fields {
      let line = (shared + [name, value]).map(quoted).joined(separator: ",")
      output.append(contentsOf: line.utf8)
      output.append(0x0A)
    }
  }

  private static func text(of value: Value) -> String {
    if case .string(let text) = value { return text }
    if case .unsigned(let number) = value { return number.description }
    return value.json.description
  }

  private static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }) else { return text }
    var quoted = "\""
    for character in text.unicodeScalars {
      if character == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }
}
