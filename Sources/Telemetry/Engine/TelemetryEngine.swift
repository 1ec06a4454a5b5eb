public import DeviceKit
internal import Documents
public import Logging
public import SinkKit

/// Takes samples through the pipelines to the sinks' spools and from there to the receivers.
///
/// Promises: every record that has been put out is on disk when the `ingest` (or tick) that caused it returns, and safe
/// from a loss of power at most 200 ms later; a kill of the process loses samples in open windows only; a clean stop
/// (``shutdown()``) loses none. Records of one series arrive in order, at least once; their sequence numbers rise by
/// one and are never given to another record.
public actor TelemetryEngine {
  public typealias Describe = @Sendable (PointID) -> SeriesDescription?
  public typealias Range = @Sendable (PointID) -> (minimum: Double, maximum: Double)?

  let directory: String
  let node: String
  let points: PointTable
  let plugins: [String: any SinkPlugin]
  let describe: Describe
  let range: Range
  let clock: WallClock
  let logger: Logger
  let thread = BlockingThread()
  let catalogue = SeriesCatalogue()
  let checkpoints: CheckpointStore
  let newLanes: AsyncStream<SinkLane>
  let laneFeed: AsyncStream<SinkLane>.Continuation
  /// In the order of their keys.
  var runs: [PipelineRun] = []
  var problems: [String: SpecificationError] = [:]
  var lanes: [String: SinkLane] = [:]
  var sinkDefinitions: [String: SinkDefinition] = [:]
  /// State of pipelines that have not come back since the last stop.
  var unclaimed: [String: Checkpoint.Pipeline] = [:]
  var isRecovered = false
  var isShutDown = false
  private var isRunning = false
  private var stopWaiters: [CheckedContinuation<Void, Never>] = []
  var untaken: UInt64 = 0

  /// - Parameters:
  ///   - directory: Holds the spools and the checkpoint; made where it is missing, at the first `apply`.
  ///   - describe: What a point is called and belongs to; nil for one that no pipeline shall take. Called from any
  /// task.
  ///   - range: The bounds of the point's property, for deadbands in percent.
  public init(
    directory: String, node: String, points: PointTable, sinks: [any SinkPlugin], describe: @escaping Describe,
    range: @escaping Range, clock: WallClock = .system, logger: Logger
  ) {
    self.directory = directory
    self.node = node
    self.points = points
    plugins = Dictionary(sinks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.describe = describe
    self.range = range
    self.clock = clock
    self.logger = logger
    checkpoints = CheckpointStore(directory: directory, thread: thread)
    (newLanes, laneFeed) = AsyncStream.makeStream()
  }

  // MARK: Samples

  /// Takes a batch through all pipelines. Returns once what came out is on disk; waits while a sink whose `whenFull` is
  /// Block is full, if its pipeline wants the batch. After ``shutdown()`` nothing is taken, and counted as such.
  public func ingest(_ batch: SampleBatch) async {
    guard !batch.isEmpty else { return }
    var touched: [SinkLane] = []
    for run in runs {
      while run.isHeld, !isShutDown, !Task.isCancelled, run.core.wants(batch) {
        for lane in run.lanes { await lane.gate.pass() }
      }
      if isShutDown { break }
      guard !run.hasEnded else { continue }
      var rows = RecordRows()
      run.core.process(batch, into: &rows, admit: admission(to: run))
      emit(&rows, of: run, &touched)
    }
    if isShutDown { untaken += UInt64(batch.count) }
    for lane in touched { await lane.drain() }
  }

  /// Numbers the rows and posts them to the pipeline's sinks; `touched` gathers these, to be drained.
  func emit(_ rows: inout RecordRows, of run: PipelineRun, _ touched: inout [SinkLane]) {
    guard !rows.isEmpty else { return }
    catalogue.number(&rows, series: run.core.series)
    run.records += UInt64(rows.count)
    for lane in run.lanes {
      lane.post(rows, layout: run.layout)
      if !touched.contains(where: { $0 === lane }) { touched.append(lane) }
    }
  }

  /// Asks, for a point, whether the pipeline takes it.
  func admission(to run: PipelineRun) -> (PointID) -> PipelineCore.Admission? {
    { [self] point in
      guard var description = describe(point) else { return nil }
      if let namespace = run.namespace, description.device.namespace != namespace { return nil }
      guard run.specification.from.matches(description) else { return nil }
      if description.node.isEmpty { description.node = node }
      let bounds = range(point).flatMap { $0.minimum <= $0.maximum ? $0.minimum...$0.maximum : nil }
      return PipelineCore.Admission(description, range: bounds)
    }
  }

  /// Says that labels, models, units or ranges of these points have changed, or that they are new or gone.
  public func invalidate(_ points: [PointID]) async {
    var touched: [SinkLane] = []
    for run in runs {
      var rows = RecordRows()
      run.core.invalidate(points, into: &rows, admit: admission(to: run))
      emit(&rows, of: run, &touched)
    }
    for lane in touched { await lane.drain() }
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

  /// Closes windows of silent series, takes what waits to disk, wakes deliveries.
  package func tick() async {
    guard !isShutDown else { return }
    var touched: [SinkLane] = []
    let now = clock.now.nanoseconds
    for run in runs where !run.isHeld {
      var rows = RecordRows()
      run.core.advance(to: now, into: &rows)
      emit(&rows, of: run, &touched)
    }
    for lane in lanes.values { await lane.tick() }
  }

  private static func deliver(_ lane: SinkLane) async {
    while !Task.isCancelled {
      switch await lane.nextStep() {
      case .end: return
      case .wait: await lane.bell.wait()
      case .close(let writer): await writer.close()
      case .send(let writer, let batch): await lane.concluded(batch, await writer.send(batch.records))
      }
    }
  }

  /// Stops cleanly: ends deliveries, takes all records to disk, keeps the state of stages and open windows for the next
  /// start, closes the sinks. Call it when no more samples come; repeating it is harmless.
  public func shutdown() async {
    guard !isShutDown else { return }
    isShutDown = true
    laneFeed.finish()
    var touched: [SinkLane] = []
    for run in runs {
      var rows = RecordRows()
      run.core.settle(into: &rows)
      emit(&rows, of: run, &touched)
    }
    for lane in lanes.values { await lane.retire() }
    if isRunning { await withCheckedContinuation { stopWaiters.append($0) } }
    var writers: [any SinkWriter] = []
    for lane in lanes.values { writers += await lane.close() }
    do {
      let checkpoint = checkpoint()
      if isRecovered { try await checkpoints.save(checkpoint) }
    } catch {
      logger.error("open windows are lost: \(error)")
    }
    for writer in writers { await writer.close() }
  }

  private func checkpoint() -> Checkpoint {
    var checkpoint = Checkpoint(pipelines: unclaimed.values.sorted { $0.key < $1.key })
    for run in runs {
      var saved = Checkpoint.Pipeline(key: run.key, spec: run.spec, series: [])
      for slot in 0..<run.core.slots.count {
        var state = ByteWriter()
        run.core.save(slot: slot, to: &state)
        guard !state.bytes.isEmpty else { continue }
        let description = catalogue.description(of: run.core.series[slot])
        let origin: Checkpoint.Origin
        switch run.core.slots.origin(of: slot) {
        case .point(let point): origin = .point(points.name(of: point))
        case .made(let series): origin = .made(series)
        }
        saved.series.append(Checkpoint.Series(origin: origin, description: description, state: state.bytes))
      }
      if !saved.series.isEmpty { checkpoint.pipelines.append(saved) }
    }
    return checkpoint
  }
}
