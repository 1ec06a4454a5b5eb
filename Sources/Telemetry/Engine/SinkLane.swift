internal import DeviceKit
internal import Documents
internal import Logging
internal import SinkKit
internal import Synchronization

/// One sink's way: a mailbox for rows, the spool, and what the delivery to the receiver needs. Runs on the file thread:
/// its work is blocking I/O.
actor SinkLane {
  /// Rows that may wait for a disk that takes nothing; more are dropped, the oldest first.
  private static let mailboxLimit = 65_536
  /// How long a lane at rest is left alone: a tick costs a change of threads, there and back.
  private static let rest = Duration.seconds(1)
  /// Records appended after which the fsync does not wait.
  private static let syncRecords: UInt64 = 20_000

  nonisolated let key: String
  nonisolated let thread: BlockingThread
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  /// Rung when the delivery may have something to do.
  nonisolated let bell = Bell()
  /// Closed while the spool is full and its policy is to block.
  nonisolated let gate = Gate()
  private nonisolated let mailbox = Mutex(Mailbox())
  private let directory: String
  private let catalogue: SeriesCatalogue
  let clock: GatewayClock
  private let logger: Logger
  private var limits = SpoolLimits()
  private var maxDelay = Duration.seconds(1)
  var schedule = DeliverySchedule(maxSamples: 500)
  var generator = SystemRandomNumberGenerator()
  private var spool: Spool?
  let quarantine: QuarantineLog
  /// Ids of records out of quarantine that are to be tried again, in their order.
  var retries: [UInt64] = []
  var quarantineCounts = QuarantineStatus()
  private var writer: (any SinkWriter)?
  /// Writers to be closed by the task that sends, so that nobody closes one that is sending.
  private var discarded: [any SinkWriter] = []
  private var outgoing: SpoolBatch?
  /// The batch that the receiver has taken and whose conclusion the disk has not: nothing else is sent before it.
  private var unconcluded: (SpoolBatch, Spool.Conclusion)?
  private var kind = ""
  private var problem: SpoolError?
  var lastError: SpoolError?
  private var diskError: SpoolError?
  private var lastDelivery: Timestamp?
  private var rejection: SinkStatus.Rejection?
  /// When, by the clock that is never set.
  private var rejectedAt: Int64 = 0
  private var droppedInMailbox: UInt64 = 0
  private var unsyncedSince: Int64?
  private var unsyncedRecords: UInt64 = 0
  private var waitingSince: Int64?
  private var isRetired = false

  init(
    key: String, directory: String, thread: BlockingThread, catalogue: SeriesCatalogue, clock: GatewayClock,
    logger: Logger
  ) {
    self.key = key
    self.thread = thread
    self.directory = directory
    self.catalogue = catalogue
    self.clock = clock
    self.logger = logger
    quarantine = QuarantineLog(directory: directory)
  }

  // MARK: Definition

  /// Puts a definition in force: buffer, batch and writer.
  func configure(_ specification: SinkSpecification, writer: any SinkWriter) {
    defer { stir() }
    if let old = self.writer { discarded.append(old) }
    self.writer = writer
    kind = specification.plugin
    problem = nil
    lastError = nil
    limits = specification.limits
    spool?.limits = limits
    maxDelay = specification.maxDelay
    schedule.maxSamples = specification.maxSamples
    schedule.refusalsToSetAside = specification.poisonAfter
    schedule.reset()
  }

  /// Says why the definition is not served; a writer in force stays.
  func fail(_ problem: SpoolError) { self.problem = problem }

  /// Takes the writer away: the definition is gone. Records wait.
  func unconfigure() {
    defer { stir() }
    if let writer { discarded.append(writer) }
    writer = nil
    kind = ""
    problem = nil
  }

  // MARK: Rows in

  /// Puts rows into the mailbox; ``drain()`` takes them to disk. Order of calls is order on disk.
  nonisolated func post(_ rows: RecordRows, layout: RecordLayout) {
    mailbox.withLock { mailbox in
      mailbox.parcels.append(Parcel(rows: rows, layout: layout))
      mailbox.rows += rows.count
      mailbox.restsUntil = .min
    }
  }

  /// Opens the spool, if it is not open; sequence numbers on disk go into the catalogue.
  func open() {
    guard spool == nil else { return }
    do {
      let opened = try Spool(
        directory: directory, limits: limits, catalogue: catalogue, now: clock.stamp)
      spool = opened
      try quarantine.open()
      diskError = nil
      // What lay there has waited long enough.
      if opened.pending > 0 { waitingSince = .min }
    } catch {
      note(error)
    }
  }

  /// Takes the mailbox to disk. What the disk refuses stays for the next call.
  func drain() {
    open()
    let parcels = mailbox.withLock { mailbox in
      defer { mailbox = Mailbox() }
      return mailbox.parcels
    }
    guard !parcels.isEmpty else { return }
    let now = clock.elapsed
    for (index, parcel) in parcels.enumerated() {
      var taken = 0
      if let spool {
        do {
          try spool.append(parcel.rows, layout: parcel.layout, from: &taken, at: clock.stamp)
          diskError = nil
        } catch {
          note(error)
        }
        unsyncedRecords += UInt64(taken)
      }
      if taken > 0, unsyncedSince == nil { unsyncedSince = now }
      if taken < parcel.rows.count {
        putBack(parcel, from: taken, and: parcels[(index + 1)...])
        break
      }
    }
    if waitingSince == nil, (spool?.pending ?? 0) > 0 { waitingSince = now }
    if unsyncedRecords >= Self.syncRecords { sync() }
    if (spool?.pending ?? 0) >= UInt64(schedule.limit) { bell.ring() }
  }

  private func putBack(_ parcel: Parcel, from start: Int, and rest: ArraySlice<Parcel>) {
    let left = parcel.rows.suffix(from: start, fields: parcel.layout.fields.count)
    let kept = [Parcel(rows: left, layout: parcel.layout)] + rest
    let isBlocking = limits.whenFull == .block
    if isBlocking { gate.close() }
    let dropped = mailbox.withLock { mailbox in
      mailbox.parcels = kept + mailbox.parcels
      mailbox.rows = mailbox.parcels.reduce(0) { $0 + $1.rows.count }
      var dropped = 0
      while !isBlocking, mailbox.rows > Self.mailboxLimit, mailbox.parcels.count > 1 {
        let count = mailbox.parcels.removeFirst().rows.count
        mailbox.rows -= count
        dropped += count
      }
      return dropped
    }
    droppedInMailbox += UInt64(dropped)
  }

  func note(_ error: SpoolError) {
    if diskError?.message != error.message {
      logger.error("spool of sink \(key): \(error.message)")
    }
    diskError = error
  }

  private func sync() {
    guard let spool else { return }
    do {
      try spool.sync()
      unsyncedSince = nil
      unsyncedRecords = 0
    } catch {
      note(error)
    }
  }

  /// Takes all that was posted before to disk and makes it safe; false where that is not possible now.
  func flush() -> Bool {
    drain()
    sync()
    return spool != nil && unsyncedSince == nil && mailbox.withLock { $0.parcels.isEmpty }
  }

  /// The last record of each series that the spool has had, by the series' handle.
  func lastRecords() -> [Spool.Last] { spool?.last ?? [] }

  /// What is due: the mailbox, the fsync, what is too old, the delivery.
  func tick() {
    drain()
    spool?.history = clock.history
    let now = clock.elapsed
    if let since = unsyncedSince, now - since >= limits.syncInterval.nanoseconds / 2 { sync() }
    do { try spool?.expire(at: clock.stamp) } catch { note(error) }
    if mailbox.withLock({ $0.parcels.isEmpty }), !gate.isOpen { gate.open() }
    if isDue(at: now) { bell.ring() }
    let end = endOfRest(from: now)
    mailbox.withLock { if $0.parcels.isEmpty { $0.restsUntil = end } }
  }

  /// Whether ``tick()`` may have something to do, by the clock that is never set.
  nonisolated func isTickDue(at now: Int64) -> Bool { mailbox.withLock { now >= $0.restsUntil } }

  /// When a tick after the one at `now` has something to do, unless something happens before. A lane that has something
  /// for a receiver, or that the disk refuses something, never rests.
  private func endOfRest(from now: Int64) -> Int64 {
    guard let spool, diskError == nil, gate.isOpen, unconcluded == nil, discarded.isEmpty else { return .min }
    guard writer == nil || (spool.pending == 0 && outgoing == nil && retries.isEmpty) else { return .min }
    let end = now + Self.rest.nanoseconds
    return unsyncedSince.map { min(end, $0 + limits.syncInterval.nanoseconds / 2) } ?? end
  }

  /// Says that something has happened to the lane: neither it nor its delivery rests.
  nonisolated func stir() {
    mailbox.withLock { $0.restsUntil = .min }
    bell.ring()
  }

  // MARK: Delivery

  private func isDue(at now: Int64) -> Bool {
    guard writer != nil, schedule.mayOffer(at: now) else { return false }
    if outgoing != nil || unconcluded != nil || !retries.isEmpty { return true }
    guard let spool, spool.pending > 0 else { return false }
    guard spool.pending < UInt64(schedule.limit), let since = waitingSince, since != .min else { return true }
    return now - since >= maxDelay.nanoseconds
  }

  /// What the delivery is to do now.
  func nextStep() -> Step {
    if isRetired { return .end }
    if let old = discarded.popLast() { return .close(old) }
    let now = clock.elapsed
    spool?.history = clock.history
    settle()
    guard unconcluded == nil, isDue(at: now), let writer, let spool else { return .wait }
    if outgoing == nil, let record = nextRetry() {
      schedule.offers()
      return .retry(writer, record)
    }
    if outgoing == nil {
      do {
        outgoing = try spool.read(limit: schedule.limit, at: clock.stamp)
        unsyncedSince = nil
        unsyncedRecords = 0
      } catch {
        note(error)
      }
    }
    guard let outgoing else {
      if spool.pending == 0 { waitingSince = nil }
      return .wait
    }
    schedule.offers()
    return .send(writer, outgoing)
  }

  /// Takes what became of the batch that ``nextStep()`` gave out.
  func concluded(_ batch: SpoolBatch, _ outcome: SinkOutcome) {
    let (now, shown) = (clock.elapsed, clock.wall.now)
    let verdict: DeliverySchedule.Outcome
    var conclusion = Spool.Conclusion.delivered
    switch outcome {
    case .delivered:
      verdict = .delivered
      lastError = nil
      lastDelivery = shown
    case .deliveredExcept(let rejected, let error):
      verdict = .delivered
      conclusion = .deliveredExcept(rejected)
      lastError = nil
      lastDelivery = shown
      note(rejected: rejected, of: batch.records.count, error, at: shown)
    case .retry(let error, let after):
      verdict = .retry(after: after)
      note(receiver: error)
    case .refused(let error):
      verdict = .refused(reason: error.reason + error.message)
      note(receiver: error)
    }
    let jitter = Double.random(in: 0..<1, using: &generator)
    switch schedule.concluded(verdict, count: batch.records.count, at: now, jitter: jitter) {
    case .removeBatch: unconcluded = (batch, conclusion)
    case .keepBatch: break
    case .splitBatch:
      spool?.release()
      outgoing = nil
    case .setAside:
      do {
        try quarantine.add(batch.records, reason: lastError?.message ?? "", at: shown)
        unconcluded = (batch, .quarantined)
        // The receiver is there: what it says of one record is no word about the others.
        lastError = nil
        logger.warning("sink \(key) refuses a record for good; it is set aside: see selvedge quarantine list")
      } catch {
        note(error)
      }
    }
    settle()
  }

  /// Moves the cursor past a batch that is done; tried again until the disk takes it.
  private func settle() {
    guard let (batch, conclusion) = unconcluded, let spool else { return }
    do {
      try spool.conclude(batch, as: conclusion)
      unconcluded = nil
      outgoing = nil
      // The rest is younger than the newest record of this batch was when it was read.
      waitingSince = spool.pending > 0 ? (spool.pending >= UInt64(schedule.limit) ? .min : clock.elapsed) : nil
      if !gate.isOpen { drain() }
      if mailbox.withLock({ $0.parcels.isEmpty }) { gate.open() }
    } catch {
      note(error)
    }
  }

  private func note(rejected: [String: Int], of count: Int, _ error: SinkError, at now: Timestamp) {
    let number = UInt64(min(count, rejected.values.reduce(0) { $0 + max(0, $1) }))
    guard number > 0 else { return }
    if rejection?.message != error.message { logger.warning("sink \(key): \(error.message)") }
    rejectedAt = clock.elapsed
    rejection = SinkStatus.Rejection(
      reason: error.reason, message: error.message, records: (rejection?.records ?? 0) + number, time: now)
  }

  func note(receiver error: SinkError) {
    if lastError?.message != error.message { logger.warning("sink \(key): \(error.message)") }
    lastError = SpoolError(reason: error.reason, message: error.message)
  }

  // MARK: End

  /// Offers nothing more; ``nextStep()`` answers `end`.
  func retire() {
    isRetired = true
    gate.open()
    bell.ring()
  }

  /// Takes the mailbox to disk and makes all safe. Returns the writers, to be closed.
  func close() -> [any SinkWriter] {
    drain()
    sync()
    defer { (writer, discarded) = (nil, []) }
    return discarded + (writer.map { [$0] } ?? [])
  }

  func status() -> SinkStatus {
    let queued = UInt64(mailbox.withLock { $0.rows })
    var counters = spool?.counters ?? SpoolCounters()
    counters.offered += queued + droppedInMailbox
    counters.held += queued
    counters.drop(droppedInMailbox, "diskError")
    let lag =
      outgoing.map { clock.history.age(of: $0.appendedAt, at: clock.stamp) }
      ?? waitingSince.flatMap { $0 == .min ? nil : clock.elapsed - $0 }
    return SinkStatus(
      key: key, kind: kind, problem: problem, circuit: schedule.circuit, lastError: lastError, diskError: diskError,
      spool: counters, spoolBytes: spool?.bytes ?? 0, spoolSegments: spool?.segmentCount ?? 0,
      lag: counters.held == 0 ? nil : lag.map { .nanoseconds(max(0, $0)) },
      lastDelivery: lastDelivery, rejection: rejection,
      recentRejection: clock.elapsed - rejectedAt < 600_000_000_000 ? rejection : nil,
      quarantine: quarantineStatus)
  }
}
