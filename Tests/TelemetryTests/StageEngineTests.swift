import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

/// Stages that make series, keep samples back and tell alarms, in a whole engine.
@Suite(.timeLimit(.minutes(10))) struct StageEngineTests {
  private func apply(_ engine: TelemetryEngine, _ stages: String) async throws {
    let pipeline = try JSONValue(parsing: #"{"stages": [\#(stages)], "to": [{"name": "cloud"}]}"#)
    let sink = try JSONValue(parsing: #"{"memory": {}, "batch": {"maxSamples": 20, "maxDelay": "0s"}}"#)
    await engine.apply(
      pipelines: [PipelineDefinition(key: "default/p", spec: pipeline)],
      sinks: [SinkDefinition(key: "default/cloud", spec: sink)])
  }

  @Test func `made series and alarms reach the receiver and people, numbered by themselves`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let engine = plant.engine(folder, [memory], clock)
      try await apply(
        engine,
        #"{"derive": {"name": "double", "unit": "K", "expression": "2 * temperature"}}, {"alarm": {"name": "hot", "above": 80}}, {"filter": {"where": "property != 'temperature'"}}"#
      )
      let running = Task { await engine.run() }
      for (index, value) in [50.0, 90, 60].enumerated() {
        var batch = SampleBatch()
        batch.add(plant.point(1), .number(value), at: clock.now + Int64(index))
        await engine.ingest(batch)
      }
      // The derived 100 is hot at once; 90 makes both so, 60 clears the temperature's alarm.
      #expect(await eventually { memory.received.count == 6 })
      var told: [String] = []
      for await transition in engine.alarms {
        told.append("\(transition.series.property) \(transition.isRaised)")
        if told.count == 3 { break }
      }
      #expect(told == ["double true", "temperature true", "temperature false"])
      await engine.shutdown()
      await running.value
      let received = memory.received
      func of(_ property: String) -> [TelemetryRecord] { received.filter { $0.series.property == property } }
      #expect(of("double").map { $0.fields[0].value } == [.number(100), .number(180), .number(120)])
      #expect(of("double").map(\.sequence) == [1, 2, 3])
      #expect(of("double").allSatisfy { $0.series.unit == "K" && $0.series.labels == ["line": "a"] })
      #expect(of("temperature-hot").map { $0.fields[0].value } == [.boolean(true), .boolean(false)])
      #expect(of("double-hot").count == 1)
    }
  }

  @Test func `what a swinging door keeps back leaves at a clean stop, and the door goes on from it`() async throws {
    try await withFolder { folder in
      let (plant, clock, memory) = (Plant(), ManualClock(), MemorySink())
      let start = clock.now
      for round in 0..<2 {
        let engine = plant.engine(folder, [memory], clock)
        try await apply(engine, #"{"swingingDoor": {"deviation": 1}}"#)
        let running = Task { await engine.run() }
        var batch = SampleBatch()
        for index in 0..<10 {
          let step = Int64(round * 10 + index)
          batch.add(plant.point(1), .integer(step), at: start + step * second)
        }
        await engine.ingest(batch)
        await engine.shutdown()
        await running.value
      }
      let engine = plant.engine(folder, [memory], clock)
      try await apply(engine, "")
      let running = Task { await engine.run() }
      // The first of all, and the last of each run.
      #expect(await eventually { memory.received.count == 3 })
      #expect(memory.received.map { $0.fields[0].value } == [.integer(0), .integer(9), .integer(19)])
      await engine.shutdown()
      await running.value
    }
  }
}
