import DeviceKit
import Documents
import Telemetry
import Testing

/// Windows by the book: all samples are kept and aggregated when their window closes.
private struct ReferenceWindows {
  struct Key: Hashable {
    var point: UInt32
    var start: Int64
  }
  var size: Int64
  var lateness: Int64
  var watermarks: [UInt32: Int64] = [:]
  var open: [Key: [(time: Int64, value: Double, quality: UInt8)]] = [:]
  var closed: [Key: (mean: Double, min: Double, max: Double, count: Int, first: Double, last: Double, quality: UInt8)] =
    [:]
  var late = 0

  mutating func take(_ point: UInt32, _ value: Double, _ quality: UInt8, at time: Int64) {
    let watermark = max(watermarks[point] ?? .min, time)
    watermarks[point] = watermark
    for key in open.keys where key.point == point && key.start + size + lateness <= watermark { close(key) }
    let start = Int64((Double(time) / Double(size)).rounded(.down)) * size
    if start + size + lateness <= watermark {
      late += 1
    } else {
      open[Key(point: point, start: start), default: []].append((time, value, quality))
    }
  }

  mutating func close(_ key: Key) {
    guard let samples = open.removeValue(forKey: key) else { return }
    let values = samples.map(\.value)
    let ordered = samples.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
    closed[key] = (
      values.reduce(0, +) / Double(values.count), values.min()!, values.max()!, values.count,
      ordered.first!.element.value, ordered.last!.element.value, samples.map(\.quality).max()!
    )
  }

  mutating func flush() {
    for key in Array(open.keys) { close(key) }
  }
}

