import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct StageAlarmTests {
  private func alarm(_ members: String) throws -> StageRun { try StageRun(#"{"alarm": {"name": "hot", \#(members)}}"#) }

  /// When the alarm of the property `t` was raised (positive) and cleared (negative), in seconds.
  private func edges(_ samples: [NamedSample], of property: String = "t-hot") -> [Double] {
    samples.filter { $0.property == property }
      .map { ($0.value == .boolean(true) ? 1 : -1) * Double($0.time) / 1e9 }
  }

  private func ramp(_ values: [Double]) -> [NamedSample] {
    values.enumerated().map { NamedSample("t", $1, at: Double($0 + 1)) }
  }

  @Test func `a threshold with hysteresis clears within the bound`() throws {
    let run = try alarm(#""above": 80, "hysteresis": 5"#)
    let out = run.feed(ramp([79, 81, 80, 76, 75.5, 75, 81]))
    #expect(edges(out) == [2, -6, 7])
    #expect(out.count == 10, "the samples pass")
    #expect(run.core.stages[0].counters.made == 3)
  }

  @Test func `two thresholds are one alarm`() throws {
    let run = try alarm(#""above": 80, "below": 10, "hysteresis": 1"#)
    #expect(edges(run.feed(ramp([50, 9, 10.5, 11, 81, 9, 50]))) == [2, -4, 5, -7])
  }

  @Test func `delays are of source time, and end between samples`() throws {
    let run = try alarm(#""when": "value > 80", "for": "3s", "clearFor": "2s""#)
    #expect(edges(run.feed(ramp([81, 81, 79, 81, 81, 81, 81, 79, 79, 79]))) == [7, -10])
    let late = try alarm(#""when": "value > 80", "for": "3s""#)
    #expect(
      edges(late.feed([NamedSample("t", 81, at: 10), NamedSample("t", 70, at: 20)])) == [13, -20],
      "it held from 10 to 20")
  }

  @Test func `a silent series is raised by the clock, whatever its own says`() throws {
    let run = try alarm(#""when": "value > 80", "for": "3s""#)
    run.delay = 100 * second
    _ = run.feed([NamedSample("t", 81, at: 10)])
    #expect(run.core.stages[0].dueAt == 113 * second + second / 2)
    #expect(run.advance(to: 113.4) == [])
    #expect(edges(run.advance(to: 113.5)) == [13])
    #expect(run.core.stages[0].dueAt == .max)
    #expect(run.core.takeAlarms().map(\.isRaised) == [true])
  }

  @Test func `an expression over properties is the device's alarm`() throws {
    let run = try alarm(#""when": "pressure > 4 && !running", "clear": "pressure < 3 || running""#)
    let out = run.feed([
      NamedSample("d", "running", .boolean(false), at: second), NamedSample("pressure", 5, at: 1),
      NamedSample("pressure", 3.5, at: 2), NamedSample("pressure", 2, at: 3),
    ])
    #expect(edges(out, of: "hot") == [1, -3])
    let told = run.core.takeAlarms()
    #expect(told.map(\.isRaised) == [true, false])
    #expect(told[0].series.device.name == "d")
    #expect(told[0].series.property == "")
  }

  @Test func `the sample and the device's properties go together`() throws {
    let run = try alarm(#""when": "value > limit && property == 't'""#)
    let out = run.feed([
      NamedSample("t", 50, at: 1), NamedSample("limit", 40, at: 2), NamedSample("t", 39, at: 3),
      NamedSample("t", 41, at: 4),
    ])
    #expect(edges(out) == [4])
  }

  @Test func `quality can be watched, and what has no number changes nothing else`() throws {
    let bad = try alarm(#""when": "quality == Bad", "for": "0s""#)
    #expect(
      edges(bad.feed([NamedSample("t", nil, at: 1, .bad), NamedSample("t", 3, at: 2)])) == [1, -2])
    let hot = try alarm(#""above": 1"#)
    #expect(edges(hot.feed([NamedSample("t", 2, at: 1), NamedSample("t", nil, at: 2, .bad)])) == [1])
  }

  @Test func `what is told carries severity and message, and is bounded`() throws {
    let run = try alarm(#""above": 1, "severity": "Critical", "message": "{device}: {property} on {label:line}""#)
    run.labels = ["d": ["line": "a"]]
    _ = run.feed(ramp([0, 2]))
    let told = try #require(run.core.takeAlarms().first)
    #expect(told.severity == .critical)
    #expect(told.message == "d: t on a")
    #expect(run.core.takeAlarms() == [])
    _ = run.feed((0..<1_500).map { NamedSample("t", $0 % 2 == 0 ? 0 : 2, at: Double($0 + 10)) })
    #expect(run.core.takeAlarms().count == 1_024)
    #expect(run.core.alarmsLost == 1_500 - 1_024)
  }

  @Test func `a running delay and a raised alarm outlive a restart, and go with their series`() throws {
    let run = try alarm(#""when": "value > 80", "for": "3s""#)
    _ = run.feed([NamedSample("t", 81, at: 10)])
    try run.restart()
    #expect(edges(run.feed([NamedSample("t", 82, at: 13)])) == [13])
    try run.restart()
    #expect(edges(run.feed([NamedSample("t", 82, at: 14)])) == [])
    run.gone = ["d"]
    #expect(edges(run.invalidate()) == [-14])
  }

  @Test func `an alarm that is about to clear is cleared with its series, and begins anew`() throws {
    let run = try alarm(#""when": "value > 80", "clearFor": "3s""#)
    #expect(edges(run.feed([NamedSample("t", 81, at: 10), NamedSample("t", 70, at: 11)])) == [10])
    run.gone = ["d"]
    #expect(edges(run.invalidate()) == [-11])
    run.gone = []
    _ = run.invalidate()
    #expect(edges(run.feed([NamedSample("t", 81, at: 20)])) == [20])
  }

  @Test func `a delay ends by the arrival of the newest moment, not of one before it`() throws {
    let run = try alarm(#""when": "value > 80", "for": "3s""#)
    run.delay = 3 * second
    _ = run.feed([NamedSample("t", 81, at: 100)])
    run.delay = 5 * second
    _ = run.feed([NamedSample("t", 81, at: 99)])
    #expect(edges(run.advance(to: 106.4)) == [])
    #expect(edges(run.advance(to: 106.5)) == [103])
  }

  @Test func `how long a sample was under way can be watched`() throws {
    let run = try alarm(#""when": "age > 5""#)
    #expect(edges(run.feed([NamedSample("t", 1, at: 1)])) == [])
    run.delay = 6 * second
    #expect(edges(run.feed([NamedSample("t", 1, at: 2)])) == [2])
  }

  /// An alarm by the book: the condition as a step function, searched second by second.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `random conditions raise and clear as a step function says`(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let (onDelay, offDelay) = (Int.random(in: 0...4, using: &generator), Int.random(in: 0...4, using: &generator))
    let run = try alarm(
      #""when": "value > 5", "clear": "value < 3", "for": "\#(onDelay)s", "clearFor": "\#(offDelay)s""#)
    var time = 100
    var samples: [NamedSample] = []
    for _ in 0..<800 {
      time += .random(in: 1...3, using: &generator)
      samples.append(NamedSample("t", Double(Int.random(in: 0...8, using: &generator)), at: Double(time)))
    }
    var found: [NamedSample] = []
    for start in stride(from: 0, to: samples.count, by: 37) {
      found += run.feed(Array(samples[start..<min(start + 37, samples.count)]))
      if seed % 2 == 0 { try run.restart() }
    }
    var expected: [Double] = []
    var isRaised = false
    var since: Int?
    var index = -1
    for now in 100...time {
      func toggle() {
        isRaised.toggle()
        expected.append(isRaised ? Double(now) : -Double(now))
        since = nil
      }
      if let since, now - since == (isRaised ? offDelay : onDelay) { toggle() }
      while index + 1 < samples.count, samples[index + 1].time <= Int64(now) * second { index += 1 }
      let value = index < 0 ? 4 : samples[index].value!.number!
      guard isRaised ? value < 3 : value > 5 else {
        since = nil
        continue
      }
      since = since ?? now
      if (isRaised ? offDelay : onDelay) == 0 { toggle() }
    }
    #expect(edges(found) == expected)
    #expect(expected.count > 10)
  }
}
