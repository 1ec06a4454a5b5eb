internal import DeviceKit
internal import Documents
internal import Logging

extension TelemetryEngine {
  /// Between two checkpoints.
  private static let interval: Int64 = 60_000_000_000
  /// Between a checkpoint that failed and the next try.
  private static let retryInterval: Int64 = 5_000_000_000
  /// A pipeline that has not come back for so long after the start is gone.
  private static let patience: Int64 = 600_000_000_000

  func checkpointIfDue() async {
    guard isRecovered, isEntryOpen, let savedAt = durability.savedAt else { return }
    let now = clock.elapsed
    let interval = durability.checkpointError == nil ? Self.interval : Self.retryInterval
    let isDue = now - savedAt >= interval || journal.storedBytes > Self.storedLimit
    guard isDue else { return }
    if let startedAt = durability.startedAt, now - startedAt >= Self.patience, !unclaimed.isEmpty {
      await releaseUnclaimed()
    }
    await checkpoint()
  }

  /// Keeps the state of all pipelines, as it is now. What pipelines put out before is made safe first: after a crash
  /// nothing lies between the state and the spools.
  func checkpoint(isFinal: Bool = false) async {
    guard isRecovered else { return }
    while durability.isSaving { await withCheckedContinuation { durability.saveWaiters.append($0) } }
    durability.isSaving = true
    await save(isFinal: isFinal)
    durability.isSaving = false
    for waiter in durability.saveWaiters { waiter.resume() }
    durability.saveWaiters = []
  }

  private func save(isFinal: Bool) async {
    durability.savedAt = clock.elapsed
    await keep(clock.history)
    let hasFile = await checkpoints.hasFile
    let isLong = await checkpoints.isLong
    let isWhole = !hasFile || durability.wantsWhole || isFinal || (isLong && !durability.isStuck)
    durability.wantsWhole = false
    let captured = runs.map { capture($0, isWhole: isWhole, isFinal: isFinal) }
    do {
      try await journal.commit()
      var stuck: Set<ObjectIdentifier> = []
      for lane in lanes.values where !(await lane.flush()) { stuck.insert(ObjectIdentifier(lane)) }
      // What is stuck is only in memory: the pipeline's former state, and the journal after it, go on to stand for it.
      let safe = captured.filter { item in
        isFinal && !item.run.isJournaled || !item.run.lanes.contains { stuck.contains(ObjectIdentifier($0)) }
      }
      durability.isStuck = safe.count < captured.count
      let isAll = isWhole && !durability.isStuck
      if isWhole && !isAll { durability.wantsWhole = true }
      guard isAll || hasFile else { return }
      let others = isAll ? unclaimed.values.sorted { $0.pipeline < $1.pipeline } : []
      try await checkpoints.save(safe.map(\.checkpoint) + others, isAll: isAll)
      for item in safe { item.run.saved = item.saved }
      if isFinal { try await checkpoints.save(remembered: durability.redeliveries.remembered) }
      durability.checkpointError = nil
      durability.checkpointCount += 1
      try await truncateJournal(Dictionary(uniqueKeysWithValues: safe.map { ($0.run.key, $0.checkpoint.journal) }))
    } catch {
      if durability.checkpointError?.message != error.message { logger.error("checkpoint: \(error.message)") }
      durability.checkpointError = error
      durability.wantsWhole = true
    }
  }

  /// Removes what no pipeline needs any more. Entries from before the *last but one* checkpoint go: the samples after it
  /// may come again, and are known by them.
  private func truncateJournal(_ positions: [String: UInt64]) async throws(SpoolError) {
    var needed = durability.encoder?.nextOrdinal ?? 0
    for run in runs where run.isJournaled {
      needed = min(needed, run.journalPosition ?? 0)
      if let position = positions[run.key] { run.journalPosition = position }
    }
    for checkpoint in unclaimed.values { needed = min(needed, checkpoint.journal) }
    try await journal.truncate(before: needed)
    watchJournal()
  }

  private typealias Captured = (run: PipelineRun, checkpoint: Checkpoint, saved: PipelineRun.Saved)

  /// What is to be saved of a pipeline: everything, or what differs from the last time.
  private func capture(_ run: PipelineRun, isWhole: Bool, isFinal: Bool) -> Captured {
    var checkpoint = Checkpoint(
      pipeline: run.key, spec: run.spec, madeAt: clock.mark, journal: durability.encoder?.nextOrdinal ?? 0,
      isWhole: isWhole)
    var saved = isWhole ? PipelineRun.Saved() : run.saved
    let includesWindows = isFinal || run.isJournaled || run.core.windows?.isLong ?? false
    for slot in 0..<run.core.slots.count {
      var state = ByteWriter()
      run.core.save(slot: slot, to: &state, includesWindows: includesWindows)
      var hasher = Hasher()
      hasher.combine(bytes: state.bytes.withUnsafeBytes { UnsafeRawBufferPointer($0) })
      let mark = hasher.finalize()
      if slot < saved.marks.count, saved.marks[slot] == mark { continue }
      if slot >= saved.marks.count {
        saved.marks.append(mark)
        checkpoint.identities[slot] = identity(of: slot, in: run)
      } else {
        saved.marks[slot] = mark
      }
      checkpoint.states[slot] = state.bytes
    }
    let sequences = catalogue.sequences(of: run.key)
    checkpoint.sequences = isWhole ? sequences : sequences.filter { saved.sequences[$0.key] != $0.value }
    saved.sequences = sequences
    return (run, checkpoint, saved)
  }