@Suite struct WindowTests {
  @Test(arguments: [(0, 0), (1, 2), (2, 12), (3, 25), (4, 2), (5, 0), (6, 7)] as [(UInt64, Int64)])
  func `windows agree with a reference over late, reordered and missing samples`(seed: UInt64, lateness: Int64) throws {
    for withEdges in [false, true] {
      var generator = SplitMix64(seed: seed)
      let functions = withEdges ? #""mean","min","max","count","first","last""# : #""mean","min","max","count""#
      let core = PipelineCore(
        try specification(
          #"{"aggregate": {"window": {"tumbling": "10s"}, "functions": [\#(functions)], "lateness": "\#(lateness)s"}}"#)
      )
      var reference = ReferenceWindows(size: 10 * second, lateness: lateness * second)
      var rows = RecordRows()
      var clock = [Int64](repeating: 1_000 * second, count: 7)
      for _ in 0..<200 {
        var batch = SampleBatch()
        for _ in 0..<Int.random(in: 1...40, using: &generator) {
          let point = UInt32.random(in: 0..<7, using: &generator)
          clock[Int(point)] += Int64.random(in: 0...3 * second, using: &generator)
          if Int.random(in: 0..<50, using: &generator) == 0 { clock[Int(point)] += 100 * second }
          let back = Int.random(in: 0..<4, using: &generator) == 0
          let time = clock[Int(point)] - (back ? Int64.random(in: 0...40 * second, using: &generator) : 0)
          let value = Double.random(in: -50...50, using: &generator)
          let quality: Quality = Int.random(in: 0..<10, using: &generator) == 0 ? .uncertain : .good
          batch.add(PointID(index: point), .number(value), at: time, quality: quality)
          reference.take(point, value, quality.rawValue, at: time)
        }
        core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
        let counters = try #require(core.windowCounters)
        #expect(counters.input == counters.output + counters.droppedTotal + counters.held)
      }
      core.windows?.flush(into: &rows)
      reference.flush()
      #expect(rows.count == reference.closed.count)
      #expect(core.windowCounters?.dropped["late"] ?? 0 == UInt64(reference.late))
      #expect(reference.late > 0)
      var lastStart: [UInt32: Int64] = [:]
      for (index, row) in rows.rows.enumerated() {
        let point = core.points[Int(row.slot)].index
        let expected = try #require(reference.closed[.init(point: point, start: row.windowStart)])
        let width = core.fields.count
        #expect(abs(try #require(rows.field(index * width)?.number) - expected.mean) < 1e-9)
        #expect(rows.field(index * width + 1) == .number(expected.min))
        #expect(rows.field(index * width + 2) == .number(expected.max))
        #expect(rows.field(index * width + 3) == .integer(Int64(expected.count)))
        #expect(row.quality == expected.quality)
        if withEdges {
          #expect(rows.field(index * width + 4) == .number(expected.first))
          #expect(rows.field(index * width + 5) == .number(expected.last))
        }
        #expect(row.windowStart > lastStart[point] ?? .min, "windows of a series come in order, once")
        lastStart[point] = row.windowStart
      }
    }
  }

  private func core(_ functions: String = #""mean","min","max","count","sum","first","last""#) throws -> PipelineCore {
    PipelineCore(
      try specification(
        #"{"aggregate": {"window": {"tumbling": "10s"}, "functions": [\#(functions)], "lateness": "2s"}}"#))
  }

  @Test func `integers stay exact beyond 2^53 and 2^63`() throws {
    let core = try core()
    var batch = SampleBatch()
    let point = PointID(index: 0)
    batch.add(point, .integer(.max), at: 1_000 * second)
    batch.add(point, .integer(.max - 2), at: 1_001 * second)
    batch.add(point, .unsigned(UInt64(Int64.max) + 5), at: 1_002 * second)
    batch.add(point, .integer(-3), at: 1_003 * second)
    var rows = pass([batch], through: core)
    core.windows?.flush(into: &rows)
    #expect(rows.field(1) == .integer(-3))
    #expect(rows.field(2) == .unsigned(UInt64(Int64.max) + 5))
    #expect(rows.field(4) == .number(Double(Int64.max) * 3))
    #expect(rows.field(5) == .integer(.max))
    var small = SampleBatch()
    small.add(point, .integer(.max - 1), at: 2_000 * second)
    small.add(point, .integer(3), at: 2_001 * second)
    rows = pass([small], through: core)
    core.windows?.flush(into: &rows)
    #expect(rows.field(4) == .unsigned(UInt64(Int64.max) + 2))
  }

  @Test func `the sum of doubles is compensated`() throws {
    let core = try core(#""sum","mean""#)
    var batch = SampleBatch()
    batch.add(PointID(index: 0), .number(1e16), at: 1_000 * second)
    for index in 0..<1_000 { batch.add(PointID(index: 0), .number(1), at: 1_000 * second + Int64(index)) }
    batch.add(PointID(index: 0), .number(-1e16), at: 1_009 * second)
    var rows = pass([batch], through: core)
    core.windows?.flush(into: &rows)
    #expect(rows.field(0) == .number(1_000))
    #expect(rows.field(1) == .number(1_000.0 / 1_002))
  }

  @Test func `strings and booleans give first, last and count only`() throws {
    let core = try core()
    for (first, last) in [(Value.string("on"), Value.string("off")), (.boolean(true), .boolean(false))] {
      let point = PointID(index: first == .boolean(true) ? 1 : 0)
      var batch = SampleBatch()
      batch.add(point, first, at: 1_000 * second)
      batch.add(point, .string("between"), at: 1_001 * second)
      batch.add(point, last, at: 1_002 * second)
      var rows = pass([batch], through: core)
      core.windows?.flush(into: &rows)
      #expect((0..<7).map { rows.field($0) } == [nil, nil, nil, .integer(3), nil, first, last])
    }
  }

  @Test func `samples of bad quality, without a value or not finite are dropped by cause`() throws {
    let core = try core()
    var batch = SampleBatch()
    let point = PointID(index: 0)
    batch.add(point, .number(1), at: 1_000 * second, quality: .bad)
    batch.add(point, nil, at: 1_000 * second, quality: .uncertain)
    batch.append(
      point, kind: .number, payload: Double.nan.bitPattern, quality: .good, sourceTime: 1, gatewayTime: 1)
    batch.add(point, .number(1), at: 1_900_000_000 * second, arrival: 1_800_000_000 * second)
    _ = pass([batch], through: core)
    #expect(core.windowCounters?.dropped == ["badQuality": 2, "timeOutOfRange": 1])
    #expect(core.selected.dropped == ["nonFinite": 1])
  }

  @Test func `a silent series closes by the gateway's clock, whatever its own clock says`() throws {
    for skew in [-3_600 * second, 0, 3_600 * second] {
      let core = try core(#""count""#)
      let start: Int64 = 1_800_000_000 * second
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .number(1), at: start + second + skew, arrival: start + second)
      var rows = pass([batch], through: core)
      core.windows?.advance(to: start + 12 * second, into: &rows)
      #expect(rows.isEmpty, "end + lateness has passed, what is on its way has not")
      core.windows?.advance(to: start + 12 * second + WindowStage.grace, into: &rows)
      #expect(rows.count == 1)
      #expect(rows.rows[0].windowStart == start + skew)
      var late = SampleBatch()
      late.add(PointID(index: 0), .number(1), at: start + 2 * second + skew, arrival: start + 13 * second)
      rows = pass([late], through: core)
      #expect(core.windowCounters?.dropped == ["late": 1])
    }
  }

  @Test func `state saved in the middle of windows goes on as if nothing had been`() throws {
    var generator = SplitMix64(seed: 9)
    let stages =
      #"{"deadband": {"absolute": 1}}, {"throttle": {"every": "500ms"}}, {"aggregate": {"window": {"tumbling": "10s"}, "functions": ["mean","count","first","last"], "lateness": "15s"}}"#
    let whole = PipelineCore(try specification(stages))
    var part = PipelineCore(try specification(stages))
    var (expected, found) = (RecordRows(), RecordRows())
    var time: Int64 = 5_000 * second
    for round in 0..<50 {
      var batch = SampleBatch()
      for _ in 0..<20 {
        time += Int64.random(in: 0...second, using: &generator)
        let value: Value =
          Int.random(in: 0..<9, using: &generator) == 0
          ? .string("s\(round)") : .number(.random(in: 0...9, using: &generator))
        let back = Int64.random(in: 0...12 * second, using: &generator)
        batch.add(PointID(index: .random(in: 0..<3, using: &generator)), value, at: time - back)
      }
      let admit: (PointID) -> PipelineCore.Admission? = { .init(series: $0.index) }
      whole.process(batch, into: &expected, admit: admit)
      part.process(batch, into: &found, admit: admit)
      let restored = PipelineCore(try specification(stages))
      for (slot, point) in part.points.enumerated() {
        var state = ByteWriter()
        part.save(slot: slot, to: &state)
        var input = ByteReader(state.bytes)
        try restored.restore(point, .init(series: point.index), isTaken: true, from: &input)
        #expect(input.isAtEnd)
      }
      part = restored
    }
    whole.windows?.flush(into: &expected)
    part.windows?.flush(into: &found)
    #expect(found.count == expected.count)
    #expect(expected.count > 20)
    for index in 0..<expected.count * 4 { #expect(found.field(index) == expected.field(index)) }
  }
}
