import DeviceKit
import Telemetry
import Testing

/// Windows whose state is older than what was put out of them, whose clock is set, and which stand alone.
@Suite struct WindowTimeTests {
  private typealias Run = WindowBoundTests.Run
  private static let start = WindowBoundTests.start

  @Test func `aligned windows that were put out before a crash do not open again`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "lateness": "2s""#)
    run.take(3)
    run.core.windows?.discard(slot: 0, endingBy: Self.start + 20 * second)
    #expect(run.core.windows?.openWindows == 0)
    run.take(19.9)
    #expect(run.dropped == ["late": 1])
    run.take(20)
    // A second sink had come less far.
    run.core.windows?.discard(slot: 0, endingBy: Self.start + 10 * second)
    run.take(15)
    #expect(run.dropped == ["late": 2])
    run.flush()
    #expect(run.spans == [[20, 30]])
  }

  @Test func `sessions that were put out before a crash do not open again`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s"}}"#)
    run.take(1)
    run.take(2)
    run.core.windows?.discard(slot: 0, endingBy: Self.start + 5 * second)
    run.take(4)
    run.take(5)
    #expect(run.dropped == ["late": 2])
    run.take(6)
    run.flush()
    #expect(run.spans == [[6, 6]])
  }

  @Test(arguments: [#""of": "value > 0""#, ""])
  func `states that were put out before a crash do not begin again`(of: String) throws {
    let run = try Run(#""window": {"state": {\#(of)}}"#)
    run.take(1)
    run.core.windows?.discard(slot: 0, endingBy: Self.start + 5 * second)
    run.take(2)
    run.take(4)
    #expect(run.dropped == ["late": 2])
    run.take(5, .number(-1))
    run.take(7, .number(-1))
    run.take(9)
    #expect(run.spans == [[5, 9]])
    #expect(run.fields == [[.integer(2)]])
  }

  @Test func `a state at the time of the one before it is taken, one before it is late`() throws {
    let run = try Run(#""window": {"state": {"of": "value > 0"}}"#)
    run.take(5, .number(1))
    run.take(5, .number(-1))
    run.take(8, .number(-2))
    run.take(4.9, .number(-2))
    run.take(5, .number(-2))
    #expect(run.dropped == ["late": 1])
    run.take(7.9, .number(3))
    #expect(run.dropped == ["late": 2])
    run.take(7, .number(-3))
    run.take(7.9, .number(3))
    #expect(run.dropped == ["late": 3], "the state has come to 8 s")
    run.flush()
    #expect(run.spans == [[5, 5], [5, 8]])
    #expect(run.fields == [[.integer(1)], [.integer(4)]])
  }

  @Test func `a session ends where the gap begins, forwards and back and between`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s"}}, "lateness": "20s""#)
    run.take(10)
    run.take(14)
    run.take(6)
    run.take(17.999)
    run.take(2.001)
    // Between two sessions, a gap from the one and less from the other; then it joins them.
    run.take(30)
    run.take(36)
    run.take(32)
    run.take(40.001)
    run.take(36.5)
    run.flush()
    #expect(run.spans == [[2.001, 6], [10, 10], [14, 17.999], [30, 32], [36, 40.001]])
  }

  @Test func `a session at most as long as is said takes none at its end`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s", "max": "10s"}}, "lateness": "30s""#)
    for seconds in [0, 3, 6, 9, 10, 12] as [Double] { run.take(seconds) }
    // Before a session that it would make too long; and between two that together are too long.
    for seconds in [30, 33, 36, 39.5, 27.5] as [Double] { run.take(seconds) }
    run.flush()
    #expect(run.spans == [[0, 9], [10, 12], [27.5, 27.5], [30, 39.5]])
    let other = try Run(#""window": {"session": {"gap": "4s", "max": "10s"}}, "lateness": "30s""#)
    for seconds in [0, 3, 10, 12, 6.5] as [Double] { other.take(seconds) }
    other.flush()
    #expect(other.spans == [[0, 6.5], [10, 12]])
  }

  @Test func `a reading that is a gap and the lateness old is late for sessions`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s"}}, "lateness": "2s""#)
    run.take(20)
    run.take(14)
    #expect(run.dropped == ["late": 1])
    run.take(14.001)
    #expect(run.dropped == ["late": 1])
    run.take(30)
    #expect(run.spans == [[14.001, 14.001], [20, 20]])
    run.take(20)
    #expect(run.dropped == ["late": 2])
  }

  @Test func `a reading at the time of the newest makes a sliding window, the oldest pane takes what is late for it`()
    throws
  {
    // Panes of a second.
    let run = try Run(#""window": {"sliding": {"size": "60s"}}"#)
    run.take(100)
    run.take(100)
    #expect(run.fields == [[.integer(1)], [.integer(2)]])
    run.take(41)
    run.take(40.999)
    #expect(run.dropped == ["late": 1])
    run.take(100.5)
    #expect(run.fields.last == [.integer(4)])
    #expect(run.spans.last == [41, 100.5])
    run.take(101)
    #expect(run.spans.last == [42, 101])
    #expect(run.fields.last == [.integer(4)])
  }

  @Test func `empty windows begin anew after a flush and after a clock that skips all`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "empty": "Emit""#)
    run.take(5)
    run.flush()
    run.take(45)
    run.flush()
    #expect(run.spans == [[0, 10], [40, 50]], "none is empty before the first of the new ones")
    run.take(55)
    run.take(75)
    run.advance(to: 80.4)
    #expect(run.spans.dropFirst(2) == [[50, 60], [60, 70]])
    run.advance(to: 80.5)
    run.advance(to: 90.5)
    #expect(run.spans.dropFirst(4) == [[70, 80], [80, 90]], "while the clock goes on, empty windows come")
    run.core.clockStepped(by: 1_000 * second, at: Self.start + 91 * second, into: &run.rows)
    run.take(1_095)
    run.flush()
    #expect(run.spans.dropFirst(6) == [[1_090, 1_100]])
  }

  @Test func `an empty window repeats a text as first and last only, and is Uncertain`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "empty": "Last""#, #""mean", "max", "first", "last", "count""#)
    run.take(5, .string("on"))
    run.take(25, .number(3))
    run.take(45)
    let on = Value.string("on")
    #expect(
      run.fields == [
        [nil, nil, on, on, .integer(1)], [nil, nil, on, on, .integer(0)],
        [.number(3), .number(3), .number(3), .number(3), .integer(1)],
        [.number(3), .number(3), .number(3), .number(3), .integer(0)],
      ])
    #expect(run.rows.rows.map(\.quality) == [0, 1, 0, 1])
  }

  @Test func `strings that windows hold are let go with them`() throws {
    for window in [
      #""window": {"tumbling": "10s"}"#, #""window": {"hopping": {"size": "30s", "every": "10s"}}"#,
      #""window": {"session": {"gap": "4s"}}, "lateness": "9s""#, #""window": {"count": {"size": 7}}"#,
      #""window": {"state": {}}"#, #""window": {"sliding": {"size": "60s"}}"#,
      #""window": {"tumbling": "10s"}, "late": "Correct""#,
    ] {
      let run = try Run(window, #""first", "last""#)
      var generator = SplitMix64(seed: 3)
      for index in 0..<600 {
        let back = Double.random(in: 0...8, using: &generator)
        run.take(Double(index) * 2 - back, .string("s\(index / 5)"))
        run.advance(to: 0)
      }
      let open = run.core.windows?.heldTexts ?? .max
      #expect(open <= 2 * 70, "\(window)")
      run.flush()
      // What has closed is kept for windows that overlap and for corrections.
      if window.contains("hopping") || window.contains("Correct") { continue }
      #expect(run.core.windows?.heldTexts == 0, "\(window)")
    }
  }

  @Test func `a session that its length has closed takes nothing any more`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s", "max": "5s"}}"#)
    for seconds in [0, 3, 5, 3] as [Double] { run.take(seconds) }
    #expect(run.dropped == ["late": 1])
    run.flush()
    #expect(run.spans == [[0, 3], [5, 5]])
  }

  @Test func `a correction puts out what it changes and nothing else`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "late": "Correct""#)
    for seconds in [5, 15, 25, 35, 16] as [Double] { run.take(seconds) }
    run.advance(to: 0)
    run.take(6)
    run.advance(to: 0)
    #expect(run.spans == [[0, 10], [10, 20], [20, 30], [10, 20], [0, 10]])
    run.take(26)
    run.flush()
    #expect(run.spans.dropFirst(5) == [[20, 30], [30, 40]], "a flush puts out corrections, too")
    #expect(run.fields.map { $0[1] } == [0, 0, 0, 1, 2, 3, 0].map { .integer($0) })
  }

  @Test func `a correction goes on into the window that begins with it`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "late": "Correct""#, #""integral", "count""#)
    for seconds in [5, 15, 25, 35] as [Double] { run.take(seconds) }
    run.take(8, .number(3))
    run.advance(to: 0)
    #expect(run.spans.dropFirst(3) == [[0, 10], [10, 20]])
    #expect(
      run.fields.dropFirst(3) == [
        [.number(9), .integer(2), .integer(1)], [.number(20), .integer(1), .integer(2)],
      ])
  }

  @Test func `a flush puts out overlapping windows whose last reading's pane has closed`() throws {
    let run = try Run(#""window": {"hopping": {"size": "30s", "every": "10s"}}"#)
    run.take(5)
    run.advance(to: 10.5)
    #expect(run.spans == [[-20, 10]])
    run.flush()
    #expect(run.spans == [[-20, 10], [-10, 20], [0, 30]])
  }

  @Test func `times from before the clock was set, and far ahead of it, hold up nothing`() throws {
    for window in [#"{"tumbling": "10s"}"#, #"{"session": {"gap": "4s"}}"#, #"{"state": {}}"#] {
      let core = PipelineCore(
        try specification(#"{"aggregate": {"window": \#(window), "functions": ["count"]}}"#)
      ) { _ in 0 }
      var rows = RecordRows()
      for seconds in [1_000_000, 100, 101] as [Int64] {
        var batch = SampleBatch()
        batch.add(PointID(index: 0), .number(1), at: seconds * second)
        core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      }
      core.flush(into: &rows)
      #expect(core.windowCounters?.dropped == [:], "\(window)")
      #expect((0..<rows.count).map { rows.field($0) } == [.integer(1), .integer(2)], "\(window)")
    }
  }

  @Test func `the mean over an instant is its last reading`() throws {
    let run = try Run(#""window": {"session": {"gap": "4s"}}"#, #""timeWeightedMean", "integral""#)
    run.take(5, .number(1))
    run.take(5, .number(2))
    run.flush()
    #expect(run.fields == [[.number(2), .number(0)]])
  }

  @Test func `all panes are counted that wait for late readings`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "lateness": "50s""#)
    for seconds in [31, 1, 21, 11, 41] as [Double] { run.take(seconds) }
    #expect(run.core.windows?.openWindows == 5)
    run.take(70)
    #expect(run.core.windows?.openWindows == 4)
    #expect(run.spans == [[0, 10], [10, 20]])
  }

  @Test func `a value that holds after a bad reading does not count, before and after a window's edge`() throws {
    let run = try Run(
      #""window": {"tumbling": "10s"}, "durationWhere": "quality != Bad""#,
      #""duration", "timeWeightedMean", "validPercentage""#)
    run.take(2, .number(4))
    run.take(5, .number(4), .bad)
    run.take(12, .number(8))
    run.take(35, .number(8))
    #expect(
      run.fields.prefix(2) == [
        [.number(3), .number(4), .number(30)], [.number(8), .number(8), .number(80)],
      ])
    #expect(run.dropped == ["badQuality": 1])
  }
}
