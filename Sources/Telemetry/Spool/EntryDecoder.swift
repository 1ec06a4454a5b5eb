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

  private static func header(_ input: inout ByteReader) throws(DecodingFault) -> RecordsHeader {
    let firstOrdinal: UInt64 = try input.fixed()
    let count: UInt32 = try input.fixed()
    return RecordsHeader(firstOrdinal: firstOrdinal, count: Int(count), appendedAt: try input.fixed())
  }

  /// The records of a `records` entry.
  func records(_ bytes: [UInt8], _ payload: Range<Int>) throws(DecodingFault) -> [TelemetryRecord] {
    var input = ByteReader(bytes, in: payload)
    _ = try input.byte()
    let header = try Self.header(&input)
    guard header.count <= payload.count, let layout = layouts[try input.varint()] else { throw DecodingFault() }
    let count = header.count
    let numbers = try input.differences(count)
    let sequences = try input.differences(count)
    let times = try input.secondDifferences(count)
    let flags = try input.runs(count)
    let lengths = try input.differences(count)
    let references = PayloadColumn.References(count) { UInt64(bitPattern: numbers[$0]) }
    var kinds: [SampleKind] = []
    var payloads: [UInt64] = []
    var sides: [Value] = []
    for _ in layout.fields {
      try PayloadColumn.read(
        count, from: &input, references: references, kinds: &kinds, payloads: &payloads, sides: &sides)
    }
    var records: [TelemetryRecord] = []
    records.reserveCapacity(count)
    for row in 0..<count {
      guard let description = series[UInt64(bitPattern: numbers[row])] else { throw DecodingFault() }
      var fields: [TelemetryRecord.Field] = []
      for (column, name) in layout.fields.enumerated() {
        let index = column * count + row
        if let value = Value(kind: kinds[index], payload: payloads[index], sideValues: sides) {
          fields.append(TelemetryRecord.Field(name: name, value: value))
        }
      }
      records.append(
        TelemetryRecord(
          series: description, pipeline: layout.pipeline, sequence: UInt64(bitPattern: sequences[row]),
          time: Timestamp(nanoseconds: times[row]),
          windowStart: flags[row] & 4 == 0 ? nil : Timestamp(nanoseconds: times[row] &- lengths[row]),
          quality: Quality(rawValue: flags[row] & 3) ?? .uncertain, fields: fields))
    }
    return records
  }
}
