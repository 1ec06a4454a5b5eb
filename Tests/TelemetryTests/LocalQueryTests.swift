import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

/// Local queries of windows: which are kept, and how they are joined in steps.
@Suite(.timeLimit(.minutes(2))) struct LocalQueryTests {
  private let base: Int64 = 1_800_000_000

  private func definition(_ stages: String, _ extra: String = "", name: String = "p") throws -> PipelineDefinition {
    PipelineDefinition(
      key: "default/\(name)",
      spec: try JSONValue(parsing: #"{\#(extra) "stages": [\#(stages)], "to": [{"name": "cloud"}]}"#))
  }

  private func window(_ window: String, _ functions: [String], _ extra: String = "") -> String {
    let names = functions.map { "\"\($0)\"" }.joined(separator: ",")
    return #"{"aggregate": {"window": \#(window), "functions": [\#(names)]\#(extra)}}"#
  }

  /// What an engine with these stages keeps of samples a second apart, the last of which closes the windows.
  private func query(
    _ stages: String, _ values: [Value], fields: [String] = [], step: Duration?, limit: Int = 2_000
  ) async throws -> TelemetryAnswer {
    try await withFolder { folder in
      let (clock, plant) = (ManualClock(base), Plant())
      let engine = plant.engine(folder, [MemorySink()], clock)
      await engine.apply(pipelines: [try definition(stages)], sinks: [])
      var batch = SampleBatch()
      for (index, value) in values.enumerated() {
        batch.add(plant.point(0), value, at: (base + Int64(index)) * second)
      }
      batch.add(plant.point(0), .integer(0), at: (base + 5_000) * second)
      await engine.ingest(batch)
      clock.advance(.seconds(values.count + 1))
      return try await engine.answer(
        TelemetryQuery(
          selection: .init(namespace: "default"), fields: fields, start: Timestamp(seconds: base),
          end: Timestamp(seconds: base + Int64(values.count)), step: step, limit: limit))
    }
  }

  private let ramp: [Value] = (0..<600).map { .integer($0 % 37) }

  @Test func `steps of windows say what one window of their length would have said`() async throws {
    let functions = ["mean", "min", "max", "sum", "count", "first", "last", "increase"]
    let joined = try await query(window(#"{"tumbling": "10s"}"#, functions), ramp, step: .seconds(60))
    let whole = try await query(window(#"{"tumbling": "60s"}"#, functions), ramp, step: nil)
    #expect(joined.series.map(\.points) == whole.series.map(\.points) && joined.series[0].points.count == 10)
    #expect(joined.series[0].approximate == [] && joined.series[0].fields == functions)
  }

  @Test(arguments: [(["mean", "count"], [String]()), (["mean"], ["mean"])])
  func `a mean is weighed by the count, and said to be approximate without one`(
    functions: [String], approximate: [String]
  ) async throws {
    // The step's last window holds fewer samples.
    let values = ramp.prefix(52).map { $0 }
    let answer = try await query(
      window(#"{"tumbling": "10s"}"#, functions), values, fields: ["mean"], step: .seconds(60))
    let numbers = values.compactMap(\.number)
    let mean = try #require(answer.series.first?.points.first?.values[0]?.number)
    let exact = numbers.reduce(0, +) / Double(numbers.count)
    #expect((abs(mean - exact) < 1e-9) == approximate.isEmpty && abs(mean - exact) < 5)
    #expect(answer.series[0].approximate == approximate)
  }

  @Test func `of windows that overlap those count that follow one another`() async throws {
    let hopping = try await query(
      window(#"{"hopping": {"size": "30s", "every": "10s"}}"#, ["sum", "count"]), ramp, step: .seconds(60))
    let whole = try await query(window(#"{"tumbling": "60s"}"#, ["sum", "count"]), ramp, step: nil)
    #expect(hopping.series[0].points == whole.series[0].points)
  }

  @Test func `a corrected window takes the place of those before it`() async throws {
    try await withFolder { folder in
      let (clock, plant) = (ManualClock(base), Plant())
      let engine = plant.engine(folder, [MemorySink()], clock)
      let stages = window(#"{"tumbling": "10s"}"#, ["sum", "count"], #", "late": "Correct", "correctFor": "10m""#)
      await engine.apply(pipelines: [try definition(stages)], sinks: [])
      func add(_ seconds: [Int64]) async {
        var batch = SampleBatch()
        for time in seconds { batch.add(plant.point(0), .integer(1), at: (base + time) * second, arrival: clock.now) }
        await engine.ingest(batch)
        // Longer than a gateway waits after its start for what was on its way.
        clock.advance(.seconds(20))
        await engine.tick()
      }
      await add([0, 5, 11, 12, 25])
      await add([31, 7, 13, 14])
      await add([8])
      let answer = try await engine.answer(
        TelemetryQuery(
          selection: .init(namespace: "default"), start: Timestamp(seconds: base), end: Timestamp(seconds: base + 30),
          step: .seconds(30)))
      let points = try #require(answer.series.first?.points)
      #expect(points.map(\.values) == [[.integer(9), .integer(9)]])
      #expect(answer.series[0].fields == ["sum", "count"], "a revision has no meaning in a step")
    }
  }

  @Test(
    arguments: [
      ("Windows", "", false, true), ("Everything", "", true, true), ("Nothing", "", false, false),
      ("Windows", #""localQuery": "Enabled","#, true, true), ("Windows", #""localQuery": "Disabled","#, false, false),
      ("Nothing", #""localQuery": "Enabled","#, false, false),
    ]) func `the Gateway and the Pipeline say what is kept`(
      keep: String, wish: String, keepsSamples: Bool, keepsWindows: Bool
    ) async throws
  {
    let settings = try LocalQuerySettings(json: ["keep": .string(keep)])
    let samples = try PipelineSpecification(json: try definition("", wish).spec)
    let windows = try PipelineSpecification(json: try definition(window(#"{"tumbling": "1s"}"#, ["mean"]), wish).spec)
    #expect(settings.keeps(samples) == keepsSamples && settings.keeps(windows) == keepsWindows)
  }

  @Test(
    arguments: [
      (#"{"keep": "All"}"#, "spec.localQuery.keep"), (#"{"maxBytes": "4Ki"}"#, "spec.localQuery.maxBytes"),
      (#"{"maxAge": "0s"}"#, "spec.localQuery.maxAge"), (#"{"age": "1h"}"#, "spec.localQuery.age"),
    ]) func `settings that cannot be are refused by their field`(text: String, path: String) throws
  {
    let json = try JSONValue(parsing: text)
    let error = #expect(throws: SpecificationError.self) { try LocalQuerySettings(json: json) }
    #expect(error?.path == path)
  }

  @Test(
    arguments: [
      (["p95"], Duration.seconds(60), 0, 3_600, 2_000, "field"), ([], .seconds(1), 0, 3_600, 2_000, "step"),
      ([], .microseconds(1), 0, 1, 2_000, "step"), ([], .seconds(60), 10, 10, 2_000, "start"),
      ([], .seconds(60), 0, 10, 0, "limit"), ([], .seconds(60), 0, 10, 20_001, "limit"),
    ] as [([String], Duration, Int64, Int64, Int, String)])
  func `a query that cannot be is refused by its parameter`(
    fields: [String], step: Duration, start: Int64, end: Int64, limit: Int, parameter: String
  ) async throws {
    try await withFolder { folder in
      let engine = Plant().engine(folder, [MemorySink()], ManualClock(base))
      await engine.apply(pipelines: [], sinks: [])
      let query = TelemetryQuery(
        selection: .init(namespace: "default"), fields: fields, start: Timestamp(seconds: base + start),
        end: Timestamp(seconds: base + end), step: step, limit: limit)
      let problem = await #expect(throws: QueryProblem.self) { try await engine.answer(query) }
      var named: String?
      if case .invalid(let parameter, _)? = problem { named = parameter }
      #expect(named == parameter, "\(String(describing: problem))")
    }
  }

  @Test func `series are found by patterns and told in pages, and one namespace does not see another's`() async throws {
    try await withFolder { folder in
      let (clock, plant) = (ManualClock(base), Plant())
      let engine = plant.engine(folder, [MemorySink()], clock)
      let stages = window(#"{"count": {"size": 1}}"#, ["mean", "count"])
      await engine.apply(pipelines: [try definition(stages, name: "a"), try definition(stages, name: "b")], sinks: [])
      var batch = SampleBatch()
      for device in 0..<12 { batch.add(plant.point(device, property: "t\(device % 2)"), .integer(1), at: clock.now) }
      batch.add(plant.point(0, namespace: "other"), .integer(1), at: clock.now)
      await engine.ingest(batch)
      var found: [String] = []
      var next: String?
      repeat {
        let page = try await engine.keptSeries(
          .init(namespace: "default", pipeline: Glob("a"), device: Glob("d1*")), limit: 2, after: next)
        #expect(page.series.count <= 2)
        found += page.series.map { "\($0.pipeline) \($0.description.device.name)/\($0.description.property)" }
        #expect(page.series.allSatisfy { $0.fields == ["mean", "count"] && $0.description.unit == "Cel" })
        next = page.next
      } while next != nil
      #expect(found == ["default/a d1/t1", "default/a d10/t0", "default/a d11/t1"])
      #expect(try await engine.keptSeries(.init(namespace: "other"), limit: 9).series.isEmpty)
      await #expect(throws: QueryProblem.self) {
        try await engine.keptSeries(.init(namespace: "default"), limit: 9, after: "szz")
      }
    }
  }
}
