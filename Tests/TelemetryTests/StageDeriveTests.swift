import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

@Suite struct StageDeriveTests {
  private func derive(_ members: String) throws -> StageRun { try StageRun(#"{"derive": {"name": "x", \#(members)}}"#) }

  @Test func `values that are read together are computed once, with each other`() throws {
    let run = try derive(#""expression": "power / flow", "unit": "J/L""#)
    let out = run.feed([
      NamedSample("power", 10, at: 1), NamedSample("flow", 2, at: 1), NamedSample("other", 1, at: 1),
      NamedSample("power", 12, at: 2), NamedSample("flow", 3, at: 2), NamedSample("flow", 4, at: 3),
    ])
    #expect(
      out.filter { $0.property == "x" } == [
        NamedSample("x", 5, at: 1), NamedSample("x", 4, at: 2), NamedSample("x", 3, at: 3),
      ])
    #expect(out.count == 9)
    #expect(run.core.stages[0].counters.made == 3)
    let made = try #require(run.numbers.descriptions.first { $0.property == "x" })
    #expect(made.unit == "J/L")
    #expect(made.model == "m")
  }

  @Test func `what is not known, too old or bad is told apart`() throws {
    let run = try derive(#""expression": "a + b", "maxAge": "5s""#)
    #expect(run.feed([NamedSample("a", 1, at: 1)]) == [NamedSample("a", 1, at: 1)])
    #expect(run.dropped() == ["missing": 1])
    #expect(run.feed([NamedSample("b", 2, at: 6)]).last == NamedSample("x", 3, at: 6))
    #expect(run.feed([NamedSample("b", 2, at: 6.5)]).last == NamedSample("b", 2, at: 6.5))
    #expect(run.dropped() == ["missing": 1, "stale": 1])
    #expect(run.feed([NamedSample("a", nil, at: 7, .bad)]).last == NamedSample("x", nil, at: 7, .bad))
    #expect(run.feed([NamedSample("a", 4, at: 8, .uncertain)]).last == NamedSample("x", 6, at: 8, .uncertain))
    #expect(run.feed([NamedSample("a", 9, at: 2)]) == [NamedSample("a", 9, at: 2)], "an older sample changes nothing")
  }

  @Test func `a result that is no number is Bad`() throws {
    let run = try derive(#""expression": "a / 0""#)
    #expect(run.feed([NamedSample("a", 1, at: 1)]).last == NamedSample("x", nil, at: 1, .bad))
  }

  @Test func `conditions make booleans, and booleans are read as conditions`() throws {
    let run = try derive(#""expression": "running && load > 0.5""#)
    let out = run.feed([
      NamedSample("d", "running", .boolean(true), at: second), NamedSample("load", 0.7, at: 1),
      NamedSample("load", 0.1, at: 2),
    ])
    #expect(out.filter { $0.property == "x" }.map(\.value) == [.boolean(true), .boolean(false)])
  }

  @Test func `a property of the derived name is replaced`() throws {
    let run = try derive(#""expression": "x * 1.8 + 32", "unit": "[degF]""#)
    #expect(run.feed([NamedSample("x", 100, at: 1)]) == [NamedSample("x", 212, at: 1)])
    #expect(run.dropped() == ["replaced": 1])
  }

  @Test func `devices are apart`() throws {
    let run = try derive(#""expression": "a - b""#)
    let out = run.feed(
      ["p", "q"].flatMap { device in
        [
          NamedSample(device, "a", .integer(device == "p" ? 5 : 7), at: second),
          NamedSample(device, "b", .integer(1), at: second),
        ]
      })
    #expect(out.filter { $0.property == "x" }.map(\.value) == [.number(4), .number(6)])
  }

  @Test func `a pattern sums over the properties of a device`() throws {
    let run = try derive(#""expression": "sum(\"phase-*\") / count(\"phase-*\")""#)
    let out = run.feed((1...3).map { NamedSample("phase-\($0)", Double($0), at: 1) })
    #expect(out.last == NamedSample("x", 2, at: 1))
  }

  @Test(
    arguments: [
      ("sum", 9.0), ("avg", 3), ("min", 1), ("max", 5), ("count", 3),
    ])
  func `figures are of what is usable, and Uncertain where that is not all`(figure: String, expected: Double) throws {
    let run = try derive(#""expression": "\#(figure)(\"t-*\")""#)
    func made(_ samples: [NamedSample]) -> NamedSample? { run.feed(samples).last { $0.property == "x" } }
    let three = [3, 1, 5].enumerated().map { NamedSample("t-\($0)", $1, at: 1) }
    #expect(made(three) == NamedSample("x", expected, at: 1))
    #expect(made([NamedSample("t-3", nil, at: 2, .bad)]) == NamedSample("x", expected, at: 2, .uncertain))
    let again = try derive(#""expression": "\#(figure)(\"t-*\")""#)
    let doubtful = three.dropLast() + [NamedSample("t-2", 5, at: 1, .uncertain)]
    #expect(again.feed(Array(doubtful)).last == NamedSample("x", expected, at: 1, .uncertain))
  }

  @Test func `what a device sent before it went is not known when it is back`() throws {
    let run = try derive(#""expression": "a + b""#)
    _ = run.feed([NamedSample("a", 1, at: 1), NamedSample("b", 2, at: 1)])
    run.gone = ["d"]
    _ = run.invalidate()
    run.gone = []
    _ = run.invalidate()
    #expect(run.feed([NamedSample("a", 3, at: 5)]) == [NamedSample("a", 3, at: 5)])
    #expect(run.feed([NamedSample("b", 4, at: 6)]).last == NamedSample("x", 7, at: 6))
  }

  @Test func `of samples of one time the later is known`() throws {
    let run = try derive(#""expression": "a * 2""#)
    let out = run.feed([NamedSample("a", 1, at: 1), NamedSample("a", 2, at: 1)])
    #expect(out.last == NamedSample("x", 4, at: 1))
  }

  @Test func `a group's property replaces none of its devices' by the same name`() throws {
    let run = try StageRun(#"{"derive": {"name": "power", "expression": "sum(power)", "of": {"label": "line"}}}"#)
    run.labels = ["d": ["line": "a"]]
    let sample = NamedSample("power", 5, at: 1)
    #expect(run.feed([sample]) == [sample, NamedSample("line=a", "power", .number(5), at: second)])
  }

  @Test func `a group is computed once a batch over what is usable`() throws {
    let run = try derive(#""expression": "sum(power)", "of": {"label": "line"}, "maxAge": "10s""#)
    run.labels = ["p": ["line": "a"], "q": ["line": "a"], "r": ["line": "b"], "s": [:]]
    func power(_ device: String, _ value: Double?, at seconds: Double, _ quality: Quality = .good) -> NamedSample {
      NamedSample(device, "power", value.map { .number($0) }, at: Int64(seconds * 1e9), quality)
    }
    func group(_ line: String, _ value: Double, at seconds: Double, _ quality: Quality = .good) -> NamedSample {
      NamedSample("line=\(line)", "x", .number(value), at: Int64(seconds * 1e9), quality)
    }
    func made(_ samples: [NamedSample]) -> [NamedSample] { samples.filter { $0.property == "x" } }
    #expect(
      made(run.feed([power("p", 1, at: 1), power("q", 2, at: 1.5), power("r", 4, at: 1), power("s", 8, at: 1)])) == [
        group("a", 3, at: 1.5), group("b", 4, at: 1),
      ])
    #expect(made(run.feed([power("p", nil, at: 2, .bad)])) == [group("a", 2, at: 2, .uncertain)])
    #expect(made(run.feed([power("p", 5, at: 12)])) == [group("a", 5, at: 12, .uncertain)], "q is too old")
    run.labels["q"] = ["line": "b"]
    _ = run.invalidate()
    #expect(made(run.feed([power("r", 1, at: 11)])) == [group("b", 3, at: 11)], "q is of b now")
    run.gone = ["q"]
    _ = run.invalidate()
    #expect(made(run.feed([power("r", 1, at: 11.5)])) == [group("b", 1, at: 11.5)])
  }

  @Test func `a derived series goes on through later stages and a restart`() throws {
    let run = try StageRun(
      #"{"derive": {"name": "x", "expression": "a + b"}}, {"filter": {"where": "property == 'x'"}}, {"deadband": {"absolute": 1}}, {"rename": {"properties": {"x": "sum"}}}"#
    )
    #expect(
      run.feed([NamedSample("a", 1, at: 1), NamedSample("b", 1, at: 1)]) == [NamedSample("sum", 2, at: 1)])
    try run.restart()
    #expect(run.feed([NamedSample("b", 1.5, at: 2)]) == [], "the deadband knows what was sent")
    #expect(run.feed([NamedSample("b", 3, at: 3)]) == [NamedSample("sum", 4, at: 3)])
  }

  /// What the stage has to make, by the book: last values in dictionaries, evaluated in Swift.
  private func reference(_ samples: [NamedSample], batches: [Int]) -> [NamedSample] {
    var known: [String: [String: NamedSample]] = [:]
    var out: [NamedSample] = []
    var start = 0
    for size in batches {
      var open: [(device: String, time: Int64)] = []
      func close(_ device: String) {
        guard let index = open.firstIndex(where: { $0.device == device }) else { return }
        let time = open.remove(at: index).time
        guard let a = known[device]?["a"], let b = known[device]?["b"] else { return }
        guard time - a.time <= 3 * second, time - b.time <= 3 * second else { return }
        let worst: Quality = a.quality == .good && b.quality == .good ? .good : .uncertain
        let result = a.value!.number! * 2 - b.value!.number!
        out.append(NamedSample(device, "x", .number(result), at: time, worst))
      }
      for sample in samples[start..<start + size] {
        let former = known[sample.device]?[sample.property]
        if let pending = open.first(where: { $0.device == sample.device }), pending.time != sample.time {
          close(sample.device)
        }
        if sample.time >= former?.time ?? .min {
          known[sample.device, default: [:]][sample.property] = sample
          let newest = known[sample.device]!.values.map(\.time).max()!
          if !open.contains(where: { $0.device == sample.device }) { open.append((sample.device, newest)) }
        }
      }
      for (device, _) in open { close(device) }
      start += size
    }
    return out
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `random samples derive what a plain loop does`(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var samples: [NamedSample] = []
    var time = 1_000 * second
    for _ in 0..<3_000 {
      time += Int.random(in: 0..<3, using: &generator) == 0 ? 0 : .random(in: 0...second, using: &generator)
      let late = Int.random(in: 0..<10, using: &generator) == 0 ? Int64.random(in: 0...second, using: &generator) : 0
      samples.append(
        NamedSample(
          "d\(Int.random(in: 0..<4, using: &generator))", Bool.random(using: &generator) ? "a" : "b",
          .number(Double(Int.random(in: 0..<100, using: &generator))), at: time - late,
          Int.random(in: 0..<9, using: &generator) == 0 ? .uncertain : .good))
    }
    var batches: [Int] = []
    while batches.reduce(0, +) < samples.count {
      batches.append(min(Int.random(in: 1...60, using: &generator), samples.count - batches.reduce(0, +)))
    }
    let run = try derive(#""expression": "a * 2 - b", "maxAge": "3s""#)
    var found: [NamedSample] = []
    var start = 0
    for size in batches {
      found += run.feed(Array(samples[start..<start + size])).filter { $0.property == "x" }
      start += size
      if start % 5 == 0 { try run.restart() }
    }
    let expected = reference(samples, batches: batches)
    for device in Set(expected.map(\.device)) {
      #expect(found.filter { $0.device == device } == expected.filter { $0.device == device })
    }
    #expect(found.count == expected.count)
    #expect(expected.count > 500)
  }
}
