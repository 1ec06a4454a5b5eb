import DeviceKit
import Documents
import Foundation
import Telemetry
import TestSupport
import Testing

/// Every function of every kind of window against the same computed by numpy from all samples (Fixtures/telemetry/windows.py).
@Suite struct WindowReferenceTests {
  static let functions =
    #"["mean","min","max","sum","count","first","last","stddev","median","p90","p95","p99","rate","increase","delta","integral","timeWeightedMean","duration","validPercentage"]"#

  /// The aggregate beside its functions.
  static let aggregates: [String] = [
    #""window": {"tumbling": "10s"}"#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "durationWhere": "value > 10""#,
    #""window": {"tumbling": "10s"}, "lateness": "25s", "offset": "3s""#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "empty": "Emit""#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "empty": "Last""#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "late": "Correct", "correctFor": "2m""#,
    #""window": {"tumbling": "1m"}, "lateness": "5s""#,
    #""window": {"hopping": {"size": "30s", "every": "10s"}}, "lateness": "2s""#,
    #""window": {"hopping": {"size": "10s", "every": "4s"}}, "offset": "1s", "lateness": "7s""#,
    #""window": {"hopping": {"size": "20s", "every": "10s"}}, "empty": "Emit""#,
    #""window": {"hopping": {"size": "20s", "every": "5s"}}, "late": "Correct", "correctFor": "1m""#,
    #""window": {"sliding": {"size": "30s"}}"#,
    #""window": {"session": {"gap": "4s"}}, "lateness": "2s""#,
    #""window": {"session": {"gap": "4s", "max": "20s"}}, "lateness": "9s""#,
    #""window": {"count": {"size": 25}}"#,
    #""window": {"count": {"size": 80}}"#,
    #""window": {"state": {"of": "value > 10"}}"#,
    #""window": {"state": {}}"#,
  ]

  /// What a series' values are like.
  enum Habit: CaseIterable {
    case numbers, integers, counter, hugeCounter, switches, mixture
  }

  struct Sample {
    var series: Int
    var time: Int64
    var value: Value?
    var quality = Quality.good
    var isNotFinite = false
  }

  /// Series of all habits, with gaps, bursts, late and misplaced samples, resets, bad readings and such as are no number.
  static func samples(_ seed: UInt64, count: Int = 1_200, texts: Bool) -> [Sample] {
    var generator = SplitMix64(seed: seed)
    var samples: [Sample] = []
    var clocks = [Int64](repeating: 1_700_000_000 * second, count: Habit.allCases.count)
    var levels = [Double](repeating: 8, count: clocks.count)
    var counters: [Int64] = [0, 0, 100, 1 << 61, 0, 0]
    while samples.count < count {
      let series = Int.random(in: 0..<clocks.count, using: &generator)
      clocks[series] += Int64.random(in: 1...1_500_000_000, using: &generator)
      let chance = Int.random(in: 0..<100, using: &generator)
      if chance == 0 { clocks[series] += Int64.random(in: 5...70, using: &generator) * second }
      levels[series] += Double.random(in: -2...2.05, using: &generator)
      counters[series] += Int64.random(in: 0...9_000, using: &generator)
      if chance == 1 { counters[series] = Int64.random(in: 0...50, using: &generator) }
      let back = chance < 12 ? Int64.random(in: 0...6 * second, using: &generator) : 0
      let value: Value
      switch Habit.allCases[series] {
      case .numbers: value = .number(levels[series])
      case .integers: value = .integer(Int64(levels[series]))
      case .counter: value = .integer(counters[series])
      case .hugeCounter: value = .unsigned(UInt64(counters[series]) + (1 << 63))
      case .switches: value = .boolean(levels[series] > 9)
      case .mixture:
        value = chance % 3 == 0 ? .integer(Int64(levels[series])) : texts && chance == 20 ? .string("x") : .number(3.5)
      }
      var sample = Sample(series: series, time: clocks[series] - back, value: value)
      if chance == 90 { sample.quality = .bad }
      if chance == 91 { (sample.quality, sample.value) = (.uncertain, nil) }
      if chance == 92 || chance == 93 { sample.quality = .uncertain }
      if chance == 94 { sample.isNotFinite = true }
      samples.append(sample)
    }
    return samples
  }