  private func identity(of slot: Int, in run: PipelineRun) -> Checkpoint.Identity {
    let description = catalogue.description(of: run.core.series[slot])
    switch run.core.slots.origin(of: slot) {
    case .made(let series): return Checkpoint.Identity(origin: .made(series), description: description)
    case .point(let point):
      let origin = Checkpoint.Origin.point(points.name(of: point))
      guard let details = judge(point, run)?.details else {
        return Checkpoint.Identity(origin: origin, description: description, isTaken: false)
      }
      return Checkpoint.Identity(origin: origin, description: details.description, range: details.range)
    }
  }

  // MARK: Recovery

  /// Opens what spools there are, so that sequence numbers go on, and takes checkpoints and journal in.
  func recover() async {
    guard !isRecovered else { return }
    do {
      for key in try await checkpoints.spools() { _ = await lane(key) }
      let (saved, damage) = try await checkpoints.load()
      if let damage { logger.error("\(damage)") }
      for checkpoint in saved { unclaimed[checkpoint.pipeline] = checkpoint }
      try await recoverJournal(after: saved)
    } catch {
      logger.error("state of the last stop: \(error)")
      if durability.encoder == nil { durability.encoder = JournalEncoder(nextOrdinal: 1 << 40, nextSegment: 1 << 20) }
    }
    isRecovered = true
    durability.hold.flowBegins(at: clock.elapsed)
    (durability.startedAt, durability.savedAt) = (clock.elapsed, clock.elapsed)
    await keep(clock.history)
  }

  /// Gives a pipeline the state that it had at the last stop, of whatever kind. Stages that have changed since begin
  /// anew, and put out first what they had kept back.
  func resume(_ run: PipelineRun, _ touched: inout [SinkLane]) async {
    guard let saved = unclaimed.removeValue(forKey: run.key) else { return }
    do {
      let specification = try PipelineSpecification(json: saved.spec)
      guard specification.stages != run.specification.stages else {
        return try await restore(saved, into: run, &touched)
      }
      let former = PipelineRun(
        key: run.key, spec: saved.spec, specification: specification, lanes: run.lanes, catalogue: catalogue)
      try await restore(saved, into: former, &touched)
      carry(from: former, to: run, &touched)
    } catch {
      logger.error("pipeline \(run.key): what was open at the last stop is lost: \(error)")
    }
  }

  /// Takes the checkpoint and the journal after it into a new pipeline.
  private func restore(_ saved: Checkpoint, into run: PipelineRun, _ touched: inout [SinkLane]) async throws {
    let before = catalogue.sequences(of: run.key)
    catalogue.rewind(run.key, to: saved.sequences)
    defer {
      for (point, sequence) in before {
        catalogue.raise(SeriesCatalogue.Key(pipeline: run.key, point: point), past: sequence)
      }
    }
    for (slot, identity) in saved.identities.sorted(by: { $0.key < $1.key }) {
      guard let state = saved.states[slot], !state.isEmpty else { continue }
      var input = ByteReader(state)
      switch identity.origin {
      case .made(let made): try run.core.restore(made, identity.description, from: &input)
      case .point(let name):
        let admission = PipelineCore.Admission(identity.description, range: identity.range)
        try run.core.restore(points.id(of: name), admission, isTaken: identity.isTaken, from: &input)
      }
    }
    if let madeAt = saved.madeAt?.stamp, let time = clock.history.setBackUntil(madeAt) {
      run.core.windows?.wasSetBack(until: time, by: madeAt - time)
    }
    var mark = saved.madeAt
    if try PipelineSpecification(json: saved.spec).durability == .journal {
      if let step = try await replay(into: run, from: saved.journal, identities: saved.identities) {
        mark?.stamp = step.from + step.by
        mark?.sinceBoot = step.sinceBoot
      }
    }
    await discardSent(of: run)
    if let mark { bringForward(run, from: mark, &touched) }
    run.core.askAgain()
  }

  /// Forgets windows that were put out after the state that was taken back: the spools have had more records of the
  /// series than it has made.
  private func discardSent(of run: PipelineRun) async {
    for lane in lanes.values {
      let last = await lane.lastRecords()
      for slot in 0..<run.core.slots.count {
        let handle = run.core.series[slot]
        guard Int(handle) < last.count, last[Int(handle)].sequence > catalogue.lastSequence(of: handle) else {
          continue
        }
        run.core.windows?.discard(slot: slot, endingBy: last[Int(handle)].time)
      }
    }
  }

  /// Puts out what pipelines hold that were deleted while the gateway was away.
  private func releaseUnclaimed() async {
    closeEntry()
    defer { openEntry() }
    var touched: [SinkLane] = []
    for saved in unclaimed.values.sorted(by: { $0.pipeline < $1.pipeline }) {
      unclaimed[saved.pipeline] = nil
      guard let specification = try? PipelineSpecification(json: saved.spec) else { continue }
      var targets: [SinkLane] = []
      for name in specification.sinks { targets.append(await lane(PipelineRun.sinkKey(name, for: saved.pipeline))) }
      let run = PipelineRun(
        key: saved.pipeline, spec: saved.spec, specification: specification, lanes: targets, catalogue: catalogue)
      do {
        try await restore(saved, into: run, &touched)
        end(run, &touched)
      } catch {
        logger.error("pipeline \(run.key): what was open at the last stop is lost: \(error)")
      }
    }
    for lane in touched { await lane.drain() }
    keepHistory()
    durability.wantsWhole = true
  }
}
