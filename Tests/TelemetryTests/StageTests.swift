import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct StageTests {
  /// The values that pass, of samples one second apart.
  private func passing(_ stages: String, _ values: [Value?], _ qualities: [Quality] = [], step: Int64 = second) throws
    -> [Value?]
  {
    let core = PipelineCore(try specification(stages))
    var batch = SampleBatch()
    for (index, value) in values.enumerated() {
      batch.add(
        PointID(index: 3), value, at: 1_000 * second + Int64(index) * step,
        quality: index < qualities.count ? qualities[index] : .good)
    }
    let rows = pass([batch], through: core, range: 0...200)
    for stage in core.stages {
      #expect(stage.counters.isBalanced)
    }
    return (0..<rows.count).map { rows.field($0) }
  }

  @Test func `a deadband compares with the last value sent`() throws {
    let passed = try passing(#"{"deadband": {"absolute": 1}}"#, [0, 0.6, 1.2, 1.8, 2.1, 2.3].map { .number($0) })
    #expect(passed == [.number(0), .number(1.2), .number(2.3)])
  }

  @Test func `a difference of exactly the band does not pass`() throws {
    #expect(try passing(#"{"deadband": {"absolute": 1}}"#, [.number(0), .number(1), .integer(1)]).count == 2)
  }

  @Test func `a percentage is one of the range`() throws {
    let passed = try passing(#"{"deadband": {"percent": 1}}"#, [10, 11.9, 12.1].map { .number($0) })
    #expect(passed == [.number(10), .number(12.1)])
  }

  @Test func `quality and type changes and heartbeats pass`() throws {
    let passed = try passing(
      #"{"deadband": {"absolute": 5, "heartbeat": "3s"}}"#,
      [.number(1), .number(1), .number(1), .number(1), .number(2), .integer(2), .integer(2), nil, nil, .string("a")],
      [.good, .uncertain, .uncertain, .uncertain, .uncertain, .uncertain, .uncertain, .bad, .bad])
    #expect(passed == [.number(1), .number(1), .number(2), .integer(2), nil, .string("a")])
  }

  @Test func `integers far from zero keep their differences`() throws {
    let base: Int64 = 1 << 60
    let passed = try passing(#"{"dedup": {}}"#, [base, base, base + 1, .min, .max].map { .integer($0) })
    #expect(passed == [base, base + 1, .min, .max].map { .integer($0) })
  }

  @Test func `dedup passes what differs`() throws {
    let passed = try passing(
      #"{"dedup": {}}"#,
      [.string("a"), .string("a"), .string("b"), .boolean(true), .boolean(true), .boolean(false)])
    #expect(passed == [.string("a"), .string("b"), .boolean(true), .boolean(false)])
  }

  @Test func `a throttle lets one sample an interval pass`() throws {
    let passed = try passing(#"{"throttle": {"every": "3s"}}"#, (0..<8).map { .integer($0) })
    #expect(passed == [.integer(0), .integer(3), .integer(6)])
  }

  @Test func `filters by quality and condition count what they drop`() throws {
    let passed = try passing(
      #"{"filter": {"quality": ["Good"], "where": "value > -40 && value < 125"}}"#,
      [.number(-41), .number(1), .number(2), .integer(124), .integer(125), .string("x"), nil],
      [.good, .bad, .good])
    #expect(passed == [.number(2), .integer(124)])
  }

  @Test func `a filter over many samples keeps exactly those that its condition takes`() throws {
    var generator = SplitMix64(seed: 4)
    let values: [Value?] = (0..<5_000).map { _ in
      Int.random(in: 0..<5, using: &generator) == 0 ? .string("") : .number(.random(in: -1...1, using: &generator))
    }
    let passed = try passing(#"{"filter": {"where": "value * value < 0.25"}}"#, values)
    #expect(passed == values.filter { $0?.number.map { $0 * $0 < 0.25 } ?? false })
  }

  @Test(arguments: [
    (#"{"swingingDoor": {"deviation": -1}}"#, "spec.stages[0].swingingDoor.deviation"),
    (#"{"swingingDoor": {}}"#, "spec.stages[0].swingingDoor.deviation"),
    (
      #"{"swingingDoor": {"deviation": 1, "minInterval": "2s", "maxInterval": "1s"}}"#,
      "spec.stages[0].swingingDoor.minInterval"
    ),
    (#"{"derive": {}}"#, "spec.stages[0].derive.name"),
    (#"{"derive": {"name": "x", "expression": "1 +"}}"#, "spec.stages[0].derive.expression"),
    (#"{"derive": {"name": "x", "expression": "1"}}"#, "spec.stages[0].derive.expression"),
    (#"{"derive": {"name": "x", "expression": "a", "of": {"label": "l"}}}"#, "spec.stages[0].derive.expression"),
    (#"{"derive": {"name": "x", "expression": "a", "of": {}}}"#, "spec.stages[0].derive.of.label"),
    (#"{"range": {"min": 2, "max": 1}}"#, "spec.stages[0].range.min"),
    (#"{"range": {"outside": "Ignore"}}"#, "spec.stages[0].range.outside"),
    (#"{"dedup": {"by": "Sample", "heartbeat": "1s"}}"#, "spec.stages[0].dedup.heartbeat"),
    (#"{"sample": {}}"#, "spec.stages[0].sample"), (#"{"sample": {"every": 0.5}}"#, "spec.stages[0].sample.every"),
    (#"{"convert": {"to": "furlong"}}"#, "spec.stages[0].convert.to"),
    (#"{"convert": {"to": "kW", "from": "K"}}"#, "spec.stages[0].convert.to"),
    (#"{"rename": {}}"#, "spec.stages[0].rename"), (#"{"enrich": {}}"#, "spec.stages[0].enrich.labels"),
    (#"{"enrich": {"labels": {"a": "{colour}"}}}"#, "spec.stages[0].enrich.labels.a"),
    (#"{"alarm": {"name": "a"}}"#, "spec.stages[0].alarm"),
    (#"{"alarm": {"name": "a", "when": "true"}}"#, "spec.stages[0].alarm.when"),
    (#"{"alarm": {"name": "a", "when": "value > 1", "above": 3}}"#, "spec.stages[0].alarm"),
    (#"{"alarm": {"name": "a", "when": "value > 1", "hysteresis": 3}}"#, "spec.stages[0].alarm.hysteresis"),
    (#"{"alarm": {"name": "a", "above": 1, "below": 1}}"#, "spec.stages[0].alarm.below"),
    (#"{"alarm": {"name": "a", "above": 1, "severity": "Bad"}}"#, "spec.stages[0].alarm.severity"),
    (#"{"nonsense": {}}"#, "spec.stages[0].nonsense"), (#"{"deadband": {}}"#, "spec.stages[0].deadband"),
    (#"{"deadband": {"absolute": -1}}"#, "spec.stages[0].deadband.absolute"),
    (#"{"deadband": {"absolute": 1, "extra": 1}}"#, "spec.stages[0].deadband.extra"),
    (#"{"throttle": {"every": "soon"}}"#, "spec.stages[0].throttle.every"),
    (#"{"filter": {"quality": ["Fine"]}}"#, "spec.stages[0].filter.quality[0]"),
    (#"{"filter": {"where": "value >"}}"#, "spec.stages[0].filter.where"),
    (
      #"{"aggregate": {"window": {"hopping": {"size": "1m"}}, "functions": ["mean"]}}"#,
      "spec.stages[0].aggregate.window.hopping.every"
    ),
    (
      #"{"aggregate": {"window": {"tumbling": "1m"}, "functions": ["mean", "p98"]}}"#,
      "spec.stages[0].aggregate.functions[1]"
    ),
    (
      #"{"aggregate": {"window": {"tumbling": "1m"}, "functions": ["mean"]}}, {"dedup": {}}"#,
      "spec.stages[0].aggregate"
    ),
  ])
  func `a spec that cannot be served names its field`(stages: String, path: String) throws {
    do {
      _ = try specification(stages)
      Issue.record("was taken")
    } catch let error as SpecificationError {
      #expect(error.path == path)
    }
  }

  @Test func `the contract's pipeline is taken and selects by labels, model and property`() throws {
    let json = try JSONValue(
      parsing: """
        {"from": {"selector": {"matchLabels": {"line": "a"}}, "properties": ["*temperature", "power-*"], "models": ["m"]},
         "durability": "Checkpoint",
         "stages": [{"filter": {"quality": ["Good"], "where": "value > -40 && value < 125"}},
          {"deadband": {"absolute": 0.2, "heartbeat": "1m"}},
          {"aggregate": {"window": {"tumbling": "10s"}, "functions": ["mean", "min", "max", "count"], "lateness": "2s"}}],
         "to": [{"name": "cloud"}]}
        """)
    let from = try PipelineSpecification(json: json).from
    let plant = Plant()
    for (property, taken) in [
      ("temperature", true), ("inlet-temperature", true), ("temperatures", false), ("power-1", true), ("power", false),
    ] {
      let series = try #require(plant.describe(plant.point(1, property: property)))
      #expect(from.matches(series) == taken, "\(property)")
      var other = series
      other.labels = ["line": "b"]
      #expect(!from.matches(other))
      other = series
      other.model = "x"
      #expect(!from.matches(other))
    }
  }
}
