import DeviceKit
import Documents
import Foundation
import SinkKit
import Telemetry
import Testing

/// What is kept for local queries, against a plain list of the samples.
@Suite(.timeLimit(.minutes(5))) struct LocalQueryModelTests {
  private struct Sample: Equatable {
    var series: String
    var time: Int64
    var value: Value
  }

  private static let all = TelemetryQuery.Selection(namespace: "default")

  private func pipeline(_ stages: String = "") throws -> PipelineDefinition {
    PipelineDefinition(
      key: "default/p",
      spec: try JSONValue(parsing: #"{"localQuery": "Enabled", "stages": [\#(stages)], "to": [{"name": "cloud"}]}"#))
  }

  private func engine(
    _ folder: String, _ plant: Plant, _ clock: ManualClock, _ settings: LocalQuerySettings, stages: String = ""
  ) async throws -> TelemetryEngine {
    let engine = plant.engine(folder, [MemorySink()], clock)
    await engine.apply(pipelines: [try pipeline(stages)], sinks: [], localQuery: settings)
    return engine
  }

  /// All points of a query, page by page.
  private func points(_ engine: TelemetryEngine, _ query: TelemetryQuery) async throws -> [String: [TelemetryAnswer
    .Point]]
  {
    var found: [String: [TelemetryAnswer.Point]] = [:]
    var query = query
    while true {
      let answer = try await engine.answer(query)
      #expect(answer.series.reduce(0) { $0 + $1.points.count } <= query.limit)
      for series in answer.series {
        found[series.description.device.name + "/" + series.description.property, default: []] += series.points
      }
      guard let next = answer.next else { return found }
      query.after = next
    }
  }

  /// What the samples of a step come to, computed from all of them at once.
  private func joined(_ samples: [Sample], _ from: Int64, _ to: Int64, _ step: Int64) -> [String: [TelemetryAnswer
    .Point]]
  {
    var result: [String: [TelemetryAnswer.Point]] = [:]
    for (series, samples) in Dictionary(grouping: samples, by: \.series) {
      let inside = samples.filter { $0.time >= from && $0.time < to }
      for (start, members) in Dictionary(grouping: inside, by: { $0.time / step * step }).sorted(by: { $0.key < $1.key }
      ) {
        let numbers = members.compactMap(\.value.number)
        guard let least = members.min(by: { ($0.value.number ?? 0) < ($1.value.number ?? 0) })?.value,
          let most = members.max(by: { ($0.value.number ?? 0) < ($1.value.number ?? 0) })?.value
        else { continue }
        let mean = numbers.count == 1 ? members[0].value : .number(numbers.reduce(0, +) / Double(numbers.count))
        result[series, default: []].append(
          TelemetryAnswer.Point(time: start, values: [mean, least, most, .integer(Int64(numbers.count))]))
      }
    }
    return result
  }

  private func tear(_ folder: String, by bytes: Int) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".segment") }.sorted()
    let url = URL(fileURLWithPath: "\(folder)/\(try #require(names.last))")
    let content = try Data(contentsOf: url)
    try content.prefix(max(40, content.count - bytes)).write(to: url)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `queries say what a list of all samples says, over kills, torn ends and age`(seed: UInt64)
    async throws
  {
    try await withFolder { folder in
      var generator = SplitMix64(seed: seed)
      let clock = ManualClock()
      var settings = LocalQuerySettings()
      settings.maxAge = .seconds(1_800)
      var plant = Plant()
      var engine = try await self.engine(folder, plant, clock, settings)
      var model: [Sample] = []
      for _ in 0..<60 {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5:
          var batch = SampleBatch()
          for _ in 0..<Int.random(in: 1...400, using: &generator) {
            clock.advance(.milliseconds(Int.random(in: 1...300, using: &generator)))
            let device = Int.random(in: 0..<3, using: &generator)
            // Integers and halves add up without rounding.
            let value =
              Bool.random(using: &generator)
              ? Value.integer(.random(in: -1_000...1_000, using: &generator))
              : .number(Double(Int.random(in: -999...999, using: &generator)) + 0.5)
            batch.add(plant.point(device, property: "p\(device % 2)"), value, at: clock.now)
            model.append(Sample(series: "d\(device)/p\(device % 2)", time: clock.now, value: value))
          }
          await engine.ingest(batch)
        case 5:
          // What is in memory is lost with a kill; a query has it written.
          _ = try await engine.keptSeries(Self.all, limit: 1)
          plant = Plant()
          engine = try await self.engine(folder, plant, clock, settings)
        case 6:
          await engine.shutdown()
          try tear("\(folder)/history", by: Int.random(in: 1...2_000, using: &generator))
          plant = Plant()
          engine = try await self.engine(folder, plant, clock, settings)
          let left = try await points(engine, everything(clock))
          for (series, samples) in Dictionary(grouping: model, by: \.series) {
            let young = samples.filter { $0.time >= clock.now - 1_800 * second }
            let kept = left[series] ?? []
            #expect(kept.map(\.time) == young.prefix(kept.count).map(\.time), "only an end is lost")
            let gone = Set(young.dropFirst(kept.count).map(\.time))
            model.removeAll { $0.series == series && gone.contains($0.time) }
          }
        case 7: clock.advance(.seconds(Int.random(in: 1...900, using: &generator)))
        default:
          let end = clock.now + second - Int64.random(in: 0...600, using: &generator) * second
          let start = end - Int64.random(in: 1...2_400, using: &generator) * second
          let step = Int64.random(in: 1...120, using: &generator)
          var query = TelemetryQuery(
            selection: Self.all, start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: end),
            step: .seconds(step), limit: Int.random(in: 2_500...5_000, using: &generator))
          let from = max(start, clock.now - 1_800 * second)
          #expect(try await points(engine, query) == joined(model, from, end, step * second))
          query.step = nil
          query.limit = Int.random(in: 20...2_000, using: &generator)
          let raw = try await points(engine, query)
          for (series, samples) in Dictionary(grouping: model, by: \.series) {
            let inside = samples.filter { $0.time >= from && $0.time < end }
            #expect((raw[series] ?? []).map(\.time) == inside.map(\.time))
            #expect((raw[series] ?? []).map(\.values) == inside.map { [$0.value] })
          }
        }
        let status = await engine.status().historian
        #expect(status.recovered + status.offered == status.held + status.dropped.values.reduce(0, +))
      }
    }
  }

  private func everything(_ clock: ManualClock) -> TelemetryQuery {
    TelemetryQuery(
      selection: Self.all, start: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: clock.now + 1), limit: 20_000)
  }

  @Test func `beyond its bytes the log lets go of its oldest records, and counts them`() async throws {
    try await withFolder { folder in
      let (clock, plant) = (ManualClock(), Plant())
      var settings = LocalQuerySettings()
      settings.maxBytes = 64 << 10
      let engine = try await self.engine(folder, plant, clock, settings)
      var generator = SplitMix64(seed: 9)
      var times: [Int64] = []
      for _ in 0..<40 {
        var batch = SampleBatch()
        for _ in 0..<500 {
          clock.advance(.milliseconds(10))
          times.append(clock.now)
          batch.add(plant.point(0), .number(.random(in: 0...1, using: &generator)), at: clock.now)
        }
        await engine.ingest(batch)
        _ = try await engine.keptSeries(Self.all, limit: 1)
        #expect(await engine.status().historian.bytes <= settings.maxBytes)
      }
      let kept = try await points(engine, everything(clock))["d0/temperature"] ?? []
      let status = await engine.status().historian
      #expect(kept.map(\.time) == times.suffix(kept.count) && kept.count > 2_000 && kept.count < 20_000)
      #expect(status.dropped == ["size": UInt64(times.count - kept.count)] && status.held == UInt64(kept.count))
    }
  }

  @Test func `what a gateway keeps for a shorter time goes from the disk too`() async throws {
    try await withFolder { folder in
      let (clock, plant) = (ManualClock(), Plant())
      var settings = LocalQuerySettings()
      settings.maxAge = .seconds(600)
      let engine = try await self.engine(folder, plant, clock, settings)
      for _ in 0..<200 {
        var batch = SampleBatch()
        batch.add(plant.point(0), .integer(1), at: clock.now)
        await engine.ingest(batch)
        _ = try await engine.keptSeries(Self.all, limit: 1)
        clock.advance(.seconds(10))
      }
      let status = await engine.status().historian
      // Of 2,000 seconds 600 are kept, and what stands in a segment with them.
      #expect(status.held < 80 && status.dropped["age"] == status.offered - status.held)
      await engine.apply(
        pipelines: [try pipeline()], sinks: [],
        localQuery: { () in
          var nothing = LocalQuerySettings()
          nothing.keep = .nothing
          return nothing
        }())
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/history") == [])
      await #expect(throws: QueryProblem.keepsNothing) { try await engine.keptSeries(Self.all, limit: 1) }
    }
  }
}
