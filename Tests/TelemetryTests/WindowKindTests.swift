import DeviceKit
import Documents
import Foundation
import SinkKit
import Telemetry
import Testing
import YAML

@Suite struct WindowKindTests {
  private static let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../docs/WINDOWS.md")

  @Test func `every example of the page on windows can be served`() throws {
    let text = try String(contentsOf: Self.docs, encoding: .utf8)
    let examples = text.split(separator: "```").filter { $0.hasPrefix("yaml\n") }.map { String($0.dropFirst(5)) }
    #expect(examples.count >= 8)
    for example in examples {
      let stage = try YAMLDocument.one(in: example)
      let spec = try PipelineSpecification(json: ["stages": [stage], "to": [["name": "s"]]])
      #expect(spec.stages.count == 1)
    }
    for function in PipelineSpecification.Function.allCases {
      #expect(text.contains("`\(function.rawValue)`"), "the page says what \(function.rawValue) is")
    }
  }

  @Test(arguments: [
    (#""window": {"hopping": {"size": "10s", "every": "20s"}}"#, "window.hopping.every"),
    (#""window": {"hopping": {"size": "10s", "every": "7ms"}}"#, "window.hopping.every"),
    (#""window": {"hopping": {"size": "1m"}}"#, "window.hopping.every"),
    (#""window": {"session": {"gap": "1m", "max": "1s"}}"#, "window.session.max"),
    (#""window": {"count": {"size": 0}}"#, "window.count.size"),
    (#""window": {"count": {"size": 1.5}}"#, "window.count.size"),
    (#""window": {"state": {"of": "value >"}}"#, "window.state.of"),
    (#""window": {"daily": "1h"}"#, "window.daily"),
    (#""window": {"tumbling": "1m", "count": {"size": 1}}"#, "window"),
    (#""window": {"tumbling": "169h"}"#, "window.tumbling"),
    (#""window": {"count": {"size": 5}}, "lateness": "1s""#, "lateness"),
    (#""window": {"sliding": {"size": "5s"}}, "late": "Correct""#, "late"),
    (#""window": {"tumbling": "1s"}, "late": "Maybe""#, "late"),
    (#""window": {"tumbling": "1s"}, "correctFor": "1s""#, "correctFor"),
    (#""window": {"tumbling": "1s"}, "late": "Correct", "correctFor": "1h""#, "correctFor"),
    (#""window": {"tumbling": "1s"}, "offset": "1s""#, "offset"),
    (#""window": {"session": {"gap": "1s"}}, "offset": "1s""#, "offset"),
    (#""window": {"session": {"gap": "1s"}}, "empty": "Emit""#, "empty"),
    (#""window": {"tumbling": "1s"}, "empty": "Maybe""#, "empty"),
    (#""window": {"tumbling": "1s"}, "time": "Later""#, "time"),
    (#""window": {"tumbling": "1s"}, "durationWhere": "value > 1""#, "durationWhere"),
    (#""window": {"tumbling": "1s"}, "by": ["line"]"#, "by[0]"),
    (#""window": {"tumbling": "1s"}, "by": ["device", "device"]"#, "by[1]"),
  ])
  func `an aggregate that cannot be served names its field`(aggregate: String, field: String) {
    let error = #expect(throws: SpecificationError.self) {
      try specification(#"{"aggregate": {\#(aggregate), "functions": ["mean"]}}"#)
    }
    #expect(error?.path == "spec.stages[0].aggregate.\(field)")
  }

  private func core(_ aggregate: String, _ functions: String = #""count""#) throws -> PipelineCore {
    PipelineCore(try specification(#"{"aggregate": {\#(aggregate), "functions": [\#(functions)]}}"#)) { _ in 0 }
  }

  private let start: Int64 = 1_800_000_000 * second

  @Test func `a group closes with its slowest series, or without one that is silent`() throws {
    let core = try core(#""window": {"tumbling": "10s"}, "by": ["label:line"]"#, #""count", "max""#)
    let series = (0..<3).map { index in
      SeriesDescription(
        node: "n", device: DeviceKey(namespace: "default", name: "d\(index)"), property: "p",
        labels: index < 2 ? ["line": "a"] : [:])
    }
    var rows = RecordRows()
    func take(_ index: Int, _ value: Int64, _ seconds: Int64) {
      var batch = SampleBatch()
      batch.add(PointID(index: UInt32(index)), .integer(value), at: start + seconds * second)
      core.process(batch, into: &rows) { PipelineCore.Admission(series[Int($0.index)]) }
    }
    take(0, 1, 1)
    take(1, 7, 2)
    take(2, 9, 2)
    take(0, 2, 30)
    #expect(rows.isEmpty, "the other series of the line has not come as far")
    take(1, 3, 9)
    take(1, 5, 12)
    #expect(rows.count == 1)
    #expect(rows.field(0) == .integer(3))
    #expect(rows.field(1) == .integer(7))
    #expect(rows.rows[0].windowStart == start)
    take(0, 2, 45)
    #expect(rows.count == 1)
    core.advance(to: start + 60 * second, into: &rows)
    #expect(rows.count == 4, "the silent series holds up nothing any more")
    #expect(core.windowCounters?.dropped == ["ungrouped": 1])
    #expect(core.windowCounters?.isBalanced == true)
  }

  @Test func `windows by arrival take what the source dates wrongly, and a clock that is set back loses none`() throws {
    let core = try core(#""window": {"tumbling": "10s"}, "time": "Processing""#)
    var rows = RecordRows()
    for arrival in [1, 2, 12, 3, 4, 23] as [Int64] {
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .number(1), at: 5 - arrival, arrival: start + arrival * second)
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
    }
    core.flush(into: &rows)
    #expect(rows.rows.map(\.windowStart) == [start, start + 10 * second, start + 20 * second])
    #expect((0..<3).map { rows.field($0) } == [.integer(2), .integer(3), .integer(1)])
  }

  @Test(arguments: [-3_600, -7, 7, 3_600] as [Int64])
  func `a clock that is set neither reopens, loses nor doubles a window`(jump: Int64) throws {
    let core = try core(#""window": {"tumbling": "10s"}, "lateness": "2s""#)
    var rows = RecordRows()
    var taken: Int64 = 0
    var offset: Int64 = 0
    // Point 0 is stamped by the gateway, point 1 by a source whose clock is an hour ahead.
    for tick in 0..<400 as Range<Int64> {
      if tick == 200 {
        core.clockStepped(by: jump * second, at: start + tick * second, into: &rows)
        offset = jump * second
      }
      let now = start + tick * second + offset
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .number(1), at: now)
      batch.add(PointID(index: 1), .number(1), at: start + (tick + 3_600) * second, arrival: now)
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      core.advance(to: now, into: &rows)
      taken += 2
    }
    core.flush(into: &rows)
    let windows = rows.rows.map { "\($0.slot) \($0.windowStart)" }
    #expect(Set(windows).count == windows.count, "none is put out twice")
    #expect((0..<rows.count).reduce(0) { $0 + Int64(rows.field($1)?.number ?? 0) } == taken)
    #expect(core.windowCounters?.dropped == [:])
    let second = rows.rows.indices.filter { rows.rows[$0].slot == 1 }
    #expect(second.count == 40)
    #expect(second.allSatisfy { rows.field($0) == .integer(10) }, "a source with its own clock notices nothing")
  }

  @Test func `a time that was wrong before the clock was set does not hold a series for ever`() throws {
    let core = try core(#""window": {"tumbling": "10s"}"#)
    var rows = RecordRows()
    for (time, arrival) in [(4_000_000_000, 100), (1_800_000_001, 1_800_000_001), (1_800_000_012, 1_800_000_012)]
      as [(Int64, Int64)]
    {
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .number(1), at: time * second, arrival: arrival * second)
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
    }
    core.flush(into: &rows)
    #expect(rows.rows.map(\.windowStart) == [4_000_000_000 * second, start, start + 10 * second])
    #expect(core.windowCounters?.dropped == [:])
  }

  @Test func `a long silence puts out a thousand empty windows and goes on`() throws {
    let core = try core(#""window": {"tumbling": "1s"}, "empty": "Last""#, #""count", "last""#)
    var rows = RecordRows()
    for seconds in [0, 100_000] as [Int64] {
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .string("on"), at: start + seconds * second)
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
    }
    core.flush(into: &rows)
    #expect((1_000...1_003).contains(rows.count))
    #expect(rows.rows.last?.windowStart == start + 100_000 * second)
    #expect((0..<rows.count).allSatisfy { rows.field($0 * 2 + 1) == .string("on") })
    #expect(rows.field(2) == .integer(0))
  }

  @Test(arguments: WindowReferenceTests.aggregates)
  func `state saved in the middle of windows of any kind goes on as if nothing had been`(aggregate: String) throws {
    let spec = try specification(
      #"{"aggregate": {\#(aggregate), "functions": \#(WindowReferenceTests.functions)}}"#)
    let whole = PipelineCore(spec) { _ in 0 }
    var part = PipelineCore(spec) { _ in 0 }
    var (expected, found) = (RecordRows(), RecordRows())
    let samples = WindowReferenceTests.samples(77, count: 500, texts: !aggregate.contains(#""of""#))
    for begin in stride(from: 0, to: samples.count, by: 50) {
      var batch = SampleBatch()
      for sample in samples[begin..<begin + 50] {
        batch.add(
          PointID(index: UInt32(sample.series)), sample.value, at: sample.time, quality: sample.quality,
          arrival: sample.time + 1)
      }
      let admit: (PointID) -> PipelineCore.Admission? = { .init(series: $0.index) }
      whole.process(batch, into: &expected, admit: admit)
      part.process(batch, into: &found, admit: admit)
      let restored = PipelineCore(spec) { _ in 0 }
      for (slot, point) in part.points.enumerated() {
        var state = ByteWriter()
        part.save(slot: slot, to: &state)
        guard !state.bytes.isEmpty else { continue }
        var input = ByteReader(state.bytes)
        try restored.restore(point, .init(series: point.index), isTaken: true, from: &input)
        #expect(input.isAtEnd)
      }
      part = restored
    }
    whole.flush(into: &expected)
    part.flush(into: &found)
    let width = whole.fields.count
    func lines(_ rows: RecordRows, _ core: PipelineCore) -> [String] {
      rows.rows.enumerated().map { index, row in
        "\(core.points[Int(row.slot)].index) \(row.windowStart) \(row.time) \((0..<width).map { rows.field(index * width + $0) })"
      }.sorted()
    }
    #expect(lines(found, part) == lines(expected, whole))
    #expect(expected.count > 5)
  }
}
