/// Reads one segment's entries by offset, and knows the descriptions before it.
final class SegmentReader {
  enum Entry {
    case description
    case records(EntryDecoder.RecordsHeader, bytes: [UInt8], payload: Range<Int>)
    /// No intact entry; the next one starts `length` bytes on, or the segment ends there.
    case damage
  }

  let number: UInt64
  private let file: StoredFile
  private(set) var decoder = EntryDecoder()
  /// Descriptions before this offset are known.
  private var known = SegmentFormat.headerLength

  init(number: UInt64, path: String) throws(SpoolError) {
    self.number = number
    file = try StoredFile(path, .read)
  }

  /// Reads the descriptions before `offset`.
  func learn(upTo offset: Int) throws(SpoolError) {
    while known < offset {
      _ = try entry(at: known, end: offset)
    }
  }

  /// The entry at `offset`, and the offset behind it. `end` is the segment's length.
  func entry(at offset: Int, end: Int) throws(SpoolError) -> (Entry, next: Int) {
    let result = try read(at: offset, end: end)
    if offset == known { known = result.next }
    return result
  }

  private func read(at offset: Int, end: Int) throws(SpoolError) -> (Entry, next: Int) {
    let header = try file.read(at: offset, count: min(SegmentFormat.entryHeaderLength, end - offset))
    if let (length, _) = SegmentFormat.entryHeader(in: header, at: 0),
      offset + SegmentFormat.entryHeaderLength + length <= end
    {
      let next = offset + SegmentFormat.entryHeaderLength + length
      let bytes = try file.read(at: offset, count: next - offset)
      if let payload = SegmentFormat.payload(in: bytes, at: 0) {
        do {
          guard let records = try decoder.take(bytes, payload) else { return (.description, next) }
          return (.records(records, bytes: bytes, payload: payload), next)
        } catch {
          return (.damage, next)
        }
      }
    }
    let rest = try file.read(at: offset, count: end - offset)
    let found = SegmentFormat.resynchronise(rest, from: 1)
    return (.damage, found.map { offset + $0 } ?? end)
  }
}
