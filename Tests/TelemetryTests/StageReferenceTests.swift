import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

/// Every stage that lets pass or drops, against a plain loop over one series that knows all that came before.
@Suite struct StageReferenceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var stage: String
    var keep: @Sendable (_ sample: NamedSample, _ sent: [NamedSample], _ seen: [NamedSample]) -> Bool
    var testDescription: String { stage }
  }

  private static func differs(_ sample: NamedSample, _ last: NamedSample?, by band: Double) -> Bool {
    guard let last, sample.quality == last.quality else { return true }
    switch (sample.value, last.value) {
    case (.number(let value)?, .number(let other)?): return abs(value - other) > band
    case (.integer(let value)?, .integer(let other)?): return abs(Double(value - other)) > band
    default: return sample.value != last.value
    }
  }

  static let cases: [Case] = [
    Case(stage: #"{"deadband": {"absolute": 1.5}}"#) { sample, sent, _ in differs(sample, sent.last, by: 1.5) },
    Case(stage: #"{"deadband": {"percent": 2, "heartbeat": "4s"}}"#) { sample, sent, _ in
      differs(sample, sent.last, by: 2) || sample.time - sent.last!.time >= 4 * second
    },
    Case(stage: #"{"reportOnChange": {}}"#) { sample, sent, _ in differs(sample, sent.last, by: 0) },
    Case(stage: #"{"dedup": {"heartbeat": "2s"}}"#) { sample, sent, _ in
      differs(sample, sent.last, by: 0) || sample.time - sent.last!.time >= 2 * second
    },
    Case(stage: #"{"dedup": {"by": "Sample"}}"#) { sample, sent, _ in !sent.suffix(32).contains(sample) },
    Case(stage: #"{"throttle": {"every": "3s"}}"#) { sample, sent, _ in
      sent.last.map { abs(sample.time - $0.time) >= 3 * second } ?? true
    },
    Case(stage: #"{"sample": {"every": 7}}"#) { _, _, seen in seen.count % 7 == 0 },
    Case(stage: #"{"sample": {"interval": "5s"}}"#) { sample, _, seen in
      seen.last.map { $0.time / (5 * second) != sample.time / (5 * second) } ?? true
    },
    Case(stage: #"{"range": {"min": -2, "max": 3.5}}"#) { sample, _, _ in
      sample.value?.number.map { (-2...3.5).contains($0) } ?? true
    },
    Case(stage: #"{"range": {"max": 3}}"#) { sample, _, _ in sample.value?.number.map { (0...3).contains($0) } ?? true
    },
    Case(stage: #"{"filter": {"quality": ["Good", "Bad"]}}"#) { sample, _, _ in sample.quality != .uncertain },
    Case(stage: #"{"filter": {"where": "age > 0.4 || label('line') == 'a' && matches(property, 't*')"}}"#) {
      sample, _, _ in sample.device == "d1"
    },
    Case(stage: #"{"filter": {"where": "abs(value) < 2 || value == true"}}"#) { sample, _, _ in
      switch sample.value {
      case .boolean?: true
      case nil, .string?, .object?: false
      default: abs(sample.value!.number!) < 2
      }
    },
  ]

  static func samples(_ seed: UInt64) -> [NamedSample] {
    var generator = SplitMix64(seed: seed)
    var time = 1_000 * second
    var samples: [NamedSample] = []
    for _ in 0..<4_000 {
      let device = "d\(Int.random(in: 0..<3, using: &generator))"
      if Int.random(in: 0..<6, using: &generator) == 0, let again = samples.suffix(9).randomElement(using: &generator) {
        samples.append(again)
        continue
      }
      time += .random(in: 0...second, using: &generator)
      if Int.random(in: 0..<200, using: &generator) == 0 { time -= 20 * second }
      let value: Value? =
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: nil
        case 1: .string(Bool.random(using: &generator) ? "a" : "b")
        case 2: .boolean(.random(using: &generator))
        case 3...6: .integer(.random(in: -5...5, using: &generator))
        default: .number(.random(in: -5...5, using: &generator))
        }
      let quality: Quality = [.good, .good, .good, .uncertain].randomElement(using: &generator)!
      samples.append(NamedSample(device, "t", value, at: time, value == nil ? .bad : quality))
    }
    return samples
  }

  @Test(arguments: cases)
  func `a stage keeps what a plain loop keeps`(case one: Case) throws {
    for seed in [3, 4] as [UInt64] {
      let samples = Self.samples(seed)
      let run = try StageRun(one.stage)
      run.range = 0...100
      run.labels = ["d1": ["line": "a"]]
      var found: [NamedSample] = []
      for start in stride(from: 0, to: samples.count, by: 321) {
        found += run.feed(Array(samples[start..<min(start + 321, samples.count)]))
        try run.restart()
      }
      var sent: [String: [NamedSample]] = [:]
      var seen: [String: [NamedSample]] = [:]
      var expected: [NamedSample] = []
      for sample in samples {
        if one.keep(sample, sent[sample.device] ?? [], seen[sample.device] ?? []) {
          expected.append(sample)
          sent[sample.device, default: []].append(sample)
        }
        seen[sample.device, default: []].append(sample)
      }
      #expect(found == expected)
      #expect(expected.count < samples.count)
      #expect(expected.count > 100)
    }
  }
}
