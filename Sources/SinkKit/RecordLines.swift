internal import DeviceKit
internal import Documents

/// Records as lines of text.
public enum RecordLines {
  public enum Format: String, Sendable, CaseIterable {
    /// One JSON object a record, as ``TelemetryRecord/json`` has it.
    case ndjson
    /// One line a field, after one line with the names of the ``columns``.
    case csv
  }

  /// The columns of CSV (RFC 4180, but for line ends of LF alone). `time` and `windowStart` are RFC 3339 in UTC with
  /// microseconds; `type` is boolean, integer, number, string or object, the last as JSON; a record without a value has
  /// one line whose `field`, `type` and `value` are empty.
  public static let columns = [
    "time", "windowStart", "node", "namespace", "device", "property", "model", "unit", "quality", "pipeline",
    "sequence", "field", "type", "value",
  ]

  /// What comes before the first line.
  public static func head(of format: Format) -> [UInt8] {
    switch format {
    case .ndjson: []
    case .csv: Array((columns.joined(separator: ",") + "\n").utf8)
    }
  }

  public static func encode(_ records: [TelemetryRecord], as format: Format) -> [UInt8] {
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
    ].map(quoted).joined(separator: ",")
    // A record without a value still says when and why: by its quality.
    let fields = record.fields.isEmpty ? [TelemetryRecord.Field?.none] : record.fields.map { $0 }
    for field in fields {
      output.append(contentsOf: shared.utf8)
      for text in [
        field?.name ?? "", field.map { type(of: $0.value) } ?? "", field.map { self.text(of: $0.value) } ?? "",
      ] {
        output.append(0x2C)
        output.append(contentsOf: quoted(text).utf8)
      }
      output.append(0x0A)
    }
  }

  private static func type(of value: Value) -> String {
    switch value {
    case .boolean: "boolean"
    case .integer, .unsigned: "integer"
    case .number: "number"
    case .string: "string"
    case .object: "object"
    }
  }

  /// A number that is not finite is empty.
  private static func text(of value: Value) -> String {
    switch value {
    case .string(let text): text
    case .unsigned(let number): number.description
    case .number(let number) where !number.isFinite: ""
    default: value.json.description
    }
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
