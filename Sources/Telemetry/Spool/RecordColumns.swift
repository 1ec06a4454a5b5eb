internal import DeviceKit

/// The rows of one `records` entry as they stand on disk, in columns.
struct RecordColumns {
  let header: EntryDecoder.RecordsHeader
  let layout: RecordLayout
  /// The segment's numbers of the series.
  let series: [UInt64]
  let sequences: [UInt64]
  /// Nanoseconds since 1970: a sample's source time, a window's end.
  let times: [Int64]
  /// A window's start; of a sample its time.
  let starts: [Int64]
  private let flags: [UInt8]
  /// Column after column; empty where they were not asked for.
  private(set) var kinds: [SampleKind] = []
  private(set) var payloads: [UInt64] = []
  private var sides: [Value] = []

  var count: Int { header.count }

  /// `layouts` gives the layout of a number. Without `fields` only what precedes them is read.
  init(
    _ bytes: [UInt8], _ payload: Range<Int>, fields: Bool = true, layouts: (UInt64) -> RecordLayout?
  ) throws(DecodingFault) {
    var input = ByteReader(bytes, in: payload)
    _ = try input.byte()
    let header = try EntryDecoder.header(&input)
    guard header.count <= payload.count, let layout = layouts(try input.varint()) else { throw DecodingFault() }
    (self.header, self.layout) = (header, layout)
    let count = header.count
    series = try input.differences(count).map { UInt64(bitPattern: $0) }
    sequences = try input.differences(count).map { UInt64(bitPattern: $0) }
    let times = try input.secondDifferences(count)
    flags = try input.runs(count)
    var starts = try input.differences(count)
    for row in 0..<count { starts[row] = times[row] &- starts[row] }
    (self.times, self.starts) = (times, starts)
    guard fields else { return }
    let references = PayloadColumn.References(count) { [series] in series[$0] }
    for _ in layout.fields {
      try PayloadColumn.read(
        count, from: &input, references: references, kinds: &kinds, payloads: &payloads, sides: &sides)
    }
  }

  func isWindow(_ row: Int) -> Bool { flags[row] & 4 != 0 }
  func quality(of row: Int) -> Quality { Quality(rawValue: flags[row] & 3) ?? .uncertain }

  /// A field of a row; nil where the row has none.
  func value(_ column: Int, of row: Int) -> Value? {
    let index = column * count + row
    return Value(kind: kinds[index], payload: payloads[index], sideValues: sides)
  }

  /// The same as a number; absent for anything else.
  func number(_ column: Int, of row: Int) -> Numeral {
    let index = column * count + row
    return Numeral(kind: kinds[index], payload: payloads[index])
  }
}
