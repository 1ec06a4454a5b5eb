import DeviceKit
import Foundation
import Telemetry
import Testing

/// What windows do at their very bounds, by hand.
@Suite struct WindowBoundTests {
  static let start: Int64 = 1_800_000_000 * second

  /// A core with the means to feed it.
  final class Run {
    let core: PipelineCore
    var rows = RecordRows()

    init(_ aggregate: String, _ functions: String = #""count""#) throws {
      core = PipelineCore(try specification(#"{"aggregate": {\#(aggregate), "functions": [\#(functions)]}}"#)) { _ in 0
      }
    }

    /// Takes one sample at so many seconds after ``start``.
    func take(_ seconds: Double, _ value: Value? = .number(1), _ quality: Quality = .good, of point: UInt32 = 0) {
      var batch = SampleBatch()
      batch.add(
        PointID(index: point), value, at: WindowBoundTests.start + Int64((seconds * 1e9).rounded()), quality: quality)
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      #expect(core.windowCounters?.isBalanced == true)
    }

    func advance(to seconds: Double) {
      core.advance(to: WindowBoundTests.start + Int64((seconds * 1e9).rounded()), into: &rows)
    }

    func flush() { core.flush(into: &rows) }

    /// The fields of every row so far.
    var fields: [[Value?]] {
      let width = core.fields.count
      return (0..<rows.count).map { row in (0..<width).map { rows.field(row * width + $0) } }
    }

    /// When each row's window begins and ends, in seconds after ``start``.
    var spans: [[Double]] {
      rows.rows.map { row in
        [row.windowStart, row.time].map { Double($0 - WindowBoundTests.start) / 1e9 }
      }
    }

    var dropped: [String: UInt64] { core.windowCounters?.dropped ?? [:] }
  }

  @Test func `a window closes at its end and lateness, not after`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "lateness": "2s""#)
    run.take(1)
    run.take(11.999_999_999)
    #expect(run.rows.isEmpty)
    run.take(9)
    run.take(12)
    #expect(run.fields == [[.integer(2)]])
    run.take(9.999_999_999)
    #expect(run.dropped == ["late": 1])
    run.take(10)
    run.flush()
    #expect(run.spans == [[0, 10], [10, 20]])
    #expect(run.fields == [[.integer(2)], [.integer(3)]])
  }

