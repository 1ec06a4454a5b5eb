/// Counts by index over a range of at most ``QuantileSketch/most`` neighbouring indices, which is as long as what was
/// counted needs.
struct LogBins {
  private var first = 0
  private var bins: [UInt32] = []
  private(set) var count: UInt64 = 0

  mutating func removeAll() {
    bins.removeAll(keepingCapacity: true)
    count = 0
  }

  private var range: Range<Int> { first..<first + bins.count }

  func hasRoom(for index: Int) -> Bool {
    bins.isEmpty || max(range.upperBound, index + 1) - min(first, index) <= QuantileSketch.most
  }

  func hasRoom(for other: LogBins) -> Bool {
    guard !other.bins.isEmpty, !bins.isEmpty else { return true }
    return max(range.upperBound, other.range.upperBound) - min(first, other.first) <= QuantileSketch.most
  }

  /// Needs room for `index`.
  mutating func add(_ added: UInt32, at index: Int) {
    if bins.isEmpty { first = index }
    if index < first {
      bins.insert(contentsOf: repeatElement(0, count: first - index), at: 0)
      first = index
    } else if index >= first + bins.count {
      bins.append(contentsOf: repeatElement(0, count: index + 1 - first - bins.count))
    }
    bins[index - first] += added
    count += UInt64(added)
  }

  /// Needs room for `other`.
  mutating func add(_ other: LogBins) {
    for (offset, added) in other.bins.enumerated() where added > 0 { add(added, at: other.first + offset) }
  }

  /// The bin into which the bin of this index goes when two become one.
  static func halved(_ index: Int) -> Int { (index + 1) >> 1 }

  mutating func halve() {
    var halved = LogBins()
    for (offset, added) in bins.enumerated() where added > 0 { halved.add(added, at: Self.halved(first + offset)) }
    self = halved
  }

  /// The bin that holds the number of this rank, from 0.
  func index(at rank: UInt64) -> Int {
    var seen: UInt64 = 0
    for (offset, number) in bins.enumerated() {
      seen += UInt64(number)
      if seen > rank { return first + offset }
    }
    return first + bins.count - 1
  }

  func save(to output: inout ByteWriter) {
    output.zigzag(Int64(first))
    output.varint(UInt64(bins.count))
    for number in bins { output.varint(UInt64(number)) }
  }

  init() {}

  init(from input: inout ByteReader) throws(DecodingFault) {
    first = Int(try input.zigzag())
    let length = try input.count()
    guard length <= QuantileSketch.most, first.magnitude < 1 << 20 else { throw DecodingFault() }
    for _ in 0..<length {
      guard let number = UInt32(exactly: try input.varint()) else { throw DecodingFault() }
      bins.append(number)
      count += UInt64(number)
    }
  }
}
