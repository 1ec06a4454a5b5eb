package import DeviceKit

/// One sink's log of records on disk, with the position up to which the sink has taken it.
///
/// Append-only segments; every entry carries a CRC32C. What ``append(_:layout:from:at:)`` took survives a kill of the
/// process, and after ``sync()`` a loss of power. Only synchronised records are handed out, so that a sequence number
/// that a receiver has seen is never given to another record. All calls block: one thread at a time.
package final class Spool {
  struct Segment {
    var number: UInt64
    var firstOrdinal: UInt64
    var length: Int
    /// Nanoseconds since 1970.
    var appendedAt: Int64
  }

  /// The last record of a series that the spool was offered.
  package struct Last: Sendable, BitwiseCopyable {
    /// 0: none.
    package var sequence: UInt64 = 0
    /// Its time, nanoseconds since 1970.
    package var time: Int64 = .min
  }

  let directory: String
  package var limits: SpoolLimits
  let catalogue: SeriesCatalogue
  /// What the clock's stamps mean, by which records are dated and grow old.
  package var history = ClockHistory()
  /// Asked before bytes are written to a segment; throws where there is no room for them.
  private let admit: (Int) throws(SpoolError) -> Void
  /// Oldest first; the last one is being written.
  var segments: [Segment] = []
  var current: StoredFile
  var writer = SegmentWriter()
  /// Of the next record to be appended.
  var nextOrdinal: UInt64 = 0
  let cursorFile: CursorFile
  var cursor: CursorFile.Position
  var reader: SegmentReader?
  /// The end of the batch that is out with the sink.
  var inFlightEnd: UInt64?
  /// Records of the batch in flight whose segment is gone.
  var orphans: UInt64 = 0
  var tally = SpoolCounters()
  /// Of each series, by handle.
  private(set) package var last: [Last] = []
  var snapshotBytes = 0
  private(set) var isSynchronised = true

  /// Opens the spool in `directory`, making it where it is missing, and recovers it: a torn end is cut off, damage in
  /// the middle is skipped and counted, sequence numbers go on in `catalogue`.
  package init(
    directory: String, limits: SpoolLimits = SpoolLimits(), catalogue: SeriesCatalogue, now: Int64,
    admit: @escaping (Int) throws(SpoolError) -> Void = { (_: Int) throws(SpoolError) in }
  ) throws(SpoolError) {
    self.directory = directory
    self.limits = limits
    self.catalogue = catalogue
    self.admit = admit
    try Folder.make(directory)
    cursorFile = try CursorFile("\(directory)/cursor")
    let stored = try cursorFile.load()
    let recovery = try SpoolRecovery(directory: directory, catalogue: catalogue)
    tally.damagedBytes = recovery.damagedBytes
    last = recovery.last
    snapshotBytes = recovery.snapshotBytes
    segments = recovery.segments
    nextOrdinal = max(recovery.nextOrdinal, stored?.ordinal ?? 0)
    if let last = segments.last {
      current = try StoredFile("\(directory)/\(SegmentFormat.name(of: last.number))", .readWrite)
      writer = SegmentWriter(nextSeries: recovery.nextSeries, nextLayout: recovery.nextLayout)
    } else {
      let number = max(recovery.highestNumber, stored?.segment ?? 0) + 1
      current = try Self.make(number, firstOrdinal: nextOrdinal, in: directory, now: now)
      segments = [
        Segment(number: number, firstOrdinal: nextOrdinal, length: SegmentFormat.headerLength, appendedAt: now)
      ]
    }
    cursor = Self.cursor(stored, within: segments, nextOrdinal: nextOrdinal)
    tally.recovered = nextOrdinal - cursor.ordinal
  }

  package var counters: SpoolCounters {
    var counters = tally
    counters.held = pending
    return counters
  }

  /// Records that the sink has not taken yet.
  package var pending: UInt64 { nextOrdinal - cursor.ordinal + orphans }

  package var bytes: Int64 { segments.reduce(0) { $0 + Int64($1.length) } }
  package var segmentCount: Int { segments.count }

  /// Takes the rows from `position` on and moves it past those that are dealt with: all, unless the spool is full and
  /// its policy is to block, or an error is thrown; the others are for another try.
  package func append(
    _ rows: RecordRows, layout: RecordLayout, from position: inout Int, at now: Int64
  ) throws(SpoolError) {
    var piece = 4_096
    while position < rows.count {
      if segments[segments.count - 1].length >= segmentTarget { try rotate(at: now) }
      let end = min(position + piece, rows.count)
      var output = ByteWriter()
      writer.append(
        rows, position..<end, layout: layout, catalogue: catalogue, ordinal: nextOrdinal, at: now, to: &output)
      if bytes + Int64(output.bytes.count) > limits.maxBytes {
        writer.forget()
        switch try makeRoom(Int64(output.bytes.count), at: now) {
        case .made: continue
        case .impossible where end - position > 1: piece = (end - position) / 2
        case .impossible:
          refuse(rows, position..<end, "tooLarge")
          position = end
        case .dropNewest:
          refuse(rows, position..<end, "bufferFull")
          position = end
        case .block: return
        }
        continue
      }
      do {
        try admit(output.bytes.count)
        try current.write(output.bytes, at: segments[segments.count - 1].length)
      } catch {
        writer.forget()
        throw error
      }
      isSynchronised = false
      segments[segments.count - 1].length += output.bytes.count
      segments[segments.count - 1].appendedAt = now
      nextOrdinal += UInt64(end - position)
      tally.offered += UInt64(end - position)
      note(rows, position..<end)
      position = end
    }
  }

  private func refuse(_ rows: RecordRows, _ range: Range<Int>, _ cause: String) {
    tally.offered += UInt64(range.count)
    tally.drop(UInt64(range.count), cause)
    note(rows, range)
  }

  private func note(_ rows: RecordRows, _ range: Range<Int>) {
    for index in range {
      let row = rows.rows[index]
      let handle = Int(row.series)
      if handle >= last.count { last.append(contentsOf: repeatElement(Last(), count: handle + 1 - last.count)) }
      if row.sequence > last[handle].sequence { last[handle] = Last(sequence: row.sequence, time: row.time) }
    }
  }

  /// Returns once all that was appended is safe from a loss of power.
  package func sync() throws(SpoolError) {
    guard !isSynchronised else { return }
    try admit(0)
    try current.synchronise()
    isSynchronised = true
  }

  /// Large enough that the snapshot of sequence numbers, written with each new segment, is the smaller part.
  private var segmentTarget: Int {
    max(limits.segmentBytes, min(4 * snapshotBytes, Int(clamping: limits.maxBytes / 4)))
  }

  /// Closes the segment that is being written and begins the next.
  func rotate(at now: Int64) throws(SpoolError) {
    try sync()
    let number = segments[segments.count - 1].number + 1
    // The snapshot goes first: a segment may leave only when its numbers stand elsewhere.
    let snapshot = SequenceSnapshot.encode(last, catalogue: catalogue, covers: number)
    try Folder.replace(SequenceSnapshot.fileName, in: directory, with: snapshot)
    snapshotBytes = snapshot.count
    current = try Self.make(number, firstOrdinal: nextOrdinal, in: directory, now: now)
    writer = SegmentWriter()
    segments.append(
      Segment(number: number, firstOrdinal: nextOrdinal, length: SegmentFormat.headerLength, appendedAt: now))
  }

  private static func make(
    _ number: UInt64, firstOrdinal: UInt64, in directory: String, now: Int64
  ) throws(SpoolError) -> StoredFile {
    let file = try StoredFile("\(directory)/\(SegmentFormat.name(of: number))", .readWrite)
    try file.truncate(to: 0)
    try file.write(SegmentFormat.Header(number: number, firstOrdinal: firstOrdinal, madeAt: now).bytes, at: 0)
    try file.synchronise()
    try Folder.synchronise(directory)
    return file
  }

  /// Where the sink stands, brought inside what is on disk.
  private static func cursor(
    _ stored: CursorFile.Position?, within segments: [Segment], nextOrdinal: UInt64
  ) -> CursorFile.Position {
    let first = CursorFile.Position(
      segment: segments[0].number, offset: SegmentFormat.headerLength, ordinal: segments[0].firstOrdinal)
    guard let stored, stored.segment >= first.segment else { return first }
    guard let segment = segments.first(where: { $0.number == stored.segment }), stored.offset <= segment.length else {
      if let next = segments.first(where: { $0.number > stored.segment }) {
        return CursorFile.Position(
          segment: next.number, offset: SegmentFormat.headerLength, ordinal: next.firstOrdinal)
      }
      let last = segments[segments.count - 1]
      return CursorFile.Position(segment: last.number, offset: last.length, ordinal: nextOrdinal)
    }
    return stored
  }
}
