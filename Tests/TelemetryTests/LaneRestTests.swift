import DeviceKit
import Documents
import Telemetry
import Testing

/// A sink's lane with nothing to do is not looked after at every tick; what has to be done is done in time all the same.
@Suite struct LaneRestTests {
  private func pipeline(_ stages: String) throws -> PipelineDefinition {
    PipelineDefinition(
      key: "default/p", spec: try JSONValue(parsing: #"{"stages": [\#(stages)], "to": [{"name": "cloud"}]}"#))
  }

  private func batch(_ plant: Plant, _ clock: ManualClock) -> SampleBatch {
    var batch = SampleBatch()
    batch.add(plant.point(0), .integer(1), at: clock.now)
    return batch
  }

  @Test func `records that nobody fetches expire in time`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let engine = plant.engine(folder, [MemorySink()], clock)
      let sink = SinkDefinition(
        key: "default/cloud", spec: try JSONValue(parsing: #"{"memory": {}, "buffer": {"maxAge": "10m"}}"#))
      await engine.apply(pipelines: [try pipeline("")], sinks: [sink])
      await engine.apply(pipelines: [try pipeline("")], sinks: [])
      await engine.ingest(batch(plant, clock))
      for _ in 0..<3 { await engine.tick() }
      #expect(await engine.status().sinks.first?.spool.held == 1)
      clock.advance(.seconds(601))
      await engine.tick()
      #expect(await engine.status().sinks.first?.spool.dropped == ["expired": 1])
    }
  }

  @Test func `what a tick closes goes to disk with it`() async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let engine = plant.engine(folder, [MemorySink()], clock)
      let window = #"{"aggregate": {"window": {"tumbling": "100ms"}, "lateness": "0s", "functions": ["count"]}}"#
      await engine.apply(pipelines: [try pipeline(window)], sinks: [])
      // After a start windows are kept open for a while.
      clock.advance(.seconds(11))
      await engine.tick()
      await engine.ingest(batch(plant, clock))
      // Here the lane has nothing to do for a second.
      for _ in 0..<3 { await engine.tick() }
      clock.advance(.milliseconds(700))
      await engine.tick()
      // As after a kill.
      let next = plant.engine(folder, [MemorySink()], clock)
      await next.apply(pipelines: [try pipeline(window)], sinks: [])
      await next.tick()
      #expect(await next.status().sinks.first?.spool.recovered == 1)
    }
  }
}
