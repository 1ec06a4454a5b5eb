import DeviceKit
import SinkKit
import Telemetry
import Testing

/// What stages do at the very bounds that a spec states, and with integers over the whole of their ranges.
@Suite struct StageBoundTests {
  /// What passes of the values of one property, a second apart.
  private func passing(_ stage: String, _ values: [Value]) throws -> [Value?] {
    let run = try StageRun(stage)
    return run.feed(Self.series(values)).map(\.value)
  }

  private static func series(_ values: [Value]) -> [NamedSample] {
    values.enumerated().map { NamedSample("d", "p", $1, at: Int64($0 + 1) * second) }
  }

  static let integers: [@Sendable (Int64) -> Value] = [
    { .integer($0) }, { .integer(.max - 100 + $0) }, { .integer(.min + 100 + $0) }, { .unsigned(UInt64($0 + 100)) },
    { .unsigned(.max - 100 &+ UInt64(bitPattern: $0)) },
  ]

  @Test(arguments: integers.indices)
  func `integers pass a deadband when they rise or fall by more than it`(kind: Int) throws {
    let make = Self.integers[kind]
    let passed = try passing(#"{"deadband": {"absolute": 2}}"#, [1, 3, 4, 1, 0, -2, -4, -5].map(make))
    #expect(passed == [1, 4, 1, -2, -5].map(make))
  }

  @Test func `the ends of the integers' ranges are far apart`() throws {
    let ends: [Int64] = [.min, .max, .max - 2, .min + 1, .min]
    #expect(
      try passing(#"{"deadband": {"absolute": 2}}"#, ends.map { .integer($0) })
        == [.min, .max, .min + 1].map { .integer($0) })
    let large: [UInt64] = [.max, 0, 2, .max - 1, .max]
    #expect(
      try passing(#"{"deadband": {"absolute": 2}}"#, large.map { .unsigned($0) })
        == [.max, 0, .max - 1].map { .unsigned($0) })
  }

  @Test(arguments: integers.indices)
  func `a swinging door keeps of integers what it keeps of doubles`(kind: Int) throws {
    for seed in UInt64(1)...4 {
      var generator = SplitMix64(seed: seed)
      var level: Int64 = 0
      let levels = (0..<300).map { _ in
        level = max(-90, min(90, level + .random(in: -4...4, using: &generator)))
        return level
      }
      let stage = #"{"swingingDoor": {"deviation": 3}}"#
      let (doubles, integers) = (try StageRun(stage), try StageRun(stage))
      let expected =
        doubles.feed(Self.series(levels.map { .number(Double($0)) })) + doubles.flush()
      let found = integers.feed(Self.series(levels.map(Self.integers[kind]))) + integers.flush()
      #expect(found.map(\.time) == expected.map(\.time))
      #expect((10..<290).contains(expected.count))
    }
  }

  @Test func `a swinging door keeps the ends of the integers' ranges`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 5}}"#)
    let samples = Self.series([.min, .max, .min, .min, .max].map { .integer($0) })
    #expect(run.feed(samples) + run.flush() == samples)
  }

  @Test(arguments: [1.0, -1.0])
  func `a sample as far from the line as the deviation is on it`(sign: Double) throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 1}}"#)
    let samples = Self.series([0, 0, 2].map { .number($0 * sign) })
    #expect(run.feed(samples) + run.flush() == [samples[0], samples[2]])
    let corner = Self.series([0, 0, 2.001].map { .number($0 * sign) })
    let other = try StageRun(#"{"swingingDoor": {"deviation": 1}}"#)
    #expect(other.feed(corner) + other.flush() == corner)
  }

  @Test func `a sample at the maximum interval is kept at once`() throws {
    let run = try StageRun(#"{"swingingDoor": {"deviation": 5, "maxInterval": "10s"}}"#)
    let samples = (0...10).map { NamedSample("p", 1, at: Double($0)) }
    #expect(run.feed(samples) == [samples[0], samples[10]])
    #expect(run.core.stages[0].counters.held == 0)
  }

  @Test func `of moments at one time the later counts, and one before it does not`() throws {
    let run = try StageRun(#"{"alarm": {"name": "hot", "above": 80}}"#)
    let out = run.feed([
      NamedSample("t", 79, at: 5), NamedSample("t", 81, at: 5), NamedSample("t", 70, at: 4.9),
      NamedSample("t", 79, at: 5),
    ])
    #expect(out.filter { $0.property == "t-hot" }.map(\.value) == [.boolean(true), .boolean(false)])
  }

  @Test func `the last 32 samples are remembered, and no more`() throws {
    let run = try StageRun(#"{"dedup": {"by": "Sample"}}"#)
    let samples = (0..<33).map { NamedSample("p", Double($0), at: Double($0)) }
    #expect(run.feed(Array(samples[..<32])).count == 32)
    #expect(run.feed([samples[0], samples[31]]) == [])
    #expect(run.feed([samples[32]]) == [samples[32]])
    #expect(run.feed([samples[1]]) == [])
    #expect(run.feed([samples[0]]) == [samples[0]])
  }

  @Test func `what is remembered is forgotten in its order after a restart, too`() throws {
    let run = try StageRun(#"{"dedup": {"by": "Sample"}}"#)
    let samples = (0..<33).map { NamedSample("p", Double($0), at: Double($0)) }
    _ = run.feed(Array(samples[..<5]))
    try run.restart()
    #expect(run.feed(Array(samples[5...])).count == 28)
    #expect(run.feed([samples[1]]) == [])
    #expect(run.feed([samples[0]]) == [samples[0]])
    try run.restart()
    #expect(run.feed([samples[2], samples[0]]) == [])
    #expect(run.feed([samples[1]]) == [samples[1]])
  }

  @Test func `a string is known again after a restart`() throws {
    for stage in [#"{"reportOnChange": {}}"#, #"{"dedup": {}}"#] {
      let run = try StageRun(stage)
      let words = Self.series(["on", "on", "off"].map { .string($0) })
      #expect(run.feed([words[0]]) == [words[0]])
      try run.restart()
      #expect(run.feed([words[1]]) == [])
      #expect(run.feed([words[2]]) == [words[2]])
    }
  }
}
