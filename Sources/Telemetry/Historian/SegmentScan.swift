/// Walks over a part of a segment's entries without holding more of the file than a piece.
struct SegmentScan {
  private static let piece = 256 << 10
  private let file: StoredFile

  init(_ file: StoredFile) { self.file = file }

  /// Gives each intact entry between two offsets: bytes that hold it, its payload's place in them, and where it starts
  /// and ends in the file. What is damaged is stepped over; what reaches past `end` is not looked at.
  func entries(
    from start: Int, to end: Int,
    _ body: (_ bytes: [UInt8], _ payload: Range<Int>, _ place: Range<Int>) throws(DecodingFault) -> Void
  ) throws(SpoolError) {
    var offset = start
    while offset < end {
      var bytes = try file.read(at: offset, count: min(Self.piece, end - offset))
      guard !bytes.isEmpty else { return }
      if let (length, _) = SegmentFormat.entryHeader(in: bytes, at: 0) {
        let whole = SegmentFormat.entryHeaderLength + length
        if whole > bytes.count, offset + whole <= end { bytes = try file.read(at: offset, count: whole) }
      }
      var position = 0
      while let payload = SegmentFormat.payload(in: bytes, at: position) {
        // An entry that is intact and means nothing costs itself alone.
        try? body(bytes, payload, offset + position..<offset + payload.upperBound)
        position = payload.upperBound
      }
      if position == 0 {
        let rest = try file.read(at: offset, count: end - offset)
        guard let next = SegmentFormat.resynchronise(rest, from: 1) else { return }
        position = next
      }
      offset += position
    }
  }
}
