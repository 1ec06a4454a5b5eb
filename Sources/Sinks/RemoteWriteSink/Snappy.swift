/// Snappy's block format (google/snappy, format_description.txt), the one that remote write uses: the length, then
/// literals and copies.
package enum Snappy {
  /// Matches are looked for within blocks of this size, so that every offset fits a copy's 16 bits.
  private static let blockSize = 65_536
  /// Shorter blocks are one literal: nothing is gained.
  private static let shortestBlock = 17
  private static let tableBits = 14

  /// The input as one Snappy block stream.
  package static func compressed(_ input: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(32 + input.count / 2)
    var rest = input.count
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
    var table = [UInt16](repeating: 0, count: 1 << tableBits)
    var start = 0
    while start < input.count {
      let end = min(start + blockSize, input.count)
      compress(input, start, end, &table, &output)
      start = end
    }
    return output
  }

  /// Compresses `input[start..<end]`. `table` holds, by the hash of four bytes, where in the block they last stood.
  private static func compress(
    _ input: [UInt8], _ start: Int, _ end: Int, _ table: inout [UInt16], _ output: inout [UInt8]
  ) {
    guard end - start >= shortestBlock else { return literal(input[start..<end], &output) }
    for index in table.indices { table[index] = 0 }
    input.withUnsafeBufferPointer { bytes in
      func word(_ index: Int) -> UInt32 {
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
          | UInt32(bytes[index + 3]) << 24
      }
      func slot(_ word: UInt32) -> Int { Int((word &* 0x1E35_A7BD) >> UInt32(32 - tableBits)) }
      var pending = start
      var position = start + 1
      // The longer nothing has matched, the larger the steps: what cannot be compressed is passed over quickly.
      var misses = 32
      while position + 4 <= end {
        let current = word(position)
        let candidate = start + Int(table[slot(current)])
        table[slot(current)] = UInt16(truncatingIfNeeded: position - start)
        guard candidate < position, word(candidate) == current else {
          position += misses >> 5
          misses += 1
          continue
        }
        if pending < position { literal(input[pending..<position], &output) }
        var length = 4
        while position + length < end, bytes[candidate + length] == bytes[position + length] { length += 1 }
        copy(offset: position - candidate, length: length, &output)
        position += length
        pending = position
        misses = 32
        if position - 1 + 4 <= end {
          table[slot(word(position - 1))] = UInt16(truncatingIfNeeded: position - 1 - start)
        }
      }
      if pending < end { literal(input[pending..<end], &output) }
    }
  }

  private static func literal(_ bytes: ArraySlice<UInt8>, _ output: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let count = bytes.count - 1
    switch count {
    case 0..<60: output.append(UInt8(count) << 2)
    case 60..<256: output += [60 << 2, UInt8(count)]
    default: output += [61 << 2, UInt8(count & 0xFF), UInt8(count >> 8)]
    }
    output += bytes
  }

  /// A copy has at most 64 bytes. The last one of a long match keeps at least four, which the short form needs.
  private static func copy(offset: Int, length: Int, _ output: inout [UInt8]) {
    var rest = length
    while rest > 0 {
      let count = rest >= 68 ? 64 : (rest > 64 ? 60 : rest)
      if (4...11).contains(count), offset < 2_048 {
        output += [UInt8(1 | (count - 4) << 2 | (offset >> 8) << 5), UInt8(offset & 0xFF)]
      } else {
        output += [UInt8(2 | (count - 1) << 2), UInt8(offset & 0xFF), UInt8(offset >> 8)]
      }
      rest -= count
    }
  }
}
