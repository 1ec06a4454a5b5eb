internal import DeviceKit
internal import Documents
internal import SinkKit

/// One metric of a payload (Eclipse Sparkplug 3.0, section 6.4.6; field numbers of Tahu's sparkplug_b.proto).
struct SparkplugMetric: Sendable {
  /// Section 6.4.16, "Data Types".
  enum DataType: UInt64, Sendable {
    case int64 = 4
    case uint64 = 8
    case double = 10
    case boolean = 11
    case string = 12
  }

  /// Given in births, and where there is no alias.
  var name: String?
  var alias: UInt64?
  var time: Timestamp
  var dataType: DataType?
  /// Nil: is_null.
  var value: Value?
  var isHistorical = false
  /// `engUnit`, in births.
  var unit = ""
  var quality = Quality.good

  /// The type of what arrives for a value.
  static func dataType(of value: Value) -> DataType {
    switch value {
    case .boolean: .boolean
    case .integer: .int64
    case .unsigned: .uint64
    case .number: .double
    case .string, .object: .string
    }
  }

  func write(to writer: inout ProtobufWriter) {
    if let name { writer.string(1, name) }
    if let alias { writer.varint(2, alias) }
    writer.varint(3, Self.milliseconds(time))
    if let dataType { writer.varint(4, dataType.rawValue) }
    if isHistorical { writer.varint(5, 1) }
    let isNull =
      value == nil || value.map { if case .number(let number) = $0 { !number.isFinite } else { false } } == true
    if isNull { writer.varint(7, 1) }
    writeProperties(to: &writer)
    guard !isNull, let value else { return }
    switch value {
    case .integer(let number): writer.varint(11, UInt64(bitPattern: number))
    case .unsigned(let number): writer.varint(11, number)
    case .number(let number): writer.double(13, number)
    case .boolean(let flag): writer.varint(14, flag ? 1 : 0)
    case .string(let text): writer.string(15, text)
    case .object(let json): writer.string(15, json.description)
    }
  }

  /// `engUnit` (String), and `Quality` (Int32) where it is not good: 500 stale, 0 bad (section 6.4.9.1).
  private func writeProperties(to writer: inout ProtobufWriter) {
    guard !unit.isEmpty || quality != .good else { return }
    writer.message(9) { set in
      if !unit.isEmpty { set.string(1, "engUnit") }
      if quality != .good { set.string(1, "Quality") }
      if !unit.isEmpty {
        set.message(2) { property in
          property.varint(1, 12)
          property.string(8, unit)
        }
      }
      if quality != .good {
        set.message(2) { property in
          property.varint(1, 3)
          property.varint(3, quality == .bad ? 0 : 500)
        }
      }
    }
  }

  static func milliseconds(_ time: Timestamp) -> UInt64 { UInt64(clamping: time.nanoseconds / 1_000_000) }
}

/// One payload.
enum SparkplugPayload {
  /// `sequence` is nil in NDEATH alone.
  static func bytes(at time: Timestamp, sequence: UInt8?, _ metrics: [SparkplugMetric]) -> [UInt8] {
    ProtobufWriter.message { writer in
      writer.varint(1, SparkplugMetric.milliseconds(time))
      for metric in metrics { writer.message(2) { metric.write(to: &$0) } }
      if let sequence { writer.varint(3, UInt64(sequence)) }
    }
  }

  /// Whether a command asks for new births: `Node Control/Rebirth` is true.
  static func asksForRebirth(_ payload: [UInt8]) -> Bool {
    var reader = ProtobufReader(payload)
    while let (field, content) = try? reader.next() {
      if field == 2, let metric = content.bytes, isRebirth(metric) { return true }
    }
    return false
  }

  private static func isRebirth(_ metric: [UInt8]) -> Bool {
    var reader = ProtobufReader(metric)
    var (name, isTrue) = ("", false)
    while let (field, content) = try? reader.next() {
      if field == 1, let bytes = content.bytes { name = String(decoding: bytes, as: UTF8.self) }
      if field == 14 { isTrue = content.varint == 1 }
    }
    return name == "Node Control/Rebirth" && isTrue
  }
}
