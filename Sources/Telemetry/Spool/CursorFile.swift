/// How far a sink has taken its spool. Two places are written in turn, each with a generation and a checksum, so that a
/// torn write leaves the other one whole; one fsync a write.
final class CursorFile {
  struct Position: Equatable {
    var segment: UInt64
    /// Of the entry that holds the next record, or of the segment's end.
    var offset: Int
    /// Of the next record.
    var ordinal: UInt64
  }

  private static let magic: UInt32 = 0x5255_4353
  private static let stride = 512
  private static let length = 40
  private let file: StoredFile
  private var generation: UInt64 = 0

  init(_ path: String) throws(SpoolError) { file = try StoredFile(path, .readWrite) }

  /// The newest position that is whole; nil for none.
  func load() throws(SpoolError) -> Position? {
    var newest: Position?
    for place in 0..<2 {
      let bytes = try file.read(at: place * Self.stride, count: Self.length)
      guard bytes.count == Self.length, let (generation, position) = Self.decode(bytes), generation > self.generation
      else { continue }
      self.generation = generation
      newest = position
    }
    return newest
  }

  /// Returns once the position is safe.
  func store(_ position: Position) throws(SpoolError) {
    var output = ByteWriter()
    output.fixed(Self.magic)
    output.fixed(generation + 1)
    output.fixed(position.segment)
    output.fixed(UInt64(position.offset))
    output.fixed(position.ordinal)
    output.fixed(CRC32C.checksum(output.bytes))
    try file.write(output.bytes, at: Int((generation + 1) % 2) * Self.stride)
    try file.synchronise()
    generation += 1
  }

  private static func decode(_ bytes: [UInt8]) -> (UInt64, Position)? {
    var input = ByteReader(bytes)
    do {
      let magic: UInt32 = try input.fixed()
      let generation: UInt64 = try input.fixed()
      let segment: UInt64 = try input.fixed()
      let offset: UInt64 = try input.fixed()
      let ordinal: UInt64 = try input.fixed()
      let checksum: UInt32 = try input.fixed()
      guard magic == Self.magic, checksum == CRC32C.checksum(bytes, in: 0..<length - 4), offset < 1 << 40 else {
        return nil
      }
      return (generation, Position(segment: segment, offset: Int(offset), ordinal: ordinal))
    } catch {
      return nil
    }
  }
}
