import DeviceKit
import Documents
import Foundation
import Logging
import SinkKit
import Synchronization
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(10))) struct EngineTests {
  private func pipeline(_ stages: String, sinks: [String] = ["cloud"], from: String = "{}") throws -> PipelineDefinition
  {
    let targets = sinks.map { #"{"name": "\#($0)"}"# }.joined(separator: ",")
    return PipelineDefinition(
      key: "default/p",
      spec: try JSONValue(parsing: #"{"from": \#(from), "stages": [\#(stages)], "to": [\#(targets)]}"#))
  }

  private func sink(_ extra: String = "", key: String = "default/cloud") throws -> SinkDefinition {
    SinkDefinition(
      key: key, spec: try JSONValue(parsing: #"{"memory": {}, "batch": {"maxSamples": 20, "maxDelay": "0s"}\#(extra)}"#)
    )
  }

  private let window = #"{"aggregate": {"window": {"tumbling": "10s"}, "functions": ["count"]}}"#

  /// Runs an engine while `body` runs; ends it without ``TelemetryEngine/shutdown()``, as a kill would.
  private func whileRunning(_ engine: TelemetryEngine, _ body: () async throws -> Void) async rethrows {
    let running = Task { await engine.run() }
    do { try await body() } catch {
      running.cancel()
      throw error
    }
    running.cancel()
    await running.value
  }

  private func balance(_ engine: TelemetryEngine) async {
    let status = await engine.status()
    for stage in status.pipelines.flatMap(\.stages) {
      let counters = stage.counters
      #expect(counters.input == counters.output + counters.droppedTotal + counters.held, "\(stage.name)")
    }
    for sink in status.sinks {
      let spool = sink.spool
      #expect(
        spool.recovered + spool.offered
          == spool.delivered + spool.quarantined + spool.corrupt + spool.droppedTotal + spool.held)
    }
  }

  @Test func `samples pass to the sink in order, numbered`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline("")], sinks: [try sink()])
      await whileRunning(engine) {
        for index in 0..<100 {
          var batch = SampleBatch()
          for device in 0..<3 { batch.add(plant.point(device), .integer(Int64(index)), at: clock.now) }
          batch.add(plant.point(0, namespace: "other"), .integer(0), at: clock.now)
          await engine.ingest(batch)
        }
        #expect(await eventually { memory.received.count == 300 })
        #expect(await eventually { await engine.status().sinks.first?.spool.held == 0 })
        for device in 0..<3 {
          let records = memory.received.filter { $0.series.device.name == "d\(device)" }
          #expect(records.map(\.sequence) == Array(1...100))
          #expect(records.map(\.fields[0].value) == (0..<100).map { .integer($0) })
        }
        await balance(engine)
      }
    }
  }

  @Test func `nothing is lost or doubled over a receiver that is down and kills in between`() async throws {
    try await withFolder { folder in
      let clock = ManualClock()
      let memory = MemorySink { _, _ in MemorySink.down }
      var sent = 0
      var generator = SplitMix64(seed: 1)
      for round in 0..<6 {
        let plant = Plant()
        let engine = plant.engine(folder, [memory], clock)
        await engine.apply(pipelines: [try pipeline("")], sinks: [try sink()])
        if round == 3 {
          memory.behave { records, call in call % 3 == 0 ? .delivered : MemorySink.down }
        }
        await whileRunning(engine) {
          for _ in 0..<20 {
            var batch = SampleBatch()
            for _ in 0..<Int.random(in: 1...30, using: &generator) {
              sent += 1
              batch.add(plant.point(0), .integer(Int64(sent)), at: clock.now)
            }
            await engine.ingest(batch)
            clock.advance(.milliseconds(20))
            await engine.tick()
          }
          await balance(engine)
        }
      }
      memory.behave { _, _ in .delivered }
      let engine = Plant().engine(folder, [memory], clock)
      await engine.apply(pipelines: [], sinks: [try sink()])
      await whileRunning(engine) {
        #expect(
          await eventually {
            clock.advance(.seconds(1))
            return memory.received.count >= sent
          })
      }
      #expect(memory.received.map(\.sequence) == Array(1...UInt64(sent)))
      #expect(memory.received.map(\.fields[0].value) == (1...sent).map { .integer(Int64($0)) })
    }
  }

  @Test func `a clean stop keeps open windows, a kill loses only those`() async throws {
    for isClean in [true, false] {
      try await withFolder { folder in
        let (clock, memory) = (ManualClock(), MemorySink())
        var count: Int64 = 0
        let base = clock.now
        for _ in 0..<4 {
          let plant = Plant()
          let engine = plant.engine(folder, [memory], clock)
          await engine.apply(pipelines: [try pipeline(window)], sinks: [try sink()])
          for _ in 0..<37 {
            var batch = SampleBatch()
            batch.add(plant.point(0), .integer(count), at: base + count * second)
            await engine.ingest(batch)
            count += 1
          }
          if isClean { await engine.shutdown() }
        }
        let engine = Plant().engine(folder, [memory], clock)
        await engine.apply(pipelines: [try pipeline(window)], sinks: [try sink()])
        clock.advance(.seconds(1_000))
        await whileRunning(engine) {
          let expected = isClean ? 15 : 14
          #expect(await eventually { memory.received.count >= expected })
          let counts = memory.received.compactMap { record -> Int64? in
            guard case .integer(let value) = record.fields[0].value else { return nil }
            return value
          }
          #expect(memory.received.map(\.sequence) == Array(1...UInt64(counts.count)))
          // 148 samples; the four kills find 7, 4, 1 and 8 of them in open windows.
          let total: Int64 = counts.reduce(0, +)
          #expect(total == (isClean ? 148 : 128))
        }
      }
    }
  }

  @Test func `windows that were open at a clean stop close although their device does not come back`() async throws {
    try await withFolder { folder in
      let (clock, memory) = (ManualClock(), MemorySink())
      let plant = Plant()
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline(window)], sinks: [try sink()])
      var batch = SampleBatch()
      batch.add(plant.point(0), .integer(1), at: clock.now)
      await engine.ingest(batch)
      await engine.shutdown()
      let empty = TelemetryEngine(
        directory: folder, node: "n1", points: PointTable(), sinks: [memory], describe: { _ in nil },
        range: { _ in nil },
        clock: clock.clock, logger: .init(label: "test"))
      await empty.apply(pipelines: [try pipeline(window)], sinks: [try sink()])
      clock.advance(.seconds(60))
      await whileRunning(empty) {
        #expect(await eventually { memory.received.count == 1 })
        #expect(memory.received.first?.series.unit == "Cel")
      }
    }
  }

  @Test func `a pipeline keeps the state of stages that are unchanged, and puts out what the others hold`()
    async throws
  {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      let sinks = [try sink()]
      func add(_ count: Int) async {
        var batch = SampleBatch()
        for _ in 0..<count { batch.add(plant.point(0), .integer(1), at: clock.now) }
        await engine.ingest(batch)
      }
      await engine.apply(pipelines: [try pipeline(window)], sinks: sinks)
      try await whileRunning(engine) {
        await add(2)
        await engine.apply(pipelines: [try pipeline(window)], sinks: sinks)
        await engine.apply(pipelines: [try pipeline(window, from: #"{"models": ["m"]}"#)], sinks: sinks)
        await add(3)
        #expect(await engine.status().pipelines[0].openWindows == 1)
        var wrong = try pipeline(window)
        wrong.spec["stages"] = [["nonsense": [:]]]
        await engine.apply(pipelines: [wrong], sinks: sinks)
        #expect(await engine.status().pipelines[0].problem?.path == "spec.stages[0].nonsense")
        await add(1)
        await engine.apply(pipelines: [try pipeline(#"{"dedup": {}}, \#(window)"#)], sinks: sinks)
        await add(4)
        #expect(await engine.status().pipelines[0].openWindows == 1, "the aggregate is the same stage as before")
        let longer = #"{"aggregate": {"window": {"tumbling": "20s"}, "functions": ["count"]}}"#
        await engine.apply(pipelines: [try pipeline(#"{"dedup": {}}, \#(longer)"#)], sinks: sinks)
        #expect(await eventually { memory.received.map(\.fields[0].value) == [.integer(7)] })
        await add(4)
        #expect(await engine.status().pipelines[0].openWindows == 0, "dedup knows what it has sent")
        await engine.apply(pipelines: [try pipeline(longer)], sinks: sinks)
        await add(2)
        await engine.apply(pipelines: [], sinks: sinks)
        #expect(await eventually { memory.received.map(\.fields[0].value) == [.integer(7), .integer(2)] })
        #expect(memory.received.map(\.sequence) == [1, 2])
        #expect(await engine.status().pipelines.isEmpty)
      }
    }
  }

  @Test func `labels that change take a series out, and its window with it`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      let from = #"{"selector": {"matchLabels": {"line": "a"}}}"#
      await engine.apply(pipelines: [try pipeline(window, from: from)], sinks: [try sink()])
      await whileRunning(engine) {
        var batch = SampleBatch()
        batch.add(plant.point(0), .integer(1), at: clock.now)
        await engine.ingest(batch)
        plant.labels.withLock { $0 = ["line": "b"] }
        await engine.invalidate([plant.point(0)])
        await engine.ingest(batch)
        #expect(await eventually { memory.received.count == 1 })
        #expect(memory.received.first?.series.labels == ["line": "a"])
        #expect(await engine.status().pipelines[0].openWindows == 0)
        await balance(engine)
      }
    }
  }

  @Test func `records wait for a sink that is defined later, and go on to a writer that replaces another`() async throws
  {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline("")], sinks: [])
      try await whileRunning(engine) {
        var batch = SampleBatch()
        batch.add(plant.point(0), .integer(1), at: clock.now)
        await engine.ingest(batch)
        #expect(await engine.status().pipelines[0].missingSinks == ["default/cloud"])
        await engine.apply(pipelines: [try pipeline("")], sinks: [try sink()])
        #expect(await eventually { memory.received.count == 1 })
        var changed = try sink()
        changed.revision = 1
        await engine.apply(pipelines: [try pipeline("")], sinks: [changed])
        await engine.ingest(batch)
        #expect(await eventually { memory.received.count == 2 })
        var wrong = try sink()
        wrong.spec["memory"] = nil
        await engine.apply(pipelines: [], sinks: [wrong])
        #expect(await engine.status().sinks[0].problem?.reason == "InvalidSpec")
      }
    }
  }

  @Test func `one record that is refused for good is set aside, the others arrive`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let memory = MemorySink { records, _ in
        records.contains { $0.sequence == 7 } ? .refused(SinkError(reason: "Poison", message: "seven")) : .delivered
      }
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline("")], sinks: [try sink()])
      try await whileRunning(engine) {
        var batch = SampleBatch()
        for index in 0..<50 { batch.add(plant.point(0), .integer(Int64(index)), at: clock.now) }
        await engine.ingest(batch)
        #expect(
          await eventually {
            clock.advance(.seconds(1))
            return memory.received.count == 49
          })
        #expect(memory.received.map(\.sequence) == (1...50).filter { $0 != 7 })
        #expect(await eventually { await engine.status().sinks[0].spool.quarantined == 1 })
        await balance(engine)
        let page = try #require(try await engine.quarantine(of: "default/cloud", limit: 9))
        #expect(page.records.map(\.record.sequence) == [7] && page.records[0].reason == "seven")
      }
    }
  }

  @Test func `a full spool that blocks holds its sources, and nothing is lost`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let memory = MemorySink { _, _ in MemorySink.down }
      let engine = plant.engine(folder, [memory], clock)
      let buffer = #", "buffer": {"maxBytes": "64Ki", "whenFull": "Block"}"#
      await engine.apply(pipelines: [try pipeline("")], sinks: [try sink(buffer)])
      await whileRunning(engine) {
        let source = Task {
          for index in 0..<400 {
            var batch = SampleBatch()
            for _ in 0..<50 { batch.add(plant.point(0), .integer(Int64(index)), at: clock.now) }
            await engine.ingest(batch)
          }
        }
        #expect(await eventually { await engine.status().sinks[0].spoolBytes > 50_000 })
        let before = await engine.status().pipelines[0].records
        #expect(before < 20_000)
        memory.behave { _, _ in .delivered }
        #expect(
          await eventually {
            clock.advance(.seconds(1))
            return memory.received.count == 20_000
          })
        await source.value
        #expect(memory.received.map(\.sequence) == Array(1...20_000))
        await balance(engine)
      }
    }
  }

  @Test func `a circuit opens after failures and a success closes it`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let memory = MemorySink { _, _ in .retry(SinkError(reason: "Down", message: "down"), after: nil) }
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline("")], sinks: [try sink()])
      await whileRunning(engine) {
        var batch = SampleBatch()
        batch.add(plant.point(0), .integer(1), at: clock.now)
        await engine.ingest(batch)
        #expect(
          await eventually {
            clock.advance(.seconds(1))
            return await engine.status().sinks[0].circuit == .open
          })
        #expect(await engine.status().sinks[0].lastError?.reason == "Down")
        let calls = memory.calls
        await engine.tick()
        #expect(memory.calls <= calls + 1, "the pause holds while the clock stands")
        memory.behave { _, _ in .delivered }
        #expect(
          await eventually {
            clock.advance(.seconds(1))
            return await engine.status().sinks[0].circuit == .closed
          })
        #expect(await engine.status().sinks[0].lastError == nil)
      }
    }
  }

  @Test func `one pipeline feeds two sinks, and a dead one does not hold the other`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let memory = MemorySink()
      let engine = plant.engine(folder, [memory], clock)
      await engine.apply(pipelines: [try pipeline("", sinks: ["cloud", "dead"])], sinks: [try sink()])
      await whileRunning(engine) {
        for _ in 0..<50 {
          var batch = SampleBatch()
          batch.add(plant.point(0), .integer(1), at: clock.now)
          await engine.ingest(batch)
        }
        #expect(await eventually { memory.received.count == 50 })
        let dead = await engine.status().sinks.first { $0.key == "default/dead" }
        #expect(dead?.spool.held == 50)
      }
    }
  }
}
