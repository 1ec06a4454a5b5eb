internal import DeviceKit
internal import SinkKit
internal import Synchronization

/// The journal on disk: segments of entries that journaled pipelines need after a crash. Entries are posted in memory
/// and become safe by ``commit()``; whoever waits for it shares one fsync with all others who do.
actor Journal {
  /// Bytes in the order in which they go to disk.
  struct Piece: Sendable {
    /// Set where a new segment begins with these bytes.
    var beginning: SegmentFormat.Header?
    var bytes: [UInt8] = []
    var endOrdinal: UInt64 = 0
  }

  /// A segment on disk.
  struct Segment: Sendable {
    var number: UInt64
    var firstOrdinal: UInt64
  }

  private struct Mailbox {
    var pieces: [Piece] = []
    var bytes = 0
    var postedOrdinal: UInt64 = 0
    var safeOrdinal: UInt64 = 0
    var storedBytes: Int64 = 0
    var writtenBytes: UInt64 = 0
    var commits: UInt64 = 0
  }

  private let directory: String
  private nonisolated let thread: BlockingThread
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  private nonisolated let mailbox = Mutex(Mailbox())
  private var segments: [(segment: Segment, length: Int)] = []
  private var current: StoredFile?
  private var isDirectoryMade = false

  init(directory: String, thread: BlockingThread) {
    self.directory = directory
    self.thread = thread
  }

  // MARK: In memory

  /// Queues bytes; order of calls is order on disk.
  nonisolated func post(_ piece: Piece) {
    mailbox.withLock { mailbox in
      mailbox.pieces.append(piece)
      mailbox.bytes += piece.bytes.count
      mailbox.postedOrdinal = piece.endOrdinal
    }
  }

  /// Whether something that was posted is not yet safe.
  nonisolated var isDirty: Bool { mailbox.withLock { $0.safeOrdinal < $0.postedOrdinal } }
  /// Bytes posted that are not on disk.
  nonisolated var waitingBytes: Int { mailbox.withLock { $0.bytes } }
  /// Bytes of the segments on disk.
  nonisolated var storedBytes: Int64 { mailbox.withLock { $0.storedBytes } }
  /// Bytes written and commits made since the start.
  nonisolated var totals: (bytes: UInt64, commits: UInt64) {
    mailbox.withLock { ($0.writtenBytes, $0.commits) }
  }

  // MARK: On disk

  /// Returns once all that was posted before is safe from a loss of power. After an error everything is still queued.
  func commit() throws(SpoolError) {
    let (pieces, isDirty) = mailbox.withLock { ($0.pieces, $0.safeOrdinal < $0.postedOrdinal) }
    guard isDirty else { return }
    var written = 0
    var failure: SpoolError?
    do throws(SpoolError) {
      for piece in pieces {
        try write(piece)
        written += 1
      }
    } catch {
      failure = error
    }
    mailbox.withLock { mailbox in
      for piece in pieces[..<written] {
        mailbox.bytes -= piece.bytes.count
        mailbox.storedBytes += Int64(piece.bytes.count)
        mailbox.writtenBytes += UInt64(piece.bytes.count)
      }
      mailbox.pieces.removeFirst(written)
    }
    if let failure { throw failure }
    try current?.synchronise()
    mailbox.withLock { mailbox in
      if let last = pieces.last { mailbox.safeOrdinal = max(mailbox.safeOrdinal, last.endOrdinal) }
      if mailbox.pieces.isEmpty { mailbox.safeOrdinal = mailbox.postedOrdinal }
      mailbox.commits += 1
    }
  }

  private func write(_ piece: Piece) throws(SpoolError) {
    if let header = piece.beginning, segments.last?.segment.number != header.number {
      if !isDirectoryMade {
        try Folder.make(directory)
        isDirectoryMade = true
      }
      try current?.synchronise()
      let file = try StoredFile(path(header.number), .readWrite)
      try file.truncate(to: 0)
      try file.write(header.bytes, at: 0)
      try file.synchronise()
      try Folder.synchronise(directory)
      current = file
      segments.append(
        (Segment(number: header.number, firstOrdinal: header.firstOrdinal), SegmentFormat.headerLength))
    }
    guard let current, let last = segments.indices.last else { return }
    try current.write(piece.bytes, at: segments[last].length)
    segments[last].length += piece.bytes.count
  }

  private func path(_ number: UInt64) -> String { "\(directory)/\(SegmentFormat.name(of: number))" }

  /// Looks at what a stop of any kind has left. Returns the segments, oldest first, and the number that a new one may
  /// have.
  func recover() throws(SpoolError) -> (segments: [Segment], nextSegment: UInt64) {
    segments = []
    var highest: UInt64 = 0
    var stored: Int64 = 0
    for number in try Folder.names(in: directory).compactMap(SegmentFormat.number).sorted() {
      highest = number
      let file = try StoredFile(path(number), .read)
      let header = SegmentFormat.Header(try file.read(at: 0, count: SegmentFormat.headerLength))
      guard let header, header.number == number else {
        try Folder.remove(path(number))
        continue
      }
      let size = try file.size()
      segments.append((Segment(number: number, firstOrdinal: header.firstOrdinal), size))
      stored += Int64(size)
    }
    mailbox.withLock { $0.storedBytes = stored }
    return (segments.map(\.segment), highest + 1)
  }

  /// The intact entries of a segment with their ordinals, and how many bytes of damage stand among them. An end that
  /// was being written at the crash is no damage: it was never acknowledged.
  func entries(
    of segment: Segment, points: PointTable
  ) throws(SpoolError) -> (entries: [(JournalEntry, ordinal: UInt64)], damagedBytes: UInt64) {
    guard let bytes = try Folder.content(of: path(segment.number)) else { return ([], 0) }
    var decoder = JournalDecoder()
    var damaged: UInt64 = 0
    var entries: [(JournalEntry, ordinal: UInt64)] = []
    var offset = SegmentFormat.headerLength
    while offset < bytes.count {
      if let payload = SegmentFormat.payload(in: bytes, at: offset) {
        do {
          if let entry = try decoder.decode(bytes, payload, points: points) { entries.append(entry) }
        } catch {
          damaged += UInt64(payload.count)
        }
        offset = payload.upperBound
      } else if let next = SegmentFormat.resynchronise(bytes, from: offset + 1) {
        damaged += UInt64(next - offset)
        offset = next
      } else {
        break
      }
    }
    return (entries, damaged)
  }

  /// Removes the segments all of whose entries come before `ordinal`; the one that is being written stays.
  func truncate(before ordinal: UInt64) throws(SpoolError) {
    while segments.count > 1, segments[1].segment.firstOrdinal <= ordinal {
      try Folder.remove(path(segments[0].segment.number))
      let length = segments.removeFirst().length
      mailbox.withLock { $0.storedBytes -= Int64(length) }
    }
  }
}
