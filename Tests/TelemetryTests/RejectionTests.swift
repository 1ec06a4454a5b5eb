import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct RejectionTests {
  /// What a spool counts of five records of which the receiver rejects some.
  @Test(
    arguments: [
      (["outOfOrder": 2], ["outOfOrder": 2], 3), (["a": 1, "b": 4], ["a": 1, "b": 4], 0),
      // More than there are: nothing is counted twice.
      (["a": 4, "b": 4], ["a": 4, "b": 1], 0), (["a": -1], [:], 5),
    ] as [([String: Int], [String: UInt64], UInt64)])
  func `what the receiver rejects of a batch is dropped by cause, the rest delivered`(
    rejected: [String: Int], dropped: [String: UInt64], delivered: UInt64
  ) async throws {
    try await withFolder { folder in
      let (plant, clock) = (Plant(), ManualClock())
      let memory = MemorySink { _, _ in
        .deliveredExcept(rejected, SinkError(reason: "Rejected", message: "some were rejected"))
      }
      let engine = plant.engine(folder, [memory], clock)
      let pipeline = try JSONValue(parsing: #"{"to": [{"name": "cloud"}]}"#)
      await engine.apply(
        pipelines: [PipelineDefinition(key: "default/p", spec: pipeline)],
        sinks: [SinkDefinition(key: "default/cloud", spec: ["memory": [:]])])
      let running = Task { await engine.run() }
      var batch = SampleBatch()
      for index in 0..<5 { batch.add(plant.point(0), .integer(Int64(index)), at: clock.now) }
      await engine.ingest(batch)
      #expect(
        await eventually {
          clock.advance(.seconds(1))
          return await engine.status().sinks[0].spool.held == 0
        })
      let status = await engine.status().sinks[0]
      #expect(status.spool.dropped == dropped && status.spool.delivered == delivered)
      let number = dropped.values.reduce(0, +)
      #expect(status.lastError == nil, "the receiver takes what is sent")
      #expect(status.rejection?.records == (number > 0 ? number : nil))
      #expect(status.recentRejection == status.rejection)
      clock.advance(.seconds(600))
      #expect(await engine.status().sinks[0].recentRejection == nil, "ten minutes later it is history")
      await engine.shutdown()
      running.cancel()
      await running.value
    }
  }
}
