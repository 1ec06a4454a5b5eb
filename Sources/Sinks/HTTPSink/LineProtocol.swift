internal import DeviceKit
internal import Documents
internal import SinkKit

/// Records as InfluxDB line protocol: `measurement,tag=… field=… time`, one line a record.
///
/// Integers stay exact (`1i`, and `1u` beyond the signed range), tags are sorted by name. A value that the protocol has
/// no form for (NaN, infinities) is left out; objects are JSON text. Line ends in names become spaces, and a backslash at
/// the end of a name, which would escape what follows, an underscore.
struct LineProtocol: Sendable {
  enum Precision: String, Sendable, CaseIterable {
    case ns, us, ms, s

    /// Nanoseconds in one unit.
    var nanoseconds: Int64 {
      switch self {
      case .ns: 1
      case .us: 1_000
      case .ms: 1_000_000
      case .s: 1_000_000_000
      }
    }

    /// The value of the query's parameter: InfluxDB 1 has `n` and `u`.
    func parameter(isVersion2: Bool) -> String {
      guard !isVersion2 else { return rawValue }
      switch self {
      case .ns: return "n"
      case .us: return "u"
      case .ms, .s: return rawValue
      }
    }
  }

  var template: NameTemplate
  /// Besides `node`, `namespace`, `device`, `model` and `pipeline`, or in place of one of them. An empty text leaves the
  /// tag out.
  var tags: [String: NameTemplate] = [:]
  var precision = Precision.ns
  var hasUnsigned = true

  init(template: NameTemplate) { self.template = template }

  /// The lines of all records that have something to say, and how many have not.
  func lines(of records: [TelemetryRecord]) -> (body: [UInt8], unsupported: Int) {
    var output: [UInt8] = []
    output.reserveCapacity(records.count * 160)
    var unsupported = 0
    for record in records where !append(record, to: &output) { unsupported += 1 }
    return (output, unsupported)
  }

  private func append(_ record: TelemetryRecord, to output: inout [UInt8]) -> Bool {
    let start = output.count
    Self.escape(template.name(of: record), ", ", "_", to: &output)
    for (name, value) in tagged(record) {
      output.append(0x2C)
      Self.escape(name, ",= ", "_", to: &output)
      output.append(0x3D)
      Self.escape(value, ",= ", "_", to: &output)
    }
    output.append(0x20)
    var isFirst = true
    func begin(_ name: String) {
      if !isFirst { output.append(0x2C) }
      isFirst = false
      Self.escape(name, ",= ", "_", to: &output)
      output.append(0x3D)
    }
    for field in record.fields {
      guard let text = Self.text(of: field.value, hasUnsigned: hasUnsigned) else { continue }
      begin(field.name)
      output.append(contentsOf: text.utf8)
    }
    // A record that only says that there is no value still says so; one whose values have no form is not sent.
    if isFirst, !record.fields.isEmpty {
      output.removeSubrange(start...)
      return false
    }
    begin("quality")
    output.append(contentsOf: "\"\(record.quality.name)\"".utf8)
    output.append(0x20)
    let nanoseconds = record.time.nanoseconds
    let unit = precision.nanoseconds
    let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: unit)
    output.append(contentsOf: (rest < 0 ? quotient - 1 : quotient).description.utf8)
    output.append(0x0A)
    return true
  }

  private func tagged(_ record: TelemetryRecord) -> [(String, String)] {
    let series = record.series
    var tagged = [
      "node": series.node, "namespace": series.device.namespace, "device": series.device.name, "model": series.model,
      "pipeline": record.pipeline,
    ]
    for (name, template) in tags { tagged[name] = template.name(of: record) }
    return tagged.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
  }

  static func text(of value: Value, hasUnsigned: Bool) -> String? {
    switch value {
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): "\(value)i"
    case .unsigned(let value): hasUnsigned ? "\(value)u" : nil
    case .number(let value): value.isFinite ? value.description : nil
    case .string(let text): quoted(text)
    case .object(let json): quoted(json.description)
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { quoted += "\\" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }

  /// Writes a name: `special` characters behind a backslash, line ends as spaces, `standIn` for an empty name and for a
  /// backslash at the end.
  private static func escape(_ text: String, _ special: String, _ standIn: String, to output: inout [UInt8]) {
    let bytes = Array((text.isEmpty ? standIn : text).utf8)
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case 0x0A, 0x0D: output += [0x5C, 0x20]
      case 0x5C where index + 1 == bytes.count: output.append(0x5F)
      // Before a special character a backslash of the text itself would be taken for its escape.
      case 0x5C where special.utf8.contains(bytes[index + 1]) || [0x0A, 0x0D].contains(bytes[index + 1]):
        output.append(0x5F)
      case _ where special.utf8.contains(byte): output += [0x5C, byte]
      default: output.append(byte)
      }
    }
  }
}
