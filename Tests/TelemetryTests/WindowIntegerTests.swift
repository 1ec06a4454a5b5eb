import DeviceKit
import Documents
import Telemetry
import TestSupport
import Testing

/// Windows of integers against exact arithmetic (Fixtures/telemetry/windows.py): those whose samples change nothing but
/// their sums, which have a way of their own for integers, and those that keep more.
@Suite struct WindowIntegerTests {
  private typealias Sample = WindowReferenceTests.Sample

  private static let plain = #"["mean","min","max","sum","count"]"#
  private static let more = #"["mean","min","max","sum","count","first","last","stddev"]"#

  static let aggregates: [String] = [
    #""window": {"tumbling": "10s"}"#,
    #""window": {"tumbling": "10s"}, "lateness": "2s""#,
    #""window": {"tumbling": "10s"}, "lateness": "25s", "offset": "3s""#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "empty": "Emit""#,
    #""window": {"tumbling": "10s"}, "lateness": "2s", "late": "Correct", "correctFor": "2m""#,
    #""window": {"tumbling": "1m"}, "lateness": "5s""#,
    #""window": {"hopping": {"size": "30s", "every": "10s"}}, "lateness": "2s""#,
    #""window": {"hopping": {"size": "10s", "every": "4s"}}, "offset": "1s", "lateness": "7s""#,
    #""window": {"sliding": {"size": "30s"}}"#,
    #""window": {"session": {"gap": "4s"}}, "lateness": "2s""#,
    #""window": {"count": {"size": 7}}"#,
  ]

  /// What a series' values are like.
  private enum Shape: CaseIterable {
    case falling, rising, negative, steady, signedExtremes, unsignedExtremes, allExtremes, large, largeUnsigned
    case integersAndNumbers, integersAndTexts, alone

    private static let signed: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
    private static let unsigned: [UInt64] = [1 << 63, 1 << 63 + 1, .max - 1, .max]

    func value(_ number: Int, _ generator: inout SplitMix64) -> Value {
      let step = Int64(number) * 100 + .random(in: 0..<90, using: &generator)
      switch self {
      case .falling: return .integer(5_000 - step)
      case .rising: return .integer(step - 5_000)
      case .negative: return .integer(.random(in: -1_000 ... -1, using: &generator))
      case .steady: return .integer(-3)
      case .signedExtremes: return .integer(Self.signed.randomElement(using: &generator)!)
      case .unsignedExtremes: return .unsigned(Self.unsigned.randomElement(using: &generator)!)
      case .allExtremes:
        return Bool.random(using: &generator)
          ? .integer(Self.signed.randomElement(using: &generator)!)
          : .unsigned(Self.unsigned.randomElement(using: &generator)!)
      case .large:
        let value = Int64.random(in: 1 << 61 ... .max, using: &generator)
        return .integer(number / 60 % 2 == 0 ? value : -value)
      case .largeUnsigned: return .unsigned(.random(in: 1 << 63 ... .max, using: &generator))
      case .integersAndNumbers:
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: return .number(.random(in: -1e19...1e19, using: &generator))
        case 1...4: return .unsigned(.random(in: 1 << 63 ... .max, using: &generator))
        default: return .integer(.random(in: .min ... .max, using: &generator))
        }
      case .integersAndTexts:
        return Int.random(in: 0..<60, using: &generator) == 0 ? .string("x") : .integer(-step)
      case .alone: return .integer(.random(in: -9...9, using: &generator))
      }
    }
  }

  /// Series of all shapes, with bursts, late and reordered samples and bad readings in between.
  private static func samples(_ seed: UInt64, count: Int = 1_500) -> [Sample] {
    var generator = SplitMix64(seed: seed)
    var clocks = [Int64](repeating: 1_700_000_000 * second, count: Shape.allCases.count)
    var numbers = [Int](repeating: 0, count: clocks.count)
    return (0..<count).map { _ in
      let series = Int.random(in: 0..<clocks.count, using: &generator)
      let shape = Shape.allCases[series]
      clocks[series] += shape == .alone ? 11 * second : .random(in: 1...1_500_000_000, using: &generator)
      numbers[series] += 1
      let chance = Int.random(in: 0..<100, using: &generator)
      let back = chance < 10 && shape != .alone ? Int64.random(in: 0...6 * second, using: &generator) : 0
      var sample = Sample(
        series: series, time: clocks[series] - back, value: shape.value(numbers[series], &generator))
      if chance == 90 || chance == 91 { sample.quality = .bad }
      if chance == 92 { (sample.quality, sample.value) = (.uncertain, nil) }
      if chance == 93 { sample.quality = .uncertain }
      return sample
    }
  }

  @Test func `windows of integers agree with exact arithmetic`() async throws {
    var documents: [String] = []
    for seed in UInt64(1)...3 {
      for (index, aggregate) in Self.aggregates.enumerated() {
        for functions in [Self.plain, Self.more] {
          documents.append(
            try WindowReferenceTests.document(
              "\(aggregate) of \(functions), seed \(seed)", aggregate, Self.samples(seed * 100 + UInt64(index)),
              functions: functions))
        }
      }
    }
    let finished = try await WindowReferenceTests.compare(documents)
    #expect(finished.status == 0, "\(finished.output)\(finished.errors)")
  }

  @Test func `a sum past 64 bits is the nearest double, of two as near the even one`() async throws {
    var samples: [Sample] = []
    var time = 1_700_000_000 * second
    // Beyond 2^64 doubles are 4,096 apart.
    for halves in 0..<8 as Range<Int64> {
      for beside in [-1, 0, 1] as [Int64] where halves > 0 || beside > 0 {
        let over = halves * 2_048 + beside
        let below: [Value] = [.integer(.min), .integer(.min), .integer(-over)]
        for values in [[.unsigned(.max), .integer(over + 1)], [.integer(over + 1), .unsigned(.max)], below] {
          for value in values {
            samples.append(Sample(series: 0, time: time, value: value))
            time += second
          }
          time += 10 * second - Int64(values.count) * second
        }
      }
    }
    let finished = try await WindowReferenceTests.compare(
      [Self.plain, Self.more].map {
        try WindowReferenceTests.document($0, #""window": {"tumbling": "10s"}"#, samples, functions: $0)
      })
    #expect(finished.status == 0, "\(finished.output)\(finished.errors)")
  }

  @Test(arguments: aggregates.filter { !$0.contains("Correct") })
  func `batches of any size, and functions that keep more, make the same windows of integers`(aggregate: String) throws
  {
    func windows(_ functions: String, batch: Int) throws -> [String] {
      let (core, rows) = try WindowReferenceTests.run(
        aggregate, Self.samples(50), functions: functions, batch: batch)
      let width = core.fields.count
      return rows.rows.enumerated().map { index, row in
        let fields = (0..<5).map { rows.field(index * width + $0) }
        return "\(row.slot) \(row.windowStart) \(row.time) \(row.quality) \(fields)"
      }
    }
    let whole = try windows(Self.plain, batch: 2_000)
    #expect(whole.count > 50)
    #expect(try windows(Self.plain, batch: 1) == whole)
    #expect(try windows(Self.plain, batch: 13) == whole)
    #expect(try windows(Self.more, batch: 13) == whole)
  }
}
