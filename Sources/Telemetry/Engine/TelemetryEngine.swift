public import DeviceKit
internal import Documents
public import Logging
public import SinkKit
internal import Synchronization

/// Takes samples through the pipelines to the sinks' spools and from there to the receivers.
///
/// Promises: a record that has been put out is on disk when the `ingest` (or tick, or ``commit()``) that caused it
/// returns, and safe from a loss of power at most 200 ms later. A clean stop (``shutdown()``) loses nothing. A kill or a
/// loss of power costs a pipeline with durability Checkpoint, of each series, at most the samples of the last minute
/// (of windows shorter than that: of one window); one with Journal nothing that came before a ``commit()`` that
/// returned true. Records of one series arrive in order, at least once; their sequence numbers rise by one and are never
/// given to another record.
public actor TelemetryEngine {
  public typealias Describe = @Sendable (PointID) -> SeriesDescription?
  public typealias Range = @Sendable (PointID) -> (minimum: Double, maximum: Double)?

  let directory: String
  let node: String
  let points: PointTable
  let plugins: [String: any SinkPlugin]
  let describe: Describe
  let range: Range
  let clock: GatewayClock
  let logger: Logger
  let thread = BlockingThread()
  let catalogue = SeriesCatalogue()
  let checkpoints: CheckpointLog
  let journal: Journal
  let historian: Historian
  /// What the historian gets once the sinks' spools have it.
  private var unkept: [(rows: RecordRows, layout: RecordLayout)] = []
  /// The same of pipelines with a journal, after its next commit.
  var uncommittedHistory: [(rows: RecordRows, layout: RecordLayout)] = []
  var localQuery = LocalQuerySettings()
  let newLanes: AsyncStream<SinkLane>
  let laneFeed: AsyncStream<SinkLane>.Continuation
  /// In the order of their keys.
  var runs: [PipelineRun] = []
  var problems: [String: SpecificationError] = [:]
  var lanes: [String: SinkLane] = [:]
  var sinkDefinitions: [String: SinkDefinition] = [:]
  /// State of pipelines that have not come back since the last stop.
  var unclaimed: [String: Checkpoint] = [:]
  var isRecovered = false
  var isShutDown = false
  /// Samples wait while definitions are put in force, and until that has happened once.
  var isEntryOpen = false
  var entryWaiters: [CheckedContinuation<Void, Never>] = []
  var durability = DurabilityState()
  nonisolated let links = Mutex(LinkChanges())
  private var isRunning = false
  private var stopWaiters: [CheckedContinuation<Void, Never>] = []
  var untaken: UInt64 = 0
  /// Alarms raised and cleared by all pipelines, in their order: bounded, the oldest lost and counted in the pipelines'
  /// status. For one reader.
  public nonisolated let alarms: AsyncStream<AlarmTransition>
  private let alarmFeed: AsyncStream<AlarmTransition>.Continuation
  var alarmsLost: UInt64 = 0

  /// - Parameters:
  ///   - directory: Holds the spools, the checkpoints and the journal; made where it is missing, at the first `apply`.
  ///   - describe: What a point is called and belongs to; nil for one that no pipeline shall take. Called from any
  /// task.
  ///   - range: The bounds of the point's property, for deadbands in percent.
  public init(
    directory: String, node: String, points: PointTable, sinks: [any SinkPlugin], describe: @escaping Describe,
    range: @escaping Range, clock: GatewayClock, logger: Logger
  ) {
    self.directory = directory
    self.node = node
    self.points = points
    plugins = Dictionary(sinks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.describe = describe
    self.range = range
    self.clock = clock
    self.logger = logger
    checkpoints = CheckpointLog(directory: directory, thread: thread)
    journal = Journal(directory: "\(directory)/journal", thread: BlockingThread())
    historian = Historian(directory: "\(directory)/history", catalogue: catalogue, clock: clock.wall, logger: logger)
    (newLanes, laneFeed) = AsyncStream.makeStream()
    (alarms, alarmFeed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1_024))
  }

  /// The same with a clock that is never set.
  public init(
    directory: String, node: String, points: PointTable, sinks: [any SinkPlugin], describe: @escaping Describe,
    range: @escaping Range, clock: WallClock = .system, logger: Logger
  ) {
    self.init(
      directory: directory, node: node, points: points, sinks: sinks, describe: describe, range: range,
      clock: GatewayClock(following: clock), logger: logger)
  }

  // MARK: Samples

  /// Takes a batch through all pipelines. Waits for the first ``apply(pipelines:sinks:)``, and while a sink whose
  /// `whenFull` is Block is full, if its pipeline wants the batch. Records of a pipeline without a journal are on disk
  /// when it returns. After ``shutdown()`` nothing is taken, and counted as such.
  public func ingest(_ batch: SampleBatch) async {
    guard !batch.isEmpty else { return }
    while !isShutDown {
      if !isEntryOpen {
        await withCheckedContinuation { entryWaiters.append($0) }
      } else if let gate = closedGate(for: batch), !Task.isCancelled {
        await gate.pass()
      } else {
        break
      }
    }
    guard !isShutDown else { return untaken += UInt64(batch.count) }
    var touched: [SinkLane] = []
    process(clock.stamped(batch), &touched)
    for lane in touched { await lane.drain() }
    keepHistory()
  }

  /// What the batch has to wait for.
  private func closedGate(for batch: SampleBatch) -> Gate? {
    for run in runs where run.core.wants(batch) {
      if run.isJournaled, !durability.journalGate.isOpen { return durability.journalGate }
      if let lane = run.lanes.first(where: { !$0.gate.isOpen }) { return lane.gate }
    }
    return nil
  }

  /// Takes a batch through the pipelines without a pause, and what those with a journal take into that.
  private func process(_ batch: SampleBatch, _ touched: inout [SinkLane]) {
    let takers = runs.filter { $0.core.wants(batch) }
    let journaled = takers.filter(\.isJournaled)
    let fresh = takers.isEmpty ? batch : withoutRepeated(batch, takers)
    for run in takers {
      var rows = RecordRows()
      run.core.process(fresh, into: &rows, admit: admission(to: run))
      guard run.isJournaled else {
        emit(&rows, of: run, &touched)
        continue
      }
      // Their records go to disk with the journal's commit: not before what they were made of.
      emit(&rows, of: run, &durability.uncommittedLanes)
    }
    guard !journaled.isEmpty else { return }
    let taken = fresh.filtered { point in journaled.contains { $0.core.wants(point) } }
    if !taken.isEmpty { post(.samples(taken)) }
  }

  /// Numbers the rows and posts them to the pipeline's sinks; `touched` gathers these, to be drained.
  func emit(_ rows: inout RecordRows, of run: PipelineRun, _ touched: inout [SinkLane]) {
    tell(run.core.takeAlarms())
    guard !rows.isEmpty else { return }
    catalogue.number(&rows, series: run.core.series)
    run.records += UInt64(rows.count)
    if localQuery.keeps(run.specification) {
      let parcel = (rows: rows.shown(by: clock), layout: run.layout)
      if run.isJournaled { uncommittedHistory.append(parcel) } else { unkept.append(parcel) }
    }
    for lane in run.lanes {
      lane.post(rows, layout: run.layout)
      if !touched.contains(where: { $0 === lane }) { touched.append(lane) }
    }
  }

  /// Hands over to the historian what the sinks' spools have: numbers go on from the highest on disk, and none of these may
  /// be beyond what the sinks get.
  func keepHistory() {
    var parcels = unkept
    unkept = []
    if !journal.isDirty {
      parcels += uncommittedHistory
      uncommittedHistory = []
    }
    for parcel in parcels { historian.post(parcel.rows, layout: parcel.layout) }
  }

  /// Tells people of alarms.
  func tell(_ transitions: [AlarmTransition]) {
    for var transition in transitions {
      transition.time = clock.shown(transition.time.nanoseconds)
      if case .dropped = alarmFeed.yield(transition) { alarmsLost += 1 }
    }
  }

  /// Asks, for a point, whether the pipeline takes it.
  func admission(to run: PipelineRun) -> (PointID) -> PipelineCore.Admission? {
    { [self] point in
      let admission = judge(point, run)
      if run.isJournaled {
        if let admission {
          let details = admission.details
          post(.admission(pipeline: run.key, point, details.description, range: details.range))
        } else if run.core.slots.slot(of: .point(point)) != nil {
          post(.refusal(pipeline: run.key, point))
        }
      }
      return admission
    }
  }

  func judge(_ point: PointID, _ run: PipelineRun) -> PipelineCore.Admission? {
    guard var description = describe(point) else { return nil }
    if let namespace = run.namespace, description.device.namespace != namespace { return nil }
    guard run.specification.from.matches(description) else { return nil }
    if description.node.isEmpty { description.node = node }
    let bounds = range(point).flatMap { $0.minimum <= $0.maximum ? $0.minimum...$0.maximum : nil }
    return PipelineCore.Admission(description, range: bounds)
  }

  /// Says that labels, models, units or ranges of these points have changed, or that they are new or gone.
  public func invalidate(_ points: [PointID]) async {
    await entry()
    var touched: [SinkLane] = []
    for run in runs {
      var rows = RecordRows()
      run.core.invalidate(points, into: &rows, admit: admission(to: run))
      emit(&rows, of: run, &touched)
    }
    durability.wantsWhole = true
    for lane in touched { await lane.drain() }
    keepHistory()
  }

  /// Returns while no definitions are being put in force.
  private func entry() async {
    while !isEntryOpen, !isShutDown { await withCheckedContinuation { entryWaiters.append($0) } }
  }

  func closeEntry() { isEntryOpen = false }

  func openEntry() {
    isEntryOpen = true
    for waiter in entryWaiters { waiter.resume() }
    entryWaiters = []
  }

  // MARK: Service

  /// How often timers are looked at.
  private static let tickInterval = Duration.milliseconds(50)

  /// Serves timers and deliveries until the task is cancelled or ``shutdown()`` is called. Once per engine.
  public func run() async {
    guard !isRunning, !isShutDown else { return }
    isRunning = true
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keepTime() }
      group.addTask { await self.historian.run() }
      for await lane in newLanes {
        group.addTask { await Self.deliver(lane) }
      }
      group.cancelAll()
    }
    isRunning = false
    for waiter in stopWaiters { waiter.resume() }
    stopWaiters = []
  }

  private func keepTime() async {
    while !Task.isCancelled, !isShutDown {
      await tick()
      try? await Task.sleep(for: Self.tickInterval)
    }
  }

  /// Closes windows of silent series, takes what waits to disk, wakes deliveries, keeps a checkpoint where one is due.
  package func tick() async {
    guard !isShutDown else { return }
    await followClock()
    if isEntryOpen { advance() }
    await commitOnce()
    for lane in lanes.values where lane.isTickDue(at: clock.elapsed) { await lane.tick() }
    keepHistory()
    historian.tick()
    await checkpointIfDue()
  }

  private func advance() {
    let now = clock.stamp
    let changes = takeLinkChanges()
    let isHolding = durability.hold.isHolding(lost: changes.lost, restored: changes.restored, at: clock.elapsed)
    guard !isHolding, durability.journalError == nil else { return }
    let due = runs.filter { !$0.isHeld && $0.core.isDue(at: now) }
    let journaled = due.filter(\.isJournaled).map(\.key)
    if !journaled.isEmpty { post(.advance(to: now, pipelines: journaled)) }
    for run in due {
      var rows = RecordRows()
      run.core.advance(to: now, into: &rows)
      // The lanes are all drained after the commit.
      var touched: [SinkLane] = []
      emit(&rows, of: run, &touched)
    }
  }

  private static func deliver(_ lane: SinkLane) async {
    while !Task.isCancelled {
      switch await lane.nextStep() {
      case .end: return
      case .wait: await lane.bell.wait()
      case .close(let writer): await writer.close()
      case .retry(let writer, let record): await lane.concluded(record, await writer.send([record.record]))
      case .send(let writer, let batch): await lane.concluded(batch, await writer.send(batch.records))
      }
    }
  }

  /// Stops cleanly: ends deliveries, takes all records to disk, keeps the state of stages and open windows for the next
  /// start, closes the sinks. Call it when no more samples come; repeating it is harmless.
  public func shutdown() async {
    guard !isShutDown else { return }
    isShutDown = true
    openEntry()
    laneFeed.finish()
    var touched: [SinkLane] = []
    for run in runs {
      var rows = RecordRows()
      run.core.settle(into: &rows)
      emit(&rows, of: run, &touched)
    }
    for lane in lanes.values { await lane.retire() }
    if isRunning { await withCheckedContinuation { stopWaiters.append($0) } }
    await checkpoint(isFinal: true)
    var writers: [any SinkWriter] = []
    for lane in lanes.values { writers += await lane.close() }
    keepHistory()
    await historian.close()
    for writer in writers { await writer.close() }
  }
}
