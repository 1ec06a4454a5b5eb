internal import DeviceKit
internal import Documents
internal import Logging
internal import Synchronization

extension TelemetryEngine {
  /// Bytes that may wait for the disk.
  private static let waitingLimit = 4 << 20
  /// Bytes on disk above which a checkpoint is made at once; above twice as many, sources wait for it.
  static let storedLimit: Int64 = 64 << 20

  /// Returns once all samples that pipelines with a journal have taken are safe from a kill and a loss of power, and
  /// what came of them is on disk. False: the engine stops and they are not; do not acknowledge them. While the disk
  /// takes nothing, it waits.
  public nonisolated func commit() async -> Bool {
    guard journal.isDirty else { return true }
    return await commitJournal()
  }

  private func commitJournal() async -> Bool {
    while !(await commitOnce()) {
      guard !isShutDown else { return false }
      try? await Task.sleep(for: .milliseconds(100))
    }
    return true
  }

  /// Links to sources that were lost or came back since the engine last looked.
  struct LinkChanges {
    var lost = 0
    var restored = 0
    var isUnheeded = false
  }

  /// Says that the link to a source was lost, or is there again after a loss. In between windows of silent series wait,
  /// for a minute at most; afterwards a broker's latest samples may come a second time, and are known.
  public nonisolated func link(isLost: Bool) {
    links.withLock { links in
      if isLost { links.lost += 1 } else { links.restored += 1 }
      links.isUnheeded = true
    }
  }

  func takeLinkChanges() -> LinkChanges {
    links.withLock { links in
      defer { (links.lost, links.restored) = (0, 0) }
      return links
    }
  }

  /// Commits the journal and takes to disk what came of its samples; false where the disk takes nothing.
  @discardableResult
  func commitOnce() async -> Bool {
    let (lanes, history) = (durability.uncommittedLanes, uncommittedHistory)
    (durability.uncommittedLanes, uncommittedHistory) = ([], [])
    do {
      if journal.isDirty { try await journal.commit() }
      if durability.journalError != nil { durability.hold.flowBegins(at: clock.elapsed) }
      durability.journalError = nil
    } catch {
      if durability.journalError?.message != error.message { logger.error("journal: \(error.message)") }
      durability.journalError = error
      uncommittedHistory = history + uncommittedHistory
      durability.uncommittedLanes += lanes.filter { lane in !durability.uncommittedLanes.contains { $0 === lane } }
      return false
    }
    for lane in lanes { await lane.drain() }
    for parcel in history { historian.post(parcel.rows, layout: parcel.layout) }
    watchJournal()
    return true
  }

  /// Queues an entry for the next commit.
  func post(_ entry: JournalEntry) {
    guard durability.encoder != nil else { return }
    if let piece = durability.encoder?.encode(entry, points: points, now: clock.stamp) {
      journal.post(piece)
    }
    watchJournal()
  }

  func watchJournal() {
    if journal.waitingBytes > Self.waitingLimit || journal.storedBytes > 2 * Self.storedLimit {
      durability.journalGate.close()
    } else if !durability.journalGate.isOpen {
      durability.journalGate.open()
    }
  }

  /// The batch without samples that a broker has sent before; these are counted in the pipelines.
  func withoutRepeated(_ batch: SampleBatch, _ takers: [PipelineRun]) -> SampleBatch {
    let isNewLink = links.withLock { links in
      defer { links.isUnheeded = false }
      return links.isUnheeded
    }
    if isNewLink { durability.redeliveries.linkChanged() }
    let repeated = durability.redeliveries.repeated(in: batch, of: points, at: clock.elapsed) { point in
      takers.contains { $0.core.wants(point) }
    }
    guard let repeated else { return batch }
    let points = repeated.map { batch.points[$0] }
    for run in takers { run.core.refuse(points, "redelivered") }
    return batch.filtered(rows: { !repeated.contains($0) })
  }

  // MARK: After a crash

