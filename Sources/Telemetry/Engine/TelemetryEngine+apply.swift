internal import DeviceKit
internal import Documents
internal import Logging
internal import SinkKit

extension TelemetryEngine {
  /// Puts these pipelines and sinks in force, in place of those before; one call at a time.
  ///
  /// What is unchanged goes on untouched. A pipeline whose stages are unchanged keeps its windows; one that goes, or
  /// gets other stages, puts its open windows out first. A spec that cannot be served is told in ``status()``, and the
  /// last good one stays in force. Records for a sink that is not defined wait for it in its spool.
  public func apply(pipelines: [PipelineDefinition], sinks: [SinkDefinition]) async {
    guard !isShutDown else { return }
    await recover()
    await apply(sinks)
    var touched: [SinkLane] = []
    problems = [:]
    var wanted: [String: (JSONValue, PipelineSpecification)] = [:]
    for definition in pipelines {
      do throws(SpecificationError) {
        wanted[definition.key] = (definition.spec, try PipelineSpecification(json: definition.spec))
      } catch {
        problems[definition.key] = error
      }
    }
    for run in runs where problems[run.key] == nil && wanted[run.key]?.1.stages != run.core.specification.stages {
      end(run, &touched)
    }
    runs.removeAll { $0.hasEnded }
    for (key, (spec, specification)) in wanted.sorted(by: { $0.key < $1.key }) {
      var targets: [SinkLane] = []
      for name in specification.sinks { targets.append(await lane(PipelineRun.sinkKey(name, for: key))) }
      if let run = runs.first(where: { $0.key == key }) {
        run.lanes = targets
        guard run.spec != spec else { continue }
        let isReselected = run.specification.from != specification.from
        (run.spec, run.specification) = (spec, specification)
        if isReselected {
          var rows = RecordRows()
          let all = (0..<points.count).map { PointID(index: UInt32($0)) }
          run.core.invalidate(all, into: &rows, admit: admission(to: run))
          emit(&rows, of: run, &touched)
        }
      } else {
        let run = PipelineRun(
          key: key, spec: spec, specification: specification, lanes: targets, catalogue: catalogue)
        resume(run, &touched)
        runs.append(run)
      }
    }
    runs.sort { $0.key < $1.key }
    for lane in touched { await lane.drain() }
  }

  private func end(_ run: PipelineRun, _ touched: inout [SinkLane]) {
    var rows = RecordRows()
    run.core.flush(into: &rows)
    emit(&rows, of: run, &touched)
    run.hasEnded = true
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
  private func lane(_ key: String) async -> SinkLane {
    if let lane = lanes[key] { return lane }
    let lane = SinkLane(
      key: key, directory: "\(directory)/sinks/\(SpoolName.directory(of: key))", thread: thread, catalogue: catalogue,
      clock: clock, logger: logger)
    lanes[key] = lane
    await lane.open()
    laneFeed.yield(lane)
    return lane
  }

  // MARK: Recovery

  /// Opens what spools there are, so that sequence numbers go on, and takes the checkpoint in.
  private func recover() async {
    guard !isRecovered else { return }
    do {
      for key in try await checkpoints.spools() { _ = await lane(key) }
      for pipeline in try await checkpoints.take()?.pipelines ?? [] { unclaimed[pipeline.key] = pipeline }
      isRecovered = true
    } catch {
      logger.error("state of the last stop: \(error)")
      isRecovered = true
    }
  }

  /// Gives a pipeline the state that it had at the last clean stop. Where its stages have changed since, the windows
  /// that were open are put out as they were.
  private func resume(_ run: PipelineRun, _ touched: inout [SinkLane]) {
    guard let saved = unclaimed.removeValue(forKey: run.key) else { return }
    do {
      let specification = try PipelineSpecification(json: saved.spec)
      guard specification.stages != run.specification.stages else { return try restore(saved, into: run) }
      let former = PipelineRun(
        key: run.key, spec: saved.spec, specification: specification, lanes: run.lanes, catalogue: catalogue)
      try restore(saved, into: former)
      end(former, &touched)
    } catch {
      logger.error("pipeline \(run.key): windows open at the last stop are lost: \(error)")
    }
  }

  private func restore(_ saved: Checkpoint.Pipeline, into run: PipelineRun) throws(DecodingFault) {
    let admit = admission(to: run)
    for series in saved.series {
      var input = ByteReader(series.state)
      switch series.origin {
      case .made(let made): try run.core.restore(made, series.description, from: &input)
      case .point(let name):
        let point = points.id(of: name)
        let admission = admit(point)
        try run.core.restore(
          point, admission ?? PipelineCore.Admission(series.description), isTaken: admission != nil, from: &input)
      }
    }
  }
}
