import DeviceKit
import Telemetry
import Testing

@Suite struct StageSwingingDoorTests {
  @Test func `a straight line is its ends`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 0.1}}"#)
    let line = (0...100).map { NamedSample("p", Double($0) * 2, at: Double($0)) }
    #expect(run.feed(line) == [line[0]])
    #expect(run.core.stages[0].counters.held == 1)
    #expect(run.settle() == [line[100]])
    #expect(run.dropped() == ["onTheLine": 99])
    #expect(run.settle() == [])
  }

  @Test func `a corner is kept`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 0.1}}"#)
    let corner = (0...20).map { NamedSample("p", Double(min($0, 10)), at: Double($0)) }
    #expect(run.feed(corner) + run.flush() == [corner[0], corner[10], corner[20]])
  }

  @Test func `quality and type changes come with the sample before them`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 5}}"#)
    let samples = [
      NamedSample("p", 1, at: 1), NamedSample("p", 2, at: 2), NamedSample("p", 3, at: 3, .uncertain),
      NamedSample("p", nil, at: 4, .bad), NamedSample("d", "p", .integer(7), at: 5 * second),
      NamedSample("d", "p", .string("x"), at: 6 * second),
    ]
    #expect(run.feed(samples) == samples)
  }

  @Test func `silence ends at the maximum interval, by samples and by the clock`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 5, "maxInterval": "10s"}}"#)
    run.delay = 3 * second
    let samples = (0...25).map { NamedSample("p", 1, at: Double($0)) }
    #expect(run.feed(samples) == [samples[0], samples[10], samples[20]])
    #expect(run.advance(to: 32.9) == [])
    #expect(run.core.stages[0].dueAt == 33 * second)
    #expect(run.advance(to: 33) == [samples[25]])
    #expect(run.advance(to: 99) == [])
  }

  @Test func `samples before the minimum interval and out of order are dropped by cause`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 0, "minInterval": "2s"}}"#)
    let samples = [
      NamedSample("p", 1, at: 1), NamedSample("p", 50, at: 2), NamedSample("p", 3, at: 3), NamedSample("p", 3, at: 2.5),
      NamedSample("p", 3, at: 3),
    ]
    #expect(run.feed(samples) + run.flush() == [samples[0], samples[2]])
    #expect(run.dropped() == ["tooSoon": 1, "outOfOrder": 2])
  }

  /// Values of many shapes, at times of irregular distance.
  static func walk(_ seed: UInt64, _ count: Int) -> [NamedSample] {
    var generator = SplitMix64(seed: seed)
    var (time, value) = (1_000.0, 0.0)
    return (0..<count).map { index in
      time += Double.random(in: 0.001...2, using: &generator)
      switch Int(seed) % 4 {
      case 0: value += .random(in: -1...1, using: &generator)
      case 1: value = 20 * (Double(index) / 30).remainder(dividingBy: 1) + .random(in: -0.3...0.3, using: &generator)
      case 2:
        value = Double.random(in: 0...1, using: &generator) < 0.05 ? .random(in: -50...50, using: &generator) : value
      default: value = .random(in: -1e6...1e6, using: &generator)
      }
      return NamedSample("p", value, at: time)
    }
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `every sample lies within the deviation of the line between its kept neighbours`(seed: UInt64) throws {
    for deviation in [0, 0.5, 3, 1e5] {
      let run = try StageRun(#"{"swingingDoor": {"deviation": \#(deviation)}}"#)
      let samples = Self.walk(seed, 2_000)
      var kept: [NamedSample] = []
      for start in stride(from: 0, to: samples.count, by: 170) {
        kept += run.feed(Array(samples[start..<min(start + 170, samples.count)]))
        if start % 3 == 0 { try run.restart() }
      }
      kept += run.flush()
      #expect(kept.first == samples.first)
      #expect(kept.last == samples.last)
      var next = 1
      var worst = 0.0
      for sample in samples {
        while next < kept.count - 1, kept[next].time < sample.time { next += 1 }
        let (left, right) = (kept[next - 1], kept[next])
        let share = Double(sample.time - left.time) / Double(right.time - left.time)
        let (low, high) = (left.value!.number!, right.value!.number!)
        worst = max(worst, abs(low + (high - low) * share - sample.value!.number!))
      }
      #expect(worst <= deviation + 1e-6, "deviation \(deviation), \(kept.count) kept")
      if deviation == 3, seed % 4 == 0 { #expect(kept.count < 1_000) }
    }
  }
}