  /// Looks at the journal that the last stop left: where the next entry goes, and which samples may come again.
  func recoverJournal(after checkpoints: [Checkpoint]) async throws(SpoolError) {
    durability.redeliveries = RedeliveryFilter(remembered: try await self.checkpoints.takeRemembered())
    let (segments, nextSegment) = try await journal.recover()
    var nextOrdinal = checkpoints.map(\.journal).max() ?? 0
    for segment in segments {
      let (entries, damaged) = try await journal.entries(of: segment, points: points)
      durability.damagedBytes += damaged
      nextOrdinal = max(nextOrdinal, segment.firstOrdinal)
      for (entry, ordinal) in entries {
        nextOrdinal = max(nextOrdinal, ordinal + 1)
        if case .samples(let batch) = entry {
          _ = durability.redeliveries.repeated(in: batch, of: points, at: 0) { _ in true }
        }
      }
    }
    if durability.damagedBytes > 0 {
      logger.error("journal: \(durability.damagedBytes) bytes are damaged; samples in them are lost")
    }
    durability.redeliveries.linkChanged()
    durability.segments = segments
    durability.encoder = JournalEncoder(nextOrdinal: nextOrdinal, nextSegment: nextSegment)
  }

  /// Takes the journal's entries from `first` on through a pipeline whose state is that of its checkpoint. Records that
  /// a sink's spool has already had, by their numbers, are made again and put nowhere. Returns the last step
  /// of the clock among them; nil for none.
  func replay(into run: PipelineRun, from first: UInt64, identities: [Int: Checkpoint.Identity])
    async
    throws(SpoolError) -> ClockStep?
  {
    var lastStep: ClockStep?
    var admissions: [PointID: PipelineCore.Admission] = [:]
    for identity in identities.values {
      guard case .point(let name) = identity.origin else { continue }
      admissions[points.id(of: name)] = PipelineCore.Admission(identity.description, range: identity.range)
    }
    var known: [[Spool.Last]] = []
    for lane in run.lanes { known.append(await lane.lastRecords()) }
    let kept = localQuery.keeps(run.specification) ? await historian.lastRecords() : nil
    var taken = 0
    for segment in durability.segments {
      let entries = try await journal.entries(of: segment, points: points).entries
      for (entry, ordinal) in entries where ordinal >= first {
        var rows = RecordRows()
        switch entry {
        case .admission(run.key, let point, let description, let range):
          admissions[point] = PipelineCore.Admission(description, range: range)
          run.core.invalidate([point], into: &rows) { admissions[$0] }
        case .refusal(run.key, let point):
          admissions[point] = nil
          run.core.invalidate([point], into: &rows) { admissions[$0] }
        case .samples(let batch):
          taken += batch.count
          run.core.process(batch, into: &rows) { admissions[$0] }
        case .advance(let time, let pipelines) where pipelines.contains(run.key):
          run.core.advance(to: time, into: &rows)
        case .clock(let step):
          run.core.clockStepped(by: step.by, at: step.from, into: &rows)
          lastStep = step
        default: break
        }
        let isKnown = emitAgain(&rows, of: run, known, kept)
        // Alarms went out with their samples, which the disk has had: they have been told.
        let transitions = run.core.takeAlarms()
        if !isKnown { tell(transitions) }
      }
      for lane in run.lanes { await lane.drain() }
    }
    if taken > 0 { logger.notice("pipeline \(run.key): \(taken) samples were taken from the journal") }
    return lastStep
  }

  /// Whether the spools have had all of the rows; false for none.
  private func emitAgain(
    _ rows: inout RecordRows, of run: PipelineRun, _ known: [[Spool.Last]], _ kept: [Spool.Last]?
  ) -> Bool {
    guard !rows.isEmpty else { return false }
    var isKnown = true
    catalogue.number(&rows, series: run.core.series)
    func missing(beyond last: [Spool.Last]) -> RecordRows? {
      let missing = rows.filtered(fields: run.layout.fields.count) { row in
        Int(row.series) >= last.count || row.sequence > last[Int(row.series)].sequence
      }
      return missing.isEmpty ? nil : missing
    }
    for (lane, last) in zip(run.lanes, known) {
      guard let rows = missing(beyond: last) else { continue }
      lane.post(rows, layout: run.layout)
      isKnown = false
    }
    if let rows = kept.flatMap(missing) { historian.post(rows.shown(by: clock), layout: run.layout) }
    return isKnown
  }
}
