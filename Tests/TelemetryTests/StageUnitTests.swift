import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct StageUnitTests {
  @Test(
    arguments: [
      ("W", "kW", 1_500, 1.5), ("kW.h", "MJ", 1, 3.6), ("kWh", "J", 1, 3.6e6), ("Cel", "[degF]", 100, 212),
      ("[degF]", "Cel", -40, -40), ("Cel", "K", 0, 273.15), ("°C", "[degF]", 37, 98.6), ("bar", "kPa", 1, 100),
      ("psi", "bar", 100, 6.894_757_293), ("m3/h", "L/min", 6, 100), ("L/s", "m3/h", 1, 3.6), ("km/h", "m/s", 36, 10),
      ("mbar", "hPa", 1_013, 1_013), ("%", "1", 50, 0.5), ("min", "s", 2, 120), ("h", "min", 1.5, 90),
      ("rpm", "circ/s", 60, 1),
      ("kg", "[lb_av]", 1, 2.204_622_622), ("m", "[ft_i]", 1, 3.280_839_895), ("MiBy", "KiBy", 1, 1_024),
      ("V.A", "kW", 1_000, 1), ("m/s2", "cm/s2", 9.81, 981), ("s-1", "Hz", 50, 50), ("deg", "rad", 180, 3.141_592_654),
      ("kgf/cm2", "kPa", 1, 98.0665), ("m[H2O]", "mbar", 1, 98.0665), ("{count}/s", "Hz", 3, 3), ("µm", "mm", 5, 0.005),
      ("GW.h", "kW.h", 1, 1e6), ("t/h", "kg/s", 3.6, 1), ("hp", "W", 1, 745.699_871_6), ("A.h", "C", 1, 3_600),
      ("/s", "Hz", 2, 2),
    ] as [(String, String, Double, Double)])
  func `units convert`(from: String, to: String, value: Double, expected: Double) throws {
    let conversion = try #require(try Unit(from).conversion(to: try Unit(to)))
    let result = value * conversion.factor + conversion.offset
    #expect(abs(result - expected) <= max(abs(expected), 1) * 1e-9, "\(result)")
    let back = try #require(try Unit(to).conversion(to: try Unit(from)))
    #expect(abs(result * back.factor + back.offset - value) <= max(abs(value), 1) * 1e-9)
  }

  @Test(arguments: [
    "", "kilowatt", "m/", "m..s", "mCel", "Cel/s", "m10", "k", "°X", "[degF].m", String(repeating: "m.", count: 20),
  ])
  func `what is no unit is refused`(text: String) {
    #expect(throws: Unit.Problem.self) { try Unit(text) }
  }

  @Test func `units of different things do not convert`() throws {
    #expect(try Unit("kW").conversion(to: Unit("kW.h")) == nil)
    #expect(try Unit("Hz").conversion(to: Unit("rad/s")) == nil)
  }

  @Test func `a series converts, says so, and brings its range along`() throws {
    let run = try StageRun(#"{"convert": {"to": "kW"}}, {"deadband": {"percent": 10}}"#)
    run.units = ["power": "W", "flow": "L/s"]
    run.range = 0...100_000
    let out = run.feed([
      NamedSample("d", "power", .integer(1_500), at: second), NamedSample("power", 11_000, at: 2),
      NamedSample("power", 12_000, at: 3), NamedSample("flow", 3, at: 3),
      NamedSample("d", "power", .string("off"), at: 4 * second),
    ])
    #expect(
      out == [
        NamedSample("power", 1.5, at: 1), NamedSample("power", 12, at: 3), NamedSample("flow", 3, at: 3),
        NamedSample("d", "power", .string("off"), at: 4 * second),
      ])
    #expect(run.numbers.descriptions.map(\.unit).sorted() == ["L/s", "kW"])
  }

  @Test func `a range clamps to Uncertain`() throws {
    let run = try StageRun(#"{"range": {"max": 10, "outside": "Clamp"}}"#)
    run.range = -1...100
    let out = run.feed([
      NamedSample("p", 5, at: 1), NamedSample("p", 12.5, at: 2), NamedSample("d", "p", .integer(-7), at: 3 * second),
      NamedSample("d", "p", .string("x"), at: 4 * second),
    ])
    #expect(
      out == [
        NamedSample("p", 5, at: 1), NamedSample("p", 10, at: 2, .uncertain),
        NamedSample("d", "p", .integer(-1), at: 3 * second, .uncertain),
        NamedSample("d", "p", .string("x"), at: 4 * second),
      ])
  }

  @Test func `a bound beyond the integers' range clamps to a double`() throws {
    let run = try StageRun(#"{"range": {"max": 1e19, "outside": "Clamp"}}"#)
    let out = run.feed([NamedSample("d", "p", .unsigned(.max), at: second)])
    #expect(out == [NamedSample("d", "p", .number(1e19), at: second, .uncertain)])
  }

  @Test func `a bound beyond the series' range is the only value that passes`() throws {
    let run = try StageRun(#"{"range": {"min": 300}}"#)
    run.range = 0...200
    let out = run.feed([250, 300, 350].enumerated().map { NamedSample("p", $1, at: Double($0)) })
    #expect(out == [NamedSample("p", 300, at: 1)])
    #expect(run.dropped() == ["outOfRange": 2])
  }

  @Test func `a boolean is neither out of range nor converted`() throws {
    let run = try StageRun(#"{"range": {"min": 2}}, {"convert": {"to": "kW"}}"#)
    run.units = ["p": "W"]
    let sample = NamedSample("d", "p", .boolean(true), at: second)
    #expect(run.feed([sample]) == [sample])
  }

  @Test func `what is too large in another unit is dropped and counted`() throws {
    let run = try StageRun(#"{"convert": {"to": "W"}}"#)
    run.units = ["p": "kW"]
    let out = run.feed([NamedSample("p", 1e306, at: 1), NamedSample("p", 2, at: 2)])
    #expect(out == [NamedSample("p", 2_000, at: 2)])
    #expect(run.dropped() == ["nonFinite": 1])
    #expect(run.core.stages[0].counters.output == 1)
  }

  @Test func `sampled spans are whole multiples of the interval before 1970, too`() throws {
    let run = try StageRun(#"{"sample": {"interval": "5s"}}"#)
    let out = run.feed([-6, -5, -1, 0, 4.9, 5].map { NamedSample("p", 1, at: $0) })
    #expect(out.map(\.time) == [-6, -5, 0, 5].map { $0 * second })
  }

  @Test func `names and labels are told to later stages and to receivers`() throws {
    let run = try StageRun(
      #"{"rename": {"properties": {"t1": "temperature"}, "prefix": "boiler-"}}, {"enrich": {"labels": {"site": "north", "place": "{device}.{property}.{label:line|none}"}}}, {"filter": {"where": "property == 'boiler-temperature' && label('site') == 'north'"}}"#
    )
    let out = run.feed([NamedSample("t1", 1, at: 1), NamedSample("t2", 1, at: 1)])
    #expect(out == [NamedSample("boiler-temperature", 1, at: 1)])
    let told = try #require(run.numbers.descriptions.first { $0.property == "boiler-temperature" })
    #expect(told.labels == ["site": "north", "place": "d.boiler-temperature.none"])
  }

  @Test func `state of another version is forgotten and counted, the rest is taken`() throws {
    let stages = #"{"deadband": {"absolute": 1}}, {"throttle": {"every": "10s"}}"#
    let run = try StageRun(stages)
    _ = run.feed([NamedSample("p", 5, at: 1)])
    var state = ByteWriter()
    run.core.save(slot: 0, to: &state)
    // A blob's length, then its version.
    var bytes = state.bytes
    bytes[1] = 99
    let later = try StageRun(stages)
    var input = ByteReader(bytes)
    let point = later.points.id(of: PointName(device: DeviceKey(namespace: "default", name: "d"), property: "p"))
    try later.core.restore(point, .init(series: 0), isTaken: true, from: &input)
    #expect(later.core.forgottenStates == 1)
    #expect(later.feed([NamedSample("p", 5, at: 2)]) == [], "the throttle remembers")
    #expect(later.dropped(0) == [:], "the deadband does not")
    #expect(later.dropped(1) == ["throttled": 1])
  }
}
