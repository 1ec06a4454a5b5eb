internal import DeviceKit
internal import SinkKit

/// Where a segment's records stand, by series and time: one block for every 16 KiB or so of entries, however many records
/// these hold. Made from the file alone; extended as the file grows.
struct SegmentIndex {
  /// Entries side by side, between two offsets.
  struct Block: BitwiseCopyable {
    var start: Int
    var end: Int
    /// The least and greatest start of what a record stands for, nanoseconds since 1970.
    var first = Int64.max
    var last = Int64.min
    /// The least and greatest handle of its series.
    var lowest = UInt32.max
    var highest: UInt32 = 0
  }

  private static let blockBytes = 16 << 10
  /// Numbers of series and layouts rise by one; beyond this they are damage.
  private static let mostNumbers: UInt64 = 1 << 22

  /// What stands before this offset is known.
  private(set) var scanned = SegmentFormat.headerLength
  private(set) var blocks: [Block] = []
  /// Of the next record behind the segment's last one.
  private(set) var endOrdinal: UInt64 = 0
  /// The handles of all its series.
  private(set) var members = HandleSet()
  /// By the series' number in the segment.
  private var handles: [UInt32?] = []
  /// Of series that have had no record yet.
  private var descriptions: [UInt64: SeriesDescription] = [:]
  private var layouts: [UInt64: RecordLayout] = [:]

  func layout(_ number: UInt64) -> RecordLayout? { layouts[number] }

  /// The series' handle by its number; nil for one without a record.
  func handle(_ number: UInt64) -> UInt32? { number < UInt64(handles.count) ? handles[Int(number)] : nil }

  /// The layouts of its records.
  var allLayouts: some Collection<RecordLayout> { layouts.values }

  /// Reads on to `length`. Series get their handles from `catalogue`, which learns of them what nobody has told it.
  mutating func extend(_ file: StoredFile, to length: Int, catalogue: SeriesCatalogue) throws(SpoolError) {
    guard scanned < length else { return }
    try SegmentScan(file).entries(from: scanned, to: length) { (bytes, payload, place) throws(DecodingFault) in
      var decoder = EntryDecoder()
      guard try decoder.take(bytes, payload) != nil else {
        layouts.merge(decoder.layouts) { $1 }
        descriptions.merge(decoder.series) { $1 }
        return
      }
      let columns = try RecordColumns(bytes, payload, fields: false) { layouts[$0] }
      try resolve(columns, catalogue)
      add(columns, at: place)
    }
    scanned = length
  }

  /// Finds out which series of the pipeline the entry's numbers mean.
  private mutating func resolve(_ columns: RecordColumns, _ catalogue: SeriesCatalogue) throws(DecodingFault) {
    for number in columns.series where handle(number) == nil {
      guard number < Self.mostNumbers, let description = descriptions.removeValue(forKey: number) else {
        throw DecodingFault()
      }
      let point = PointName(device: description.device, property: description.property)
      let handle = catalogue.handle(of: SeriesCatalogue.Key(pipeline: columns.layout.pipeline, point: point))
      catalogue.describe(handle, asFirst: description)
      while handles.count <= Int(number) { handles.append(nil) }
      handles[Int(number)] = handle
      members.insert(handle)
    }
  }

  private mutating func add(_ columns: RecordColumns, at place: Range<Int>) {
    if blocks.last.map({ $0.end - $0.start >= Self.blockBytes }) ?? true {
      blocks.append(Block(start: place.lowerBound, end: place.upperBound))
    }
    var block = blocks[blocks.count - 1]
    block.end = place.upperBound
    for row in 0..<columns.count {
      guard let handle = handle(columns.series[row]) else { continue }
      block.lowest = min(block.lowest, handle)
      block.highest = max(block.highest, handle)
      block.first = min(block.first, columns.starts[row])
      block.last = max(block.last, columns.starts[row])
    }
    blocks[blocks.count - 1] = block
    endOrdinal = max(endOrdinal, columns.header.endOrdinal)
  }
}

/// A set of series' handles, a bit each.
struct HandleSet: Equatable {
  private var words: [UInt64] = []

  mutating func insert(_ handle: UInt32) {
    let word = Int(handle >> 6)
    if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
    words[word] |= 1 << UInt64(handle & 63)
  }

  mutating func formUnion(_ other: HandleSet) {
    if other.words.count > words.count {
      words.append(contentsOf: repeatElement(0, count: other.words.count - words.count))
    }
    for (word, bits) in other.words.enumerated() { words[word] |= bits }
  }

  /// In rising order.
  var handles: [UInt32] {
    var handles: [UInt32] = []
    for (word, bits) in words.enumerated() {
      var rest = bits
      while rest != 0 {
        handles.append(UInt32(word << 6 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return handles
  }
}
