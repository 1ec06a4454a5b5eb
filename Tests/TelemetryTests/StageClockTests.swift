import DeviceKit
import SinkKit
import Telemetry
import Testing

/// What stages know of times goes along when the gateway's clock is set, for series that have its times, and stays where
/// it is for those that have their source's own.
@Suite struct StageClockTests {
  /// A run after one sample of `value` at 100 s and a clock set by so many seconds a second later.
  private func run(
    _ stage: String, _ property: String = "p", _ value: Double = 1, step: Double, delay: Double = 0
  ) throws -> StageRun {
    let run = try StageRun(stage)
    run.delay = Int64(delay * 1e9)
    _ = run.feed([NamedSample(property, value, at: 100)])
    run.core.setClock(by: step, at: 101 + delay)
    if delay != 0 { run.delay += Int64(step * 1e9) }
    return run
  }

  @Test(arguments: [3_600.0, -50])
  func `a heartbeat is as long as it was`(step: Double) throws {
    let stage = #"{"deadband": {"absolute": 5, "heartbeat": "10s"}}"#
    let stamped = try run(stage, step: step)
    #expect(stamped.feed([NamedSample("p", 1, at: 109.9 + step)]) == [])
    #expect(stamped.feed([NamedSample("p", 1, at: 110 + step)]).count == 1)
    let own = try run(stage, step: step, delay: 7)
    #expect(own.feed([NamedSample("p", 1, at: 109.9)]) == [])
    #expect(own.feed([NamedSample("p", 1, at: 110)]).count == 1)
  }

  @Test(arguments: [3_600.0, -50])
  func `a throttle's interval is as long as it was`(step: Double) throws {
    let stage = #"{"throttle": {"every": "3s"}}"#
    let stamped = try run(stage, step: step)
    #expect(stamped.feed([NamedSample("p", 1, at: 102.9 + step)]) == [])
    #expect(stamped.feed([NamedSample("p", 1, at: 103 + step)]).count == 1)
    let own = try run(stage, step: step, delay: 7)
    #expect(own.feed([NamedSample("p", 1, at: 102.9)]) == [])
    #expect(own.feed([NamedSample("p", 1, at: 103)]).count == 1)
  }

  @Test(arguments: [3_600.0, -50])
  func `a swinging door goes on from its line's beginning`(step: Double) throws {
    let stage = #"{"swingingDoor": {"deviation": 5, "minInterval": "2s", "maxInterval": "10s"}}"#
    let stamped = try run(stage, step: step)
    #expect(stamped.feed([NamedSample("p", 1, at: 101.9 + step), NamedSample("p", 1, at: 103 + step)]) == [])
    #expect(stamped.dropped() == ["tooSoon": 1])
    #expect(stamped.core.stages[0].dueAt == Int64((110 + step) * 1e9))
    let own = try run(stage, step: step, delay: 7)
    #expect(own.feed([NamedSample("p", 1, at: 101.9), NamedSample("p", 1, at: 103)]) == [])
    #expect(own.dropped() == ["tooSoon": 1])
    #expect(own.core.stages[0].dueAt == Int64((117 + step) * 1e9))
  }

  @Test(arguments: [3_600.0, -50])
  func `what is known is as old as it was`(step: Double) throws {
    let stage = #"{"derive": {"name": "x", "expression": "a + b", "maxAge": "5s"}}"#
    func made(_ run: StageRun, at seconds: Double) -> [NamedSample] {
      run.feed([NamedSample("b", 2, at: seconds)]).filter { $0.property == "x" }
    }
    for delay in [0, 7.0] {
      let run = try run(stage, "a", step: step, delay: delay)
      let moved = delay == 0 ? step : 0
      // Its own first sample after the step shows whether a series has the gateway's times.
      #expect(run.feed([NamedSample("a", 3, at: 102 + moved)]).count == 1)
      #expect(made(run, at: 107 + moved) == [NamedSample("x", 5, at: 107 + moved)])
      #expect(made(run, at: 107.1 + moved) == [])
    }
  }

  @Test func `a result has the time that its property has after the clock was set back`() throws {
    let run = try run(#"{"derive": {"name": "x", "expression": "a + 1"}}"#, "a", step: -50)
    #expect(run.feed([NamedSample("a", 3, at: 52)]).last == NamedSample("x", 4, at: 52))
    #expect(run.feed([NamedSample("a", 4, at: 53)]).last == NamedSample("x", 5, at: 53))
  }

  @Test(arguments: [3_600.0, -50])
  func `an alarm's delay is as long as it was, by samples and by the clock`(step: Double) throws {
    let stage = #"{"alarm": {"name": "hot", "when": "value > 80", "for": "3s"}}"#
    func edges(_ samples: [NamedSample]) -> [Double] {
      samples.filter { $0.property == "t-hot" }.map { Double($0.time) / 1e9 }
    }
    let stamped = try run(stage, "t", 81, step: step)
    #expect(stamped.core.stages[0].dueAt == Int64((103.5 + step) * 1e9))
    #expect(edges(stamped.feed([NamedSample("t", 81, at: 102.9 + step)])) == [])
    #expect(edges(stamped.feed([NamedSample("t", 81, at: 103.1 + step)])) == [103 + step])
    let own = try run(stage, "t", 81, step: step, delay: 7)
    #expect(own.core.stages[0].dueAt == Int64((110.5 + step) * 1e9))
    #expect(edges(own.advance(to: 110.4 + step)) == [])
    #expect(edges(own.advance(to: 110.5 + step)) == [103])
  }
}

extension PipelineCore {
  /// Sets the gateway's clock by so many seconds when it stands at `seconds`, where no stage keeps a sample back.
  fileprivate func setClock(by step: Double, at seconds: Double) {
    var rows = RecordRows()
    clockStepped(by: Int64(step * 1e9), at: Int64(seconds * 1e9), into: &rows)
    #expect(rows.isEmpty)
  }
}
