internal import DeviceKit
internal import Documents
internal import SinkKit

/// Reads the payloads of one segment's entries, in their order: remembers the descriptions, makes records.
struct EntryDecoder {
  /// A `records` entry without its rows.
  struct RecordsHeader {
    var firstOrdinal: UInt64
    var count: Int
    /// Nanoseconds since 1970.
    var appendedAt: Int64
    var endOrdinal: UInt64 { firstOrdinal + UInt64(count) }
  }

  private(set) var series: [UInt64: SeriesDescription] = [:]
  private(set) var layouts: [UInt64: RecordLayout] = [:]
  /// Above all numbers that descriptions have had.
  private(set) var nextSeries: UInt64 = 0
  private(set) var nextLayout: UInt64 = 0

  /// Takes a description in, or tells what records the entry holds.
  mutating func take(_ bytes: [UInt8], _ payload: Range<Int>) throws(DecodingFault) -> RecordsHeader? {
    var input = ByteReader(bytes, in: payload)
    guard let kind = SegmentFormat.Kind(rawValue: try input.byte()) else { throw DecodingFault() }
    switch kind {
    case .series:
      let number = try input.varint()
      series[number] = try input.description()
      nextSeries = max(nextSeries, number &+ 1)
      return nil
    case .layout:
      let number = try input.varint()
      let pipeline = try input.string()
      var fields: [String] = []
      for _ in 0..<(try input.count()) { fields.append(try input.string()) }
      layouts[number] = RecordLayout(pipeline: pipeline, fields: fields)
      nextLayout = max(nextLayout, number &+ 1)
      return nil
    case .records:
      return try Self.header(&input)
    }
  }

  static func header(_ input: inout ByteReader) throws(DecodingFault) -> RecordsHeader {
    let firstOrdinal: UInt64 = try input.fixed()
    let count: UInt32 = try input.fixed()
    return RecordsHeader(firstOrdinal: firstOrdinal, count: Int(count), appendedAt: try input.fixed())
  }

  /// The records of a `records` entry.
  func records(_ bytes: [UInt8], _ payload: Range<Int>) throws(DecodingFault) -> [TelemetryRecord] {
    let columns = try RecordColumns(bytes, payload) { layouts[$0] }
    var records: [TelemetryRecord] = []
    records.reserveCapacity(columns.count)
    for row in 0..<columns.count {
      guard let description = series[columns.series[row]] else { throw DecodingFault() }
      var fields: [TelemetryRecord.Field] = []
      for (column, name) in columns.layout.fields.enumerated() {
        if let value = columns.value(column, of: row) {
          fields.append(TelemetryRecord.Field(name: name, value: value))
        }
      }
      let time = columns.times[row]
      records.append(
        TelemetryRecord(
          series: description, pipeline: columns.layout.pipeline, sequence: columns.sequences[row],
          time: Timestamp(nanoseconds: time),
          windowStart: columns.isWindow(row) ? Timestamp(nanoseconds: columns.starts[row]) : nil,
          quality: columns.quality(of: row), fields: fields))
    }
    return records
  }
}
