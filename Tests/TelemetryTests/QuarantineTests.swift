import DeviceKit
import Documents
import Foundation
import SinkKit
import Synchronization
import Telemetry
import Testing

/// Records that a receiver refuses for good: set aside, shown, tried again, dropped.
@Suite(.timeLimit(.minutes(2))) struct QuarantineTests {
  private static let sink = "default/cloud"

  /// A receiver that refuses odd numbers until it is told otherwise.
  private func picky() -> MemorySink {
    MemorySink { records, _ in
      records.contains { $0.sequence % 2 == 1 }
        ? .refused(SinkError(reason: "Odd", message: "no odd ones")) : .delivered
    }
  }

  private func engine(
    _ folder: String, _ memory: MemorySink, _ clock: ManualClock, _ plant: Plant, _ batch: String = ""
  )
    async throws -> TelemetryEngine
  {
    let engine = plant.engine(folder, [memory], clock)
    let spec = try JSONValue(parsing: #"{"memory": {}, "batch": {"maxDelay": "0s"\#(batch)}}"#)
    await engine.apply(
      pipelines: [PipelineDefinition(key: "default/p", spec: ["to": [["name": "cloud"]]])],
      sinks: [SinkDefinition(key: Self.sink, spec: spec)])
    return engine
  }

  private func whileRunning(_ engine: TelemetryEngine, _ body: () async throws -> Void) async rethrows {
    let running = Task { await engine.run() }
    defer { running.cancel() }
    try await body()
  }

  private func send(_ count: Int, _ engine: TelemetryEngine, _ plant: Plant, _ clock: ManualClock) async {
    var batch = SampleBatch()
    for index in 0..<count {
      batch.add(plant.point(0), index == 0 ? .string("x") : .number(Double(index) / 3), at: clock.now)
    }
    await engine.ingest(batch)
  }

  private func settled(_ engine: TelemetryEngine, _ clock: ManualClock) async -> Bool {
    await eventually {
      clock.advance(.seconds(1))
      let sink = await engine.status().sinks[0]
      return sink.spool.held == 0 && sink.quarantine.waiting == 0
    }
  }

  @Test func `what is refused is shown as it was, over a restart, and goes out when it is tried again`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), picky())
      var engine = try await self.engine(folder, memory, clock, plant)
      try await whileRunning(engine) {
        await send(6, engine, plant, clock)
        #expect(await settled(engine, clock))
        #expect(memory.received.map(\.sequence) == [2, 4, 6])
        #expect(await engine.status().sinks[0].lastError == nil, "one record's refusal says nothing of the others")
        // As often as it is asked for, it is tried again, and stays.
        #expect(await engine.retryQuarantined(of: Self.sink, [2]) == 1)
        #expect(await settled(engine, clock))
        let page = try #require(try await engine.quarantine(of: Self.sink, limit: 2))
        #expect(page.records.map(\.id) == [1, 2] && page.next == 2 && page.status.held == 3)
        #expect(page.records.map(\.retries) == [0, 1])
      }
      await engine.shutdown()
      engine = try await self.engine(folder, memory, clock, Plant())
      let page = try #require(try await engine.quarantine(of: Self.sink, after: 0, limit: 10))
      #expect(page.records.map(\.record.sequence) == [1, 3, 5] && page.next == nil)
      #expect(page.records[0].record.fields == [.init(name: "value", value: .string("x"))])
      #expect(page.records[1].record.fields == [.init(name: "value", value: .number(2.0 / 3))])
      #expect(
        page.records[0].record.series == plant.describe(plant.point(0)) && page.records[0].reason == "no odd ones")
      #expect(page.records[1].retries == 1)
      memory.behave { _, _ in .delivered }
      try await whileRunning(engine) {
        let dropped = try await engine.dropQuarantined(of: Self.sink, [3, 99])
        #expect(dropped == 1)
        #expect(await engine.retryQuarantined(of: Self.sink) == 2)
        #expect(await settled(engine, clock))
        #expect(await eventually { await engine.status().sinks[0].quarantine.held == 0 })
        #expect(memory.received.map(\.sequence) == [2, 4, 6, 1, 3])
        let status = await engine.status().sinks[0].quarantine
        #expect(status.delivered == 2 && status.dropped == 1 && status.bytes == 0)
      }
      #expect(try await engine.quarantine(of: "default/nobody", limit: 1) == nil)
      #expect(await engine.retryQuarantined(of: "default/nobody") == nil)
    }
  }

  @Test(arguments: [1, 2, 5]) func `as many equal refusals as the Sink says set a record aside`(count: Int) async throws
  {
    try await withFolder { folder in
      let calls = Mutex(0)
      let memory = MemorySink { _, _ in
        calls.withLock { $0 += 1 }
        return .refused(SinkError(reason: "No", message: "no"))
      }
      let (plant, clock) = (Plant(), ManualClock())
      let engine = try await self.engine(folder, memory, clock, plant, ", \"poisonAfter\": \(count)")
      await whileRunning(engine) {
        await send(1, engine, plant, clock)
        #expect(await settled(engine, clock))
      }
      #expect(calls.withLock { $0 } == count)
    }
  }

  @Test func `a receiver that is away keeps the retries waiting, and what waits is not lost with them`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), picky())
      let engine = try await self.engine(folder, memory, clock, plant)
      await whileRunning(engine) {
        await send(1, engine, plant, clock)
        #expect(await settled(engine, clock))
        memory.behave { _, _ in MemorySink.down }
        _ = await engine.retryQuarantined(of: Self.sink)
        await send(1, engine, plant, clock)
        #expect(
          await eventually {
            clock.advance(.seconds(60))
            return await engine.status().sinks[0].circuit != .closed
          })
        #expect(await engine.status().sinks[0].quarantine.waiting == 1)
        memory.behave { _, _ in .delivered }
        #expect(await settled(engine, clock))
        #expect(memory.received.map(\.sequence) == [1, 2])
      }
    }
  }

  @Test(
    arguments: [
      (#""batch": {"poisonAfter": 0}"#, "spec.batch.poisonAfter"),
      (#""batch": {"poisonAfter": 1.5}"#, "spec.batch.poisonAfter"),
      (#""buffer": {"syncInterval": "99ms"}"#, "spec.buffer.syncInterval"),
      (#""buffer": {"syncInterval": "2m"}"#, "spec.buffer.syncInterval"),
    ]) func `bounds that cannot be are refused by their field`(text: String, path: String) throws
  {
    let json = try JSONValue(parsing: "{\"memory\": {}, \(text)}")
    let error = #expect(throws: SpecificationError.self) { try SinkSpecification(json: json, plugins: ["memory"]) }
    #expect(error?.path == path)
  }

  @Test func `the log of a quarantine is what a plain list is, over reopening, torn ends and rewriting`() throws {
    try withFolder { folder in
      var generator = SplitMix64(seed: 5)
      var log = QuarantineLog(directory: folder, limit: 20_000)
      try log.open()
      var model: [(id: UInt64, sequence: UInt64)] = []
      var next: UInt64 = 1
      var displaced: UInt64 = 0
      for round in 0..<400 {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0..<3:
          let record = TelemetryRecord(
            series: SeriesDescription(node: "n", device: DeviceKey(namespace: "a", name: "d"), property: "p"),
            pipeline: "a/p", sequence: UInt64(round), time: Timestamp(seconds: 1), quality: .good,
            fields: [.init(name: "value", value: .string(String(repeating: "x", count: round)))])
          try log.add([record], reason: "no", at: Timestamp(seconds: 2))
          // The same once more, as after a crash between two steps.
          try log.add([record], reason: "no", at: Timestamp(seconds: 2))
          model.append((next, UInt64(round)))
          next += 1
          displaced += UInt64(model.count - log.count)
          model.removeFirst(model.count - log.count)
          #expect(log.bytes <= 20_000)
        case 3:
          let gone = model.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 }.map(\.id)
          #expect(try log.remove(gone + [9_999]) == gone.count)
          model.removeAll { gone.contains($0.id) }
        case 4:
          guard let one = model.randomElement(using: &generator), var record = try log.record(one.id) else { break }
          record.retries += 1
          try log.note(record)
        default:
          let before = log.displaced
          log = QuarantineLog(directory: folder, limit: 20_000)
          if Bool.random(using: &generator), FileManager.default.fileExists(atPath: log.path) {
            // Half of an entry that was never done.
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log.path))
            try handle.seekToEnd()
            try handle.write(contentsOf: [0x5E, 0xE5, 0xA7, 0x1D, 9, 0])
            try handle.close()
          }
          try log.open()
          displaced -= before
        }
        #expect(log.ids == model.map(\.id) && log.displaced == displaced)
        let records = try log.records(after: 0, limit: 1_000)
        #expect(records.map(\.record.sequence) == model.map(\.sequence))
      }
      #expect(next > 150)
    }
  }
}
