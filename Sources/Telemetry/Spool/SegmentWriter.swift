internal import SinkKit

/// Turns rows into a segment's entries. Within a segment each series and each layout is described once, before its
/// first record; later records name it by a number.
struct SegmentWriter {
  /// By handle; ``undescribed`` for those that the segment has not named.
  private var series: [UInt64] = []
  private static let undescribed = UInt64.max
  private var layouts: [RecordLayout: UInt64] = [:]
  private var nextSeries: UInt64
  private var nextLayout: UInt64
  private var epoch: Int?
  /// Rows per entry: what a damaged entry costs at most.
  static let rowsPerEntry = 512

  /// `nextSeries`, `nextLayout`: numbers that the segment has not given out.
  init(nextSeries: UInt64 = 0, nextLayout: UInt64 = 0) {
    self.nextSeries = nextSeries
    self.nextLayout = nextLayout
  }

  /// Forgets what has been described, so that it is described again: after a write that failed.
  mutating func forget() {
    series.removeAll(keepingCapacity: true)
    layouts.removeAll(keepingCapacity: true)
  }

  /// Appends entries for the rows `range`; the first gets `ordinal`.
  mutating func append(
    _ rows: RecordRows, _ range: Range<Int>, layout: RecordLayout, catalogue: SeriesCatalogue, ordinal: UInt64,
    at now: Int64, to output: inout ByteWriter
  ) {
    let current = catalogue.epoch
    if current != epoch {
      series.removeAll(keepingCapacity: true)
      epoch = current
    }
    let layoutNumber = describe(layout, to: &output)
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + Self.rowsPerEntry, range.upperBound)
      for index in start..<end {
        let handle = Int(rows.rows[index].series)
        guard handle >= series.count || series[handle] == Self.undescribed else { continue }
        describe(handle, catalogue.description(of: rows.rows[index].series), to: &output)
      }
      var entry = ByteWriter()
      entry.byte(SegmentFormat.Kind.records.rawValue)
      entry.fixed(ordinal + UInt64(start - range.lowerBound))
      entry.fixed(UInt32(end - start))
      entry.fixed(now)
      entry.varint(layoutNumber)
      append(rows, start..<end, fields: layout.fields.count, to: &entry)
      SegmentFormat.append(entry.bytes, to: &output)
      start = end
    }
  }

  /// The rows in columns: series, sequence numbers, times, lengths of windows, flags, then each field.
  private func append(_ rows: RecordRows, _ range: Range<Int>, fields: Int, to entry: inout ByteWriter) {
    let (first, count) = (range.lowerBound, range.count)
    let numbers = rows.rows[range].map { series[Int($0.series)] }
    entry.bytes.reserveCapacity(64 + count * (8 + 8 * fields))
    entry.differences(count) { Int64(bitPattern: numbers[$0]) }
    entry.differences(count) { Int64(bitPattern: rows.rows[first + $0].sequence) }
    entry.secondDifferences(count) { rows.rows[first + $0].time }
    entry.runs(count) { rows.rows[first + $0].quality | (rows.rows[first + $0].windowStart == .min ? 0 : 4) }
    entry.differences(count) { index in
      let row = rows.rows[first + index]
      return row.windowStart == .min ? 0 : row.time &- row.windowStart
    }
    let references = PayloadColumn.References(count) { numbers[$0] }
    for field in 0..<fields {
      PayloadColumn.write(
        count, to: &entry, references: references, kind: { rows.fieldKinds[(first + $0) * fields + field] },
        payload: { rows.fieldPayloads[(first + $0) * fields + field] },
        side: { rows.field((first + $0) * fields + field) })
    }
  }

  private mutating func describe(_ layout: RecordLayout, to output: inout ByteWriter) -> UInt64 {
    if let number = layouts[layout] { return number }
    let number = nextLayout
    nextLayout += 1
    layouts[layout] = number
    var entry = ByteWriter()
    entry.byte(SegmentFormat.Kind.layout.rawValue)
    entry.varint(number)
    entry.string(layout.pipeline)
    entry.varint(UInt64(layout.fields.count))
    for field in layout.fields { entry.string(field) }
    SegmentFormat.append(entry.bytes, to: &output)
    return number
  }

  private mutating func describe(_ handle: Int, _ description: SeriesDescription, to output: inout ByteWriter) {
    let number = nextSeries
    nextSeries += 1
    if handle >= series.count {
      series.append(contentsOf: repeatElement(Self.undescribed, count: handle + 1 - series.count))
    }
    series[handle] = number
    var entry = ByteWriter()
    entry.byte(SegmentFormat.Kind.series.rawValue)
    entry.varint(number)
    entry.description(description)
    SegmentFormat.append(entry.bytes, to: &output)
  }
}
