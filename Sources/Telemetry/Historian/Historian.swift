internal import DeviceKit
internal import Documents
internal import Logging
internal import SinkKit
internal import Synchronization

/// Keeps what pipelines put out for a while, to be queried on the gateway: a spool that nothing is delivered from, and
/// an index of it.
///
/// Rows wait in memory until there are 4,096 of them or they are five seconds old, and are written side by side by
/// series; a kill costs what waits. No fsync but at the end of a segment and at a clean stop: a loss of power costs what
/// the kernel has not written yet. Nobody waits for it: rows that come faster than the disk takes them are dropped and
/// counted. Its work is blocking I/O, on a thread of its own.
actor Historian {
  private struct Mailbox {
    var parcels: [(rows: RecordRows, layout: RecordLayout)] = []
    var rows = 0
    var oldest: Int64?
    var dropped: UInt64 = 0
  }

  private static let groupRows = 4_096
  private static let groupAge: Int64 = 5_000_000_000
  private static let mailboxLimit = 131_072
  /// How often old segments are looked for.
  private static let expiryInterval: Int64 = 60_000_000_000

  private nonisolated let thread = BlockingThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  private nonisolated let mailbox = Mutex(Mailbox())
  private nonisolated let bell = Bell()
  private nonisolated let expiresAt = Mutex(Int64.min)
  let directory: String
  let catalogue: SeriesCatalogue
  let clock: WallClock
  private let logger: Logger
  private(set) var settings = LocalQuerySettings()
  private(set) var spool: Spool?
  /// By segment; those of segments that are gone are let go with the next query.
  var indexes: [UInt64: SegmentIndex] = [:]
  /// The segment that is being written, and since when.
  private var current: (number: UInt64, since: Int64) = (0, 0)
  private var dropped: [String: UInt64] = [:]
  private var error: SpoolError?
  var counters = QueryCounters()
  var running = 0

  init(directory: String, catalogue: SeriesCatalogue, clock: WallClock, logger: Logger) {
    self.directory = directory
    self.catalogue = catalogue
    self.clock = clock
    self.logger = logger
  }

  // MARK: Rows in

  /// Puts rows into the mailbox; never waits.
  nonisolated func post(_ rows: RecordRows, layout: RecordLayout) {
    let now = clock.now.nanoseconds
    let isFull = mailbox.withLock { mailbox in
      mailbox.parcels.append((rows, layout))
      mailbox.rows += rows.count
      mailbox.oldest = mailbox.oldest ?? now
      while mailbox.rows > Self.mailboxLimit {
        let count = mailbox.parcels.removeFirst().rows.count
        mailbox.rows -= count
        mailbox.dropped += UInt64(count)
      }
      return mailbox.rows >= Self.groupRows
    }
    if isFull { bell.ring() }
  }

  /// Says what time it is: something may be due.
  nonisolated func tick() {
    let now = clock.now.nanoseconds
    let isDue = mailbox.withLock { mailbox in
      mailbox.oldest.map { now - $0 >= Self.groupAge || now < $0 } ?? false
    }
    let isOld = expiresAt.withLock { $0 != .min && (now >= $0 || $0 - now > Self.expiryInterval) }
    if isDue || isOld { bell.ring() }
  }

  /// Takes rows to disk as they come, until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      await bell.wait()
      write()
    }
  }

  /// Takes all that was posted before to disk.
  func write() {
    let mail = mailbox.withLock { mailbox in
      defer { mailbox = Mailbox() }
      return mailbox
    }
    // Not before the mail is taken: a record is not younger than the time it is written at, by which it grows old.
    let now = clock.now.nanoseconds
    drop(mail.dropped, "busy")
    guard settings.keep != .nothing else { return drop(UInt64(mail.rows), "keepsNothing") }
    open()
    var order: [RecordLayout] = []
    var groups: [RecordLayout: RecordRows] = [:]
    for (rows, layout) in mail.parcels {
      if groups[layout] == nil { order.append(layout) }
      groups[layout, default: RecordRows()].append(contentsOf: rows)
    }
    for layout in order {
      guard let rows = groups[layout]?.groupedBySeries(fields: layout.fields.count) else { continue }
      var taken = 0
      do {
        try spool?.append(rows, layout: layout, from: &taken, at: now)
        if spool != nil { error = nil }
      } catch {
        note(error)
      }
      drop(UInt64(rows.count - taken), "diskError")
    }
    turn(at: now)
  }

  /// Begins a new segment where the one that is written covers too long a time, and lets old ones go.
  private func turn(at now: Int64) {
    guard let spool, let last = spool.segments.last else { return }
    do {
      if last.number != current.number || now < current.since {
        current = (last.number, now)
      } else if now - current.since >= settings.maxAge.nanoseconds / 8, last.length > SegmentFormat.headerLength {
        try spool.rotate(at: now)
      }
      try spool.expire(at: now)
    } catch {
      note(error)
    }
    expiresAt.withLock { $0 = now + Self.expiryInterval }
  }

  private func drop(_ count: UInt64, _ cause: String) {
    if count > 0 { dropped[cause, default: 0] += count }
  }

  private func note(_ error: SpoolError) {
    if self.error?.message != error.message { logger.error("telemetry for local queries: \(error.message)") }
    self.error = error
  }

  // MARK: Life

  /// Puts settings in force. Sequence numbers on disk go into the catalogue.
  func configure(_ settings: LocalQuerySettings) {
    if settings.keep == .nothing { discard() }
    self.settings = settings
    spool?.limits = settings.spoolLimits
    open()
  }

  private func open() {
    guard settings.keep != .nothing, spool == nil else { return }
    do {
      spool = try Spool(
        directory: directory, limits: settings.spoolLimits, catalogue: catalogue, now: clock.now.nanoseconds)
      error = nil
    } catch {
      note(error)
    }
  }

  /// Removes what is kept, as the settings ask.
  private func discard() {
    spool = nil
    indexes = [:]
    do {
      for name in try Folder.names(in: directory) { try Folder.remove("\(directory)/\(name)") }
      error = nil
    } catch {
      note(error)
    }
  }

  /// The last record of each series that is kept, by the series' handle.
  func lastRecords() -> [Spool.Last] { spool?.last ?? [] }

  /// Takes all to disk and makes it safe.
  func close() {
    write()
    do { try spool?.sync() } catch { note(error) }
  }

  func status() -> HistorianStatus {
    let waiting = UInt64(mailbox.withLock { $0.rows })
    let kept = spool?.counters ?? SpoolCounters()
    var causes = dropped
    // The policies of a spool in the words of this one.
    for (cause, count) in kept.dropped {
      causes[["bufferFull": "size", "expired": "age"][cause] ?? cause, default: 0] += count
    }
    return HistorianStatus(
      recovered: kept.recovered, offered: kept.offered + waiting + dropped.values.reduce(0, +),
      held: kept.held + waiting,
      dropped: causes, bytes: spool?.bytes ?? 0, segments: spool?.segmentCount ?? 0, error: error, queries: counters)
  }
}
