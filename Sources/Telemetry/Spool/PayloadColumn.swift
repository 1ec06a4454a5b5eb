internal import DeviceKit

/// One column of kinds and 64-bit payloads as bytes: what samples and fields of records have in common.
///
/// Kinds stand as runs. A number is the XOR with the number that its row refers to, without the zero bytes at both ends
/// (after Pelkonen et al., Gorilla, VLDB 2015, section 4.1.2, in whole bytes); an integer is the difference from it.
/// Strings and objects stand as they are.
enum PayloadColumn {
  /// For each row the row that its payload is compared with: the latest before it of the same series where a small
  /// table still knows it, else the one before. Both ends compute it from the series alone.
  struct References {
    private static let places = 1_024
    private(set) var rows: [Int32] = []

    @inline(__always)
    init(_ count: Int, _ series: (Int) -> UInt64) {
      rows.reserveCapacity(count)
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.places) { seen in
        seen.initialize(repeating: -1)
        for row in 0..<count {
          let number = series(row)
          let place = Int(truncatingIfNeeded: number & UInt64(Self.places - 1))
          let last = seen[place]
          rows.append(last >= 0 && series(Int(last)) == number ? last : Int32(row) - 1)
          seen[place] = Int32(row)
        }
      }
    }
  }

  @inline(__always)
  static func write(
    _ count: Int, to output: inout ByteWriter, references: References, kind: (Int) -> SampleKind,
    payload: (Int) -> UInt64, side: (Int) -> Value?
  ) {
    output.runs(count) { kind($0).rawValue }
    guard count > 0 else { return }
    // Mostly a column is all of one kind of number: its bytes are then written without a look at each.
    let first = kind(0)
    switch first {
    case .number, .integer, .unsigned:
      var row = 1
      while row < count, kind(row) == first { row += 1 }
      guard row == count else { break }
      return output.fill(most: ByteWriter.longestVarint * count) { end in
        for row in 0..<count {
          let reference = Int(references.rows[row])
          let other = reference < 0 ? 0 : payload(reference)
          if first == .number {
            ByteWriter.significant(payload(row) ^ other, to: &end)
          } else {
            ByteWriter.zigzag(Int64(bitPattern: payload(row) &- other), to: &end)
          }
        }
      }
    default: break
    }
    for row in 0..<count {
      let reference = Int(references.rows[row])
      let other = reference < 0 ? 0 : Self.plain(kind(reference), payload(reference))
      switch kind(row) {
      case .none: break
      case .boolean: output.byte(payload(row) == 0 ? 0 : 1)
      case .integer, .unsigned: output.zigzag(Int64(bitPattern: payload(row) &- other))
      case .number: output.significant(payload(row) ^ other)
      case .side: output.value(side(row))
      }
    }
  }

  /// Appends `count` payloads to `payloads`; those of strings and objects are indices into `sides`.
  static func read(
    _ count: Int, from input: inout ByteReader, references: References, kinds: inout [SampleKind],
    payloads: inout [UInt64], sides: inout [Value]
  ) throws(DecodingFault) {
    let start = payloads.count
    for kind in try input.runs(count) {
      guard let kind = SampleKind(rawValue: kind) else { throw DecodingFault() }
      kinds.append(kind)
    }
    for row in 0..<count {
      let reference = Int(references.rows[row])
      let other = reference < 0 ? 0 : Self.plain(kinds[start + reference], payloads[start + reference])
      switch kinds[start + row] {
      case .none: payloads.append(0)
      case .boolean: payloads.append(UInt64(try input.byte()))
      case .integer, .unsigned: payloads.append(UInt64(bitPattern: try input.zigzag()) &+ other)
      case .number: payloads.append(try input.significant() ^ other)
      case .side:
        guard let value = try input.value() else { throw DecodingFault() }
        payloads.append(UInt64(sides.count))
        sides.append(value)
      }
    }
  }

  /// What a row gives to those that refer to it; a place in a table of values says nothing about them.
  private static func plain(_ kind: SampleKind, _ payload: UInt64) -> UInt64 { kind == .side ? 0 : payload }
}

extension ByteWriter {
  /// Bytes as pairs of a byte and how often it follows itself.
  @inline(__always)
  mutating func runs(_ count: Int, _ value: (Int) -> UInt8) {
    var index = 0
    while index < count {
      let first = value(index)
      var end = index + 1
      while end < count, value(end) == first { end += 1 }
      byte(first)
      varint(UInt64(end - index))
      index = end
    }
  }

