import DeviceKit
import Documents
import Telemetry
import Testing

@Suite struct RedeliveryTests {
  private static let spec = #"{"stages": [], "to": [{"name": "cloud"}]}"#

  /// Five samples with times of their own, as a broker hands them over for the first or the second time.
  private static func samples(_ plant: Plant, at time: Int64, arrival: Int64, device: Int = 0) -> SampleBatch {
    var batch = SampleBatch()
    for number in 0..<5 {
      let value: Value = number == 4 ? .string("on") : .integer(Int64(number))
      batch.add(plant.point(device), value, at: time + Int64(number), arrival: arrival)
    }
    return batch
  }

  private static func start(
    _ folder: String, _ plant: Plant, _ clock: ManualClock, _ memory: MemorySink
  ) async throws -> TelemetryEngine {
    let engine = plant.engine(folder, [memory], clock)
    let sink = SinkDefinition(key: "default/cloud", spec: try JSONValue(parsing: #"{"memory": {}}"#))
    let pipeline = PipelineDefinition(key: "default/p", spec: try JSONValue(parsing: spec))
    await engine.apply(pipelines: [pipeline], sinks: [sink])
    return engine
  }

  private static func redelivered(_ engine: TelemetryEngine) async -> UInt64 {
    await engine.status().pipelines[0].stages.reduce(0) { $0 + ($1.counters.dropped["redelivered"] ?? 0) }
  }

  @Test func `what was under way when the link was lost is known when it comes again, however long the link was away`()
    async throws
  {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = try await Self.start(folder, plant, clock, memory)
      let sent = clock.now - 1_000_000_000
      // The loss is told while another device's samples, and then these, are still on their way.
      engine.link(isLost: true)
      await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now, device: 1))
      await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now))
      // Other sources go on for an hour.
      for minute in 1...60 {
        clock.advance(.seconds(60))
        await engine.ingest(Self.samples(plant, at: clock.now - 5, arrival: clock.now, device: minute + 1))
      }
      engine.link(isLost: false)
      clock.advance(.seconds(1))
      let before = await engine.status().pipelines[0].records
      await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now))
      #expect(await engine.status().pipelines[0].records == before)
      #expect(await Self.redelivered(engine) == 5)
      // What differs in its time is another sample.
      await engine.ingest(Self.samples(plant, at: sent + 10, arrival: clock.now))
      #expect(await engine.status().pipelines[0].records == before + 5)
      await engine.shutdown()
    }
  }

  @Test func `what was taken before a clean stop is known after it, whatever numbers points have then`() async throws {
    try await withFolder { folder in
      let (clock, memory) = (ManualClock(), MemorySink())
      let sent = clock.now - 1_000_000_000
      do {
        let plant = Plant()
        let engine = try await Self.start(folder, plant, clock, memory)
        await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now, device: 1))
        await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now, device: 2))
        await engine.shutdown()
      }
      for stop in 1...2 {
        let plant = Plant()
        _ = plant.point(2)
        let engine = try await Self.start(folder, plant, clock, memory)
        clock.advance(.seconds(1))
        await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now, device: 2))
        #expect(await Self.redelivered(engine) == 5, "start \(stop)")
        await engine.ingest(Self.samples(plant, at: sent, arrival: clock.now, device: 3))
        #expect(await Self.redelivered(engine) == (stop == 1 ? 5 : 10), "start \(stop)")
        await engine.shutdown()
      }
    }
  }
}
