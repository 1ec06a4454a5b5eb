import DeviceKit
import Telemetry
import Testing

/// Windows that go on from saved state, and whose clock is set: what is counted, and what still falls due.
@Suite struct WindowRestoreTests {
  private typealias Run = WindowBoundTests.Run
  private static let start = WindowBoundTests.start

  /// A run that goes on from the saved state of another one's first series.
  private func restored(_ run: Run, _ aggregate: String, _ functions: String = #""count""#) throws -> Run {
    let later = try Run(aggregate, functions)
    var state = ByteWriter()
    run.core.save(slot: 0, to: &state)
    var input = ByteReader(state.bytes)
    try later.core.restore(PointID(index: 0), .init(series: 0), isTaken: true, from: &input)
    #expect(input.isAtEnd)
    return later
  }

  @Test(
    arguments: [
      (#""window": {"sliding": {"size": "60s"}}"#, 0), (#""window": {"hopping": {"size": "30s", "every": "10s"}}"#, 1),
      (#""window": {"tumbling": "10s"}, "late": "Correct""#, 1),
      (#""window": {"tumbling": "10s"}, "lateness": "60s""#, 3),
      (#""window": {"session": {"gap": "20s"}}"#, 3), (#""window": {"count": {"size": 5}}"#, 3),
      (#""window": {"state": {}}"#, 3),
    ] as [(String, UInt64)])
  func `what is held after a restart is what open windows hold`(aggregate: String, held: UInt64) throws {
    let run = try Run(aggregate)
    for seconds in [1, 11, 21] as [Double] { run.take(seconds) }
    let later = try restored(run, aggregate)
    #expect(later.core.windowCounters?.held == held)
    #expect(later.core.windowCounters?.input == held)
    later.flush()
    #expect(later.core.windowCounters?.held == 0)
    #expect(later.core.windowCounters?.output == held)
  }

  @Test func `corrections that wait come out after a restart`() throws {
    let aggregate = #""window": {"tumbling": "10s"}, "late": "Correct""#
    let run = try Run(aggregate)
    for seconds in [5, 15, 6] as [Double] { run.take(seconds) }
    let later = try restored(run, aggregate)
    later.advance(to: 0)
    #expect(later.spans == [[0, 10]])
    #expect(later.fields == [[.integer(2), .integer(1)]])
  }

  @Test func `a series that is silent after a restart closes by the clock`() throws {
    for aggregate in [#""window": {"tumbling": "10s"}"#, #""window": {"session": {"gap": "9s"}}"#] {
      let run = try Run(aggregate)
      run.take(1)
      let later = try restored(run, aggregate)
      #expect(later.core.isDue(at: Self.start + 10_400_000_000) == false)
      #expect(later.core.isDue(at: Self.start + 10_500_000_000))
      later.advance(to: 10.5)
      #expect(later.fields == [[.integer(1)]])
    }
  }

  @Test func `overlapping windows end by the clock, to the last that holds a reading`() throws {
    let run = try Run(#""window": {"hopping": {"size": "30s", "every": "10s"}}"#)
    run.take(5)
    for seconds in [10.5, 20.5, 30.4] { run.advance(to: seconds) }
    #expect(run.spans == [[-20, 10], [-10, 20]])
    run.advance(to: 30.5)
    #expect(run.spans == [[-20, 10], [-10, 20], [0, 30]])
    #expect(run.core.isDue(at: .max - 1) == false)
  }

  @Test func `a state after what was put out before a crash begins with its own first reading`() throws {
    let run = try Run(#""window": {"state": {}}"#)
    run.take(1)
    run.core.windows?.discard(slot: 0, endingBy: Self.start + 5 * second)
    run.take(8)
    run.take(6)
    #expect(run.dropped == ["late": 1])
    run.flush()
    #expect(run.spans == [[8, 8]])
  }

  @Test func `a bad reading is counted once, wherever it comes`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}"#, #""integral""#)
    run.take(5)
    run.take(25)
    run.take(6, .number(1), .bad)
    run.take(7)
    #expect(run.dropped == ["badQuality": 1, "late": 1])
  }

  @Test func `a series with its own clock is waited for as long as before when the gateway's is set`() throws {
    for step in [3_600, -50] as [Int64] {
      let run = try Run(#""window": {"tumbling": "10s"}"#)
      var batch = SampleBatch()
      batch.add(PointID(index: 0), .number(1), at: Self.start + second, arrival: Self.start + 8 * second)
      run.core.process(batch, into: &run.rows) { PipelineCore.Admission(series: $0.index) }
      run.core.clockStepped(by: step * second, at: Self.start + 9 * second, into: &run.rows)
      run.advance(to: Double(17 + step) + 0.4)
      #expect(run.rows.isEmpty)
      run.advance(to: Double(17 + step) + 0.5)
      #expect(run.spans == [[0, 10]])
    }
  }

  @Test func `a clock that is set back twice is waited for until it is where it was furthest`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}"#)
    run.take(101)
    run.core.clockStepped(by: -50 * second, at: Self.start + 105 * second, into: &run.rows)
    run.take(56)
    run.core.clockStepped(by: -50 * second, at: Self.start + 60 * second, into: &run.rows)
    for seconds in [11, 61, 99] as [Double] { run.take(seconds) }
    #expect(run.dropped == [:])
    run.flush()
    #expect(run.spans == [[100, 110]])
    #expect(run.fields == [[.integer(5)]])
  }
}
