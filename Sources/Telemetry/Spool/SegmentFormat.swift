/// How a segment looks: a header of 40 bytes, then entries, all numbers little-endian.
///
/// Header: magic (8), segment number (8), ordinal of its first record (8), time of making (8), CRC32C of these 32 bytes
/// (4), reserved (4). Entry: marker (4), length of the payload (4), CRC32C of length and payload (4), payload. A
/// payload starts with its kind; see ``SegmentWriter`` and ``EntryDecoder``.
enum SegmentFormat {
  static let magic: UInt64 = 0x3156_4C50_5345_5A53
  static let headerLength = 40
  static let marker: UInt32 = 0x1DA7_E55E
  static let entryHeaderLength = 12
  /// No writer makes a longer payload than this; a longer one is damage.
  static let longestPayload = 64 << 20

  enum Kind: UInt8 {
    case series = 1
    case layout = 2
    case records = 4
  }

  struct Header {
    var number: UInt64
    var firstOrdinal: UInt64
    var madeAt: Int64

    var bytes: [UInt8] {
      var output = ByteWriter()
      output.fixed(magic)
      output.fixed(number)
      output.fixed(firstOrdinal)
      output.fixed(madeAt)
      output.fixed(CRC32C.checksum(output.bytes))
      output.fixed(UInt32(0))
      return output.bytes
    }

    init(number: UInt64, firstOrdinal: UInt64, madeAt: Int64) {
      self.number = number
      self.firstOrdinal = firstOrdinal
      self.madeAt = madeAt
    }

    /// Nil for anything but an intact header.
    init?(_ bytes: [UInt8]) {
      guard bytes.count >= headerLength else { return nil }
      var input = ByteReader(bytes)
      do {
        let magic: UInt64 = try input.fixed()
        number = try input.fixed()
        firstOrdinal = try input.fixed()
        madeAt = try input.fixed()
        let checksum: UInt32 = try input.fixed()
        guard magic == SegmentFormat.magic, checksum == CRC32C.checksum(bytes, in: 0..<32) else { return nil }
      } catch {
        return nil
      }
    }
  }

  static func name(of segment: UInt64) -> String {
    let digits = String(segment, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits + ".segment"
  }

  /// The segment that a file's name means; nil for other files.
  static func number(of name: String) -> UInt64? {
    guard name.hasSuffix(".segment"), name.utf8.count == 24 else { return nil }
    return UInt64(name.dropLast(8), radix: 16)
  }

  /// Appends an entry.
  static func append(_ payload: [UInt8], to output: inout ByteWriter) {
    output.fixed(marker)
    let start = output.bytes.count
    output.fixed(UInt32(payload.count))
    let length = Array(output.bytes[start...])
    let seed = CRC32C.checksum(length)
    output.fixed(payload.withUnsafeBytes { CRC32C.checksum($0, seed: seed) })
    output.bytes.append(contentsOf: payload)
  }

  /// The range of the payload of the entry at `offset`; nil where no intact entry starts.
  static func payload(in bytes: [UInt8], at offset: Int) -> Range<Int>? {
    guard let (length, checksum) = entryHeader(in: bytes, at: offset),
      offset + entryHeaderLength + length <= bytes.count
    else { return nil }
    let payload = offset + entryHeaderLength..<offset + entryHeaderLength + length
    let seed = CRC32C.checksum(bytes, in: offset + 4..<offset + 8)
    let found = bytes.withUnsafeBytes {
      CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[payload]), seed: seed)
    }
    return found == checksum ? payload : nil
  }

  /// Length and checksum that the entry header at `offset` states; nil where there is none or it is impossible.
  static func entryHeader(in bytes: [UInt8], at offset: Int) -> (length: Int, checksum: UInt32)? {
    guard offset >= 0, offset + entryHeaderLength <= bytes.count else { return nil }
    var input = ByteReader(bytes, in: offset..<offset + entryHeaderLength)
    guard let found: UInt32 = try? input.fixed(), found == marker, let length: UInt32 = try? input.fixed(),
      let checksum: UInt32 = try? input.fixed(), length > 0, length <= UInt32(longestPayload)
    else { return nil }
    return (Int(length), checksum)
  }

  /// The offset of the first intact entry at or after `offset`; nil where there is none.
  static func resynchronise(_ bytes: [UInt8], from offset: Int) -> Int? {
    let first = UInt8(truncatingIfNeeded: marker)
    var position = offset
    while position + entryHeaderLength <= bytes.count {
      if bytes[position] == first, payload(in: bytes, at: position) != nil { return position }
      position += 1
    }
    return nil
  }
}
