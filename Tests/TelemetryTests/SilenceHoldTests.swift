import DeviceKit
import Documents
import Foundation
import Telemetry
import Testing

@Suite struct SilenceHoldTests {
  @Test func `windows of silent series stay open while a link is lost, and a while after it is back`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      let window = #"{"aggregate": {"window": {"tumbling": "2s"}, "functions": ["count"]}}"#
      let spec = try JSONValue(parsing: #"{"stages": [\#(window)], "to": [{"name": "cloud"}]}"#)
      await engine.apply(pipelines: [PipelineDefinition(key: "default/p", spec: spec)], sinks: [])
      func openWindows() async -> Int { await engine.status().pipelines[0].openWindows }
      func add() async {
        var batch = SampleBatch()
        batch.add(plant.point(0), .integer(1), at: clock.now)
        await engine.ingest(batch)
      }
      await add()
      clock.advance(.seconds(8))
      await engine.tick()
      #expect(await openWindows() == 1, "what a broker has kept comes after the start")
      clock.advance(.seconds(3))
      await engine.tick()
      #expect(await openWindows() == 0)

      await add()
      engine.link(isLost: true)
      clock.advance(.seconds(30))
      await engine.tick()
      #expect(await openWindows() == 1)
      engine.link(isLost: false)
      await engine.tick()
      clock.advance(.seconds(9))
      await engine.tick()
      #expect(await openWindows() == 1)
      clock.advance(.seconds(2))
      await engine.tick()
      #expect(await openWindows() == 0)

      await add()
      engine.link(isLost: true)
      await engine.tick()
      clock.advance(.seconds(61))
      await engine.tick()
      #expect(await openWindows() == 0, "a link that does not come back keeps nothing open for ever")
    }
  }
}