  /// Runs the samples through the pipeline, so many in a batch, with breaks in between for corrections.
  static func run(
    _ aggregate: String, _ samples: [Sample], functions: String = functions, batch size: Int = 37
  ) throws -> (core: PipelineCore, rows: RecordRows) {
    let stage = "{\(aggregate), \"functions\": \(functions)}"
    let core = PipelineCore(try specification(#"{"aggregate": \#(stage)}"#)) { _ in 0 }
    var rows = RecordRows()
    for start in stride(from: 0, to: samples.count, by: size) {
      var batch = SampleBatch()
      for sample in samples[start..<min(start + size, samples.count)] {
        let point = PointID(index: UInt32(sample.series))
        if sample.isNotFinite {
          batch.append(
            point, kind: .number, payload: Double.nan.bitPattern, quality: .good, sourceTime: sample.time,
            gatewayTime: sample.time + 1)
        } else {
          batch.add(point, sample.value, at: sample.time, quality: sample.quality, arrival: sample.time + 1)
        }
      }
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      // A tick at a time at which nothing falls due by the clock: corrections come out.
      core.advance(to: 0, into: &rows)
      let counters = try #require(core.windowCounters)
      #expect(counters.isBalanced)
    }
    core.flush(into: &rows)
    #expect(core.windowCounters?.held == 0)
    #expect(core.windows?.misplaced == 0, "no window has as many readings out of order")
    return (core, rows)
  }

  /// What the reference needs to judge the windows that the pipeline makes of the samples.
  static func document(
    _ name: String, _ aggregate: String, _ samples: [Sample], functions: String = functions
  ) throws -> String {
    let (core, rows) = try run(aggregate, samples, functions: functions)
    let stage = "{\(aggregate), \"functions\": \(functions)}"
    let width = core.fields.count
    let rowTexts = rows.rows.enumerated().map { index, row in
      let fields = (0..<width).map { text(rows.field(index * width + $0)) }
      let point = core.points[Int(row.slot)].index
      return
        "[\(([point.description, row.windowStart.description, row.time.description, row.quality.description] + fields).joined(separator: ","))]"
    }
    let sampleTexts = samples.map { sample in
      let value = sample.isNotFinite ? "\"NaN\"" : text(sample.value)
      return "[\(sample.series),\(sample.time),\(value),\(sample.quality.rawValue)]"
    }
    return """
      {"name": "\(name.replacing("\"", with: "'"))", "aggregate": \(stage), "late": \(core.windowCounters?.dropped["late"] ?? 0),
      "samples": [\(sampleTexts.joined(separator: ","))], "rows": [\(rowTexts.joined(separator: ","))]}
      """
  }

  /// The value as JSON that keeps integers exact and doubles apart from them.
  private static func text(_ value: Value?) -> String {
    switch value {
    case nil: "null"
    case .boolean(let value): value.description
    case .integer(let value): value.description
    case .unsigned(let value): value.description
    case .number(let value): value.description
    case .string(let value): "\"\(value)\""
    case .object: "null"
    }
  }

  static func compare(_ documents: [String]) async throws -> Finished {
    let folder = try ScratchFolder()
    let path = folder("cases.json")
    try "[\(documents.joined(separator: ",\n"))]".write(toFile: path, atomically: true, encoding: .utf8)
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Fixtures/telemetry/windows.py"
    ).path
    return try await ChildProcess(["python3", script, path], in: folder).result(within: .seconds(300))
  }

  @Test func `every function of every window agrees with numpy on random series`() async throws {
    var documents: [String] = []
    for seed in UInt64(1)...4 {
      for (index, aggregate) in Self.aggregates.enumerated() {
        let texts = !aggregate.contains(#""of""#)
        documents.append(
          try Self.document(
            "\(aggregate), seed \(seed)", aggregate, Self.samples(seed * 100 + UInt64(index), texts: texts)))
      }
    }
    let finished = try await Self.compare(documents)
    #expect(finished.status == 0, "\(finished.output)\(finished.errors)")
  }

  @Test(arguments: ["boiler", "energy-meter", "pump"])
  func `every function of every window agrees with numpy on a recorded series`(name: String) async throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Fixtures/telemetry/\(name).csv").path
    let samples = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst().map { line in
      let words = line.split(separator: ",", omittingEmptySubsequences: false)
      let quality = try #require(Quality.allCases.first { $0.name == words[2] })
      var sample = Sample(series: 0, time: try #require(Int64(words[0])) * 1_000_000, quality: quality)
      switch words[1] {
      case "": break
      case "NaN": sample.isNotFinite = true
      case "true", "false": sample.value = .boolean(words[1] == "true")
      default:
        if let whole = Int64(words[1]) {
          sample.value = .integer(whole)
        } else if let large = UInt64(words[1]) {
          sample.value = .unsigned(large)
        } else {
          sample.value = .number(try #require(Double(words[1])))
        }
      }
      return sample
    }
    let finished = try await Self.compare(
      try Self.aggregates.map { try Self.document("\(name): \($0)", $0, samples) })
    #expect(finished.status == 0, "\(finished.output)\(finished.errors)")
  }

  @Test func `the comparison finds a wrong value, a missing window and a wrong count of late samples`() async throws {
    let samples = Self.samples(5, texts: true)
    let right = try Self.document("right", Self.aggregates[1], samples)
    let shorter = try Self.document("right", Self.aggregates[1], samples.dropLast(200))
    let rows = try #require(shorter.range(of: "\"rows\""))
    let all = try #require(right.range(of: "\"rows\""))
    let missing = String(right[..<all.lowerBound] + shorter[rows.lowerBound...])
    let late = right.replacing(#""late": "#, with: #""late": 1"#)
    let wrong = right.replacing(#/(\[0,17[0-9]+,17[0-9]+,[01]),[0-9]/#, maxReplacements: 1) { "\($0.output.1),9" }
    for document in [missing, late, wrong] {
      #expect(document != right)
      #expect(try await Self.compare([document]).status == 1)
    }
    #expect(try await Self.compare([right]).status == 0)
  }
}