  /// First differences.
  @inline(__always)
  mutating func differences(_ count: Int, _ value: (Int) -> Int64) {
    fill(most: Self.longestVarint * count) { end in
      var last: Int64 = 0
      for index in 0..<count {
        let next = value(index)
        Self.zigzag(next &- last, to: &end)
        last = next
      }
    }
  }

  /// Second differences: of evenly spaced times each takes a byte.
  @inline(__always)
  mutating func secondDifferences(_ count: Int, _ value: (Int) -> Int64) {
    fill(most: Self.longestVarint * count) { end in
      var last: Int64 = 0
      var step: Int64 = 0
      for index in 0..<count {
        let next = value(index)
        Self.zigzag(next &- last &- step, to: &end)
        step = next &- last
        last = next
      }
    }
  }

  /// A word without the zero bytes at its ends: a byte of two nibbles (zero bytes above, bytes that follow), the bytes.
  mutating func significant(_ word: UInt64) {
    fill(most: Self.longestVarint) { Self.significant(word, to: &$0) }
  }

  // MARK: Many at once

  /// More than a number of 64 bits takes in any of these forms.
  static let longestVarint = 10

  /// Appends what `write` puts from the place on that it is given and moves past it: at most `most` bytes.
  @inline(__always)
  mutating func fill(most: Int, _ write: (inout UnsafeMutablePointer<UInt8>) -> Void) {
    guard most > 0 else { return }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: most))
    let written = bytes.withUnsafeMutableBufferPointer { buffer -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      var end = base + start
      write(&end)
      return end - (base + start)
    }
    bytes.removeLast(most - written)
  }

  @inline(__always)
  fileprivate static func zigzag(_ value: Int64, to end: inout UnsafeMutablePointer<UInt8>) {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    while rest >= 0x80 {
      end.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
      end += 1
      rest >>= 7
    }
    end.pointee = UInt8(truncatingIfNeeded: rest)
    end += 1
  }

  @inline(__always)
  fileprivate static func significant(_ word: UInt64, to end: inout UnsafeMutablePointer<UInt8>) {
    guard word != 0 else {
      end.pointee = 0
      end += 1
      return
    }
    let above = word.leadingZeroBitCount / 8
    let below = word.trailingZeroBitCount / 8
    let length = 8 - above - below
    end.pointee = UInt8(truncatingIfNeeded: above << 4 | length)
    // Eight bytes, of which the next number takes the place of those that are zero.
    UnsafeMutableRawPointer(end + 1).storeBytes(of: (word >> UInt64(8 * below)).littleEndian, as: UInt64.self)
    end += 1 + length
  }
}

extension ByteReader {
  mutating func runs(_ count: Int) throws(DecodingFault) -> [UInt8] {
    var values: [UInt8] = []
    values.reserveCapacity(count)
    while values.count < count {
      let value = try byte()
      let length = try varint()
      guard length > 0, length <= UInt64(count - values.count) else { throw DecodingFault() }
      values.append(contentsOf: repeatElement(value, count: Int(length)))
    }
    return values
  }

  mutating func differences(_ count: Int) throws(DecodingFault) -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(count)
    var last: Int64 = 0
    for _ in 0..<count {
      last = last &+ (try zigzag())
      values.append(last)
    }
    return values
  }

  mutating func secondDifferences(_ count: Int) throws(DecodingFault) -> [Int64] {
    var values: [Int64] = []
    values.reserveCapacity(count)
    var last: Int64 = 0
    var step: Int64 = 0
    for _ in 0..<count {
      let next = last &+ step &+ (try zigzag())
      step = next &- last
      last = next
      values.append(next)
    }
    return values
  }

  mutating func significant() throws(DecodingFault) -> UInt64 {
    let head = try byte()
    guard head != 0 else { return 0 }
    let (above, length) = (Int(head >> 4), Int(head & 0xF))
    guard length > 0, above + length <= 8 else { throw DecodingFault() }
    var word: UInt64 = 0
    for index in 0..<length { word |= UInt64(try byte()) << UInt64(8 * index) }
    return word << UInt64(8 * (8 - above - length))
  }
}