  @Test func `a correction is taken as far back as is said, not further`() throws {
    let run = try Run(#""window": {"tumbling": "10s"}, "late": "Correct", "correctFor": "20s""#)
    run.take(5)
    run.take(15)
    run.take(35)
    run.take(9.999_999_999)
    #expect(run.dropped == ["late": 1])
    run.take(10)
    run.advance(to: 0)
    #expect(run.spans == [[0, 10], [10, 20], [10, 20]])
    #expect(run.fields.last == [.integer(2), .integer(1)])
  }

  @Test func `an older reading is in the course unless 16 newer ones have gone before it`() throws {
    let run = try Run(#""window": {"tumbling": "100s"}"#, #""integral", "count", "sum""#)
    for seconds in 1...16 { run.take(Double(seconds)) }
    run.take(0.5, .number(5))
    #expect(run.core.windows?.misplaced == 0)
    run.take(0.2, .number(7))
    #expect(run.core.windows?.misplaced == 1)
    run.flush()
    #expect(run.fields == [[.number(5 * 0.5 + 99), .integer(18), .number(28)]])
  }

  @Test func `of readings at one time the later to arrive comes after, among many too`() throws {
    let run = try Run(#""window": {"tumbling": "100s"}"#, #""increase", "first", "last""#)
    run.take(1, .integer(10))
    for seconds in 2...16 { run.take(Double(seconds), .integer(20)) }
    run.take(1, .integer(15))
    run.take(16, .integer(25))
    run.take(16, .integer(30))
    run.flush()
    #expect(run.fields == [[.integer(20), .integer(10), .integer(30)]])
  }

  @Test(arguments: [1, 2, 31, 32])
  func `quantiles of up to 32 readings are exact`(count: Int) throws {
    let run = try Run(#""window": {"count": {"size": \#(count)}}"#, #""median", "p90", "p99""#)
    for number in (0..<count).reversed() { run.take(Double(count - number), .number(Double(number) * 1.003 - 7)) }
    let expected = [0.5, 0.9, 0.99].map { share in
      let rank = share * Double(count - 1)
      let (low, high) = (rank.rounded(.down) * 1.003 - 7, rank.rounded(.up) * 1.003 - 7)
      return low + (high - low) * (rank - rank.rounded(.down))
    }
    let found = try #require(run.fields.first).map { $0?.number ?? .nan }
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(found), should be \(expected)")
  }

  /// The readings' magnitudes differ so much that bins have to become one.
  @Test(arguments: [1.0, -1.0], [1, 5])
  func `quantiles of far apart magnitudes are within the error that follows from their span`(sign: Double, panes: Int)
    throws
  {
    let run = try Run(
      panes == 1 ? #""window": {"tumbling": "100s"}"# : #""window": {"hopping": {"size": "100s", "every": "20s"}}"#,
      #""median", "p90", "p95", "p99", "min", "max""#)
    // Each pane has a range of its own, so that panes with and without halved bins come together in either order.
    let exponents = (0..<500).map { index in
      let pane = index / 100
      return pane % 2 == 0 ? Double(index % 100) / 10 : -11 + Double(index % 100) * 0.4
    }
    for (index, exponent) in exponents.enumerated() {
      run.take(Double(index) / 5, .number(sign * pow(10, exponent)))
    }
    run.flush()
    let place = try #require(run.spans.firstIndex { $0 == [0, 100] })
    let values = exponents.map { sign * pow(10, $0) }.sorted()
    for (index, share) in [0.5, 0.9, 0.95, 0.99].enumerated() {
      let rank = share * 499
      let (low, high) = (values[Int(rank)], values[Int(rank.rounded(.up))])
      let found = try #require(run.fields[place][index]?.number)
      let tolerance = 0.0401 * max(abs(low), abs(high))
      #expect(
        (min(low, high) - tolerance...max(low, high) + tolerance).contains(found),
        "p\(share) is \(found), \(low)…\(high)")
    }
  }

  @Test func `zeros and magnitudes as good as zero have their rank between the signs`() throws {
    let kinds: [Double] = [-5, 0, 1e-13, 0, 3, -1e-13, 0, 0, 0, 2e-9, -5, 0, 0, 0, 2e-9, 0, 0, 0, 2e-9, 2e-9]
    for every in ["100s", "20s"] {
      let run = try Run(
        #""window": {"hopping": {"size": "100s", "every": "\#(every)"}}"#, #""median", "p90", "p99""#)
      for index in 0..<100 { run.take(Double(index), .number(kinds[index % 20])) }
      run.flush()
      let place = try #require(run.spans.firstIndex { $0 == [0, 100] })
      let found = run.fields[place].map { $0?.number ?? .nan }
      #expect(found[0] == 0)
      #expect(abs(found[1] - 2e-9) < 2.1e-11)
      #expect(abs(found[2] - 3) < 0.031)
    }
  }

  @Test(arguments: [(-7.0, 0.0), (0, 7), (-7, 7), (-7, -3), (3, 7)])
  func `the middle one of 101 readings is its own quantile`(low: Double, high: Double) throws {
    for greater in [50, 51] {
      let run = try Run(#""window": {"count": {"size": 101}}"#, #""median""#)
      for index in 0..<101 { run.take(Double(index), .number(index < greater ? high : low)) }
      let found = try #require(run.fields.first?[0]?.number)
      let expected = greater == 50 ? low : high
      #expect(abs(found - expected) <= 0.0101 * abs(expected))
    }
  }

  @Test func `a window knows nothing of the one whose place it takes`() throws {
    let functions =
      #""median", "p90", "stddev", "integral", "timeWeightedMean", "increase", "duration", "first", "last", "sum""#
    let (used, fresh) = (
      try Run(#""window": {"session": {"gap": "20s"}}"#, functions),
      try Run(#""window": {"session": {"gap": "20s"}}"#, functions)
    )
    // Far apart magnitudes of both signs and zeros, in order and not, and a string at the end.
    for index in 0..<90 {
      used.take(Double(index ^ 3), .number([0, 1e-11, 1e15, -3][index % 4]))
    }
    used.take(90, .string("x"))
    for run in [used, fresh] {
      for index in 0..<90 { run.take(Double(200 + index), .number(Double(index % 10 + 1))) }
      for index in 0..<5 { run.take(Double(400 + index), .integer(Int64(index))) }
      run.flush()
    }
    #expect(used.fields.count == 3)
    #expect(Array(used.fields.dropFirst()) == fresh.fields)
  }
}
