internal import DeviceKit
internal import Documents
internal import Logging
internal import SinkKit

extension TelemetryEngine {
  /// Puts these pipelines and sinks in force, in place of those before; one call at a time. Samples wait meanwhile.
  ///
  /// What is unchanged goes on untouched. A pipeline keeps the state of those stages, windows included, that occur in its
  /// new spec in the same order; what the others had kept back it puts out first, as one that goes puts out everything.
  /// A spec that cannot be served is told in ``status()``, and the last good one stays in force. Records for a sink that
  /// is not defined wait for it in its spool.
  public func apply(
    pipelines: [PipelineDefinition], sinks: [SinkDefinition], localQuery: LocalQuerySettings = LocalQuerySettings()
  ) async {
    guard !isShutDown else { return }
    closeEntry()
    defer { openEntry() }
    if localQuery != self.localQuery || !isRecovered {
      self.localQuery = localQuery
      await historian.configure(localQuery)
    }
    await recover()
    await apply(sinks)
    problems = [:]
    var wanted: [String: (JSONValue, PipelineSpecification)] = [:]
    for definition in pipelines {
      do throws(SpecificationError) {
        wanted[definition.key] = (definition.spec, try PipelineSpecification(json: definition.spec))
      } catch {
        problems[definition.key] = error
      }
    }
    var touched: [SinkLane] = []
    var hasChanged = false
    for run in runs where problems[run.key] == nil && wanted[run.key] == nil {
      end(run, &touched)
      hasChanged = true
    }
    runs.removeAll { $0.hasEnded }
    for (key, (spec, specification)) in wanted.sorted(by: { $0.key < $1.key }) {
      var targets: [SinkLane] = []
      for name in specification.sinks { targets.append(await lane(PipelineRun.sinkKey(name, for: key))) }
      let place = runs.firstIndex { $0.key == key }
      if let place, runs[place].core.specification.stages == specification.stages {
        runs[place].lanes = targets
        guard runs[place].spec != spec else { continue }
        respecify(runs[place], spec, specification, &touched)
      } else {
        let run = PipelineRun(
          key: key, spec: spec, specification: specification, lanes: targets, catalogue: catalogue)
        if let place {
          carry(from: runs[place], to: run, &touched)
          runs[place] = run
        } else {
          await resume(run, &touched)
          bringForward(run, from: clock.mark, &touched)
          runs.append(run)
        }
      }
      hasChanged = true
    }
    runs.sort { $0.key < $1.key }
    for lane in touched { await lane.drain() }
    keepHistory()
    guard hasChanged || durability.checkpointCount == 0 else { return }
    durability.wantsWhole = true
    await checkpoint()
  }

  /// Changes what a pipeline takes, where it goes to or how safe it is.
  private func respecify(
    _ run: PipelineRun, _ spec: JSONValue, _ specification: PipelineSpecification, _ touched: inout [SinkLane]
  ) {
    let isReselected = run.specification.from != specification.from
    (run.spec, run.specification) = (spec, specification)
    guard isReselected else { return }
    var rows = RecordRows()
    let all = (0..<points.count).map { PointID(index: UInt32($0)) }
    run.core.invalidate(all, into: &rows, admit: admission(to: run))
    emit(&rows, of: run, &touched)
  }

  func end(_ run: PipelineRun, _ touched: inout [SinkLane]) {
    var rows = RecordRows()
    run.core.flush(into: &rows)
    emit(&rows, of: run, &touched)
    run.hasEnded = true
  }

  /// Gives a pipeline the state of the stages that it has in common with its former self.
  func carry(from former: PipelineRun, to run: PipelineRun, _ touched: inout [SinkLane]) {
    let common = CommonStages(former.core.specification.stages, run.core.specification.stages)
    var rows = RecordRows()
    if !common.keepsAll { former.core.settle(into: &rows) }
    if !common.keepsWindows { former.core.windows?.flush(into: &rows) }
    emit(&rows, of: former, &touched)
    former.hasEnded = true
    do throws(DecodingFault) {
      for slot in 0..<former.core.slots.count {
        var state = ByteWriter()
        former.core.save(slot: slot, to: &state)
        let kept = try common.translate(state.bytes)
        guard !kept.isEmpty else { continue }
        var input = ByteReader(kept)
        switch former.core.slots.origin(of: slot) {
        case .made(let made):
          guard let stage = common.stage(made.stage) else { continue }
          let description = catalogue.description(of: former.core.series[slot])
          try run.core.restore(MadeSeries(stage: stage, name: made.name), description, from: &input)
        case .point(let point):
          let admission = judge(point, run)
          let known = admission ?? .init(catalogue.description(of: former.core.series[slot]))
          try run.core.restore(point, known, isTaken: admission != nil, from: &input)
        }
      }
    } catch {
      logger.error("pipeline \(run.key): the state of its unchanged stages is lost")
    }
    run.records = former.records
  }

  // MARK: Sinks

  private func apply(_ sinks: [SinkDefinition]) async {
    let wanted = Dictionary(sinks.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
    for key in sinkDefinitions.keys where wanted[key] == nil { await lanes[key]?.unconfigure() }
    for (key, definition) in wanted.sorted(by: { $0.key < $1.key }) where sinkDefinitions[key] != definition {
      let lane = await lane(key)
      do {
        let specification = try SinkSpecification(json: definition.spec, plugins: Array(plugins.keys))
        guard let plugin = plugins[specification.plugin] else { continue }
        let writer = try plugin.writer(for: SinkRequest(name: key, specification: specification.fragment))
        await lane.configure(specification, writer: writer)
      } catch let error as SpecificationError {
        await lane.fail(SpoolError(reason: "InvalidSpec", message: error.description))
      } catch let error as SinkError {
        await lane.fail(SpoolError(reason: error.reason, message: error.message))
      } catch {
        await lane.fail(SpoolError(reason: "InvalidSpec", message: "\(error)"))
      }
    }
    sinkDefinitions = wanted
  }

  /// The sink's lane, made where it is missing.
  func lane(_ key: String) async -> SinkLane {
    if let lane = lanes[key] { return lane }
    let lane = SinkLane(
      key: key, directory: "\(directory)/sinks/\(SpoolName.directory(of: key))", thread: thread, catalogue: catalogue,
      clock: clock, logger: logger)
    lanes[key] = lane
    await lane.open()
    laneFeed.yield(lane)
    return lane
  }
}
