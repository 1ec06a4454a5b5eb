internal import DeviceKit
public import Documents
public import SinkKit

/// A record that a receiver refused for good, set aside.
public struct QuarantinedRecord: Sendable, Hashable {
  /// Rises from record to record of one sink, and is never given to another one.
  public var id: UInt64
  public var record: TelemetryRecord
  /// What the receiver said last.
  public var reason: String
  /// When it was set aside.
  public var time: Timestamp
  /// How often it was tried again since, and refused.
  public var retries: UInt64
  /// Whether it waits to be tried again.
  public var isWaiting = false
}

/// A page of a sink's quarantine.
public struct QuarantinePage: Sendable {
  public var records: [QuarantinedRecord]
  /// The last id of the page, where more follow.
  public var next: UInt64?
  public var status: QuarantineStatus
}

/// How a sink's quarantine is doing.
public struct QuarantineStatus: Sendable, Hashable {
  /// Records that are set aside now.
  public var held: UInt64 = 0
  public var bytes: Int64 = 0
  /// Of these, records that wait to be tried again.
  public var waiting: UInt64 = 0
  /// Records that the receiver took when they were tried again, since the start.
  public var delivered: UInt64 = 0
  /// Records that somebody dropped, since the start.
  public var dropped: UInt64 = 0
  /// Records that made room for newer ones, since the start.
  public var displaced: UInt64 = 0
  public init() {}
}

extension QuarantinedRecord {
  func encode(to output: inout ByteWriter) {
    output.varint(id)
    output.fixed(time.nanoseconds)
    output.varint(retries)
    output.string(reason)
    output.description(record.series)
    output.string(record.pipeline)
    output.varint(record.sequence)
    output.fixed(record.time.nanoseconds)
    output.byte(record.quality.rawValue)
    output.byte(record.windowStart == nil ? 0 : 1)
    if let start = record.windowStart { output.fixed(start.nanoseconds) }
    output.varint(UInt64(record.fields.count))
    for field in record.fields {
      output.string(field.name)
      output.value(field.value)
    }
  }

  init(from input: inout ByteReader) throws(DecodingFault) {
    id = try input.varint()
    time = Timestamp(nanoseconds: try input.fixed())
    retries = try input.varint()
    reason = try input.string()
    let series = try input.description()
    let pipeline = try input.string()
    let sequence = try input.varint()
    let time = Timestamp(nanoseconds: try input.fixed())
    guard let quality = Quality(rawValue: try input.byte()) else { throw DecodingFault() }
    let start = try input.byte() == 0 ? nil : Timestamp(nanoseconds: try input.fixed())
    var fields: [TelemetryRecord.Field] = []
    for _ in 0..<(try input.count()) {
      let name = try input.string()
      guard let value = try input.value() else { throw DecodingFault() }
      fields.append(TelemetryRecord.Field(name: name, value: value))
    }
    record = TelemetryRecord(
      series: series, pipeline: pipeline, sequence: sequence, time: time, windowStart: start, quality: quality,
      fields: fields)
  }
}
