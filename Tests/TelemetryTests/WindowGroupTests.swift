import DeviceKit
import SinkKit
import Telemetry
import Testing

/// How far the time of a group has come, as its series come, fall behind, fall silent and go.
@Suite struct WindowGroupTests {
  private static let start: Int64 = 1_800_000_000 * second

  /// Windows of 10 s that two series share.
  private final class Group {
    let core: PipelineCore
    var rows = RecordRows()
    var gone: Set<UInt32> = []
    var label = "a"

    init() throws {
      core = PipelineCore(
        try specification(
          #"{"aggregate": {"window": {"tumbling": "10s"}, "by": ["label:line"], "functions": ["count"]}}"#))
    }

    private func admit(_ point: PointID) -> PipelineCore.Admission? {
      guard !gone.contains(point.index) else { return nil }
      return PipelineCore.Admission(
        SeriesDescription(
          node: "n", device: DeviceKey(namespace: "default", name: "d\(point.index)"), property: "p",
          labels: ["line": label]))
    }

    func take(_ point: UInt32, _ seconds: Double) {
      var batch = SampleBatch()
      batch.add(PointID(index: point), .number(1), at: WindowGroupTests.start + Int64(seconds * 1e9))
      core.process(batch, into: &rows, admit: admit)
      #expect(core.windowCounters?.isBalanced == true)
    }

    func advance(to seconds: Double) {
      core.advance(to: WindowGroupTests.start + Int64(seconds * 1e9), into: &rows)
    }

    func ask(_ point: UInt32) { core.invalidate([PointID(index: point)], into: &rows, admit: admit) }

    /// The windows put out so far: begin in seconds after ``start``, and count.
    var windows: [[Int64]] {
      (0..<rows.count).map { row in
        [(rows.rows[row].windowStart - WindowGroupTests.start) / second, Int64(rows.field(row)?.number ?? -1)]
      }
    }
  }

  @Test func `a reading out of order takes no time back`() throws {
    let group = try Group()
    group.take(1, 5)
    group.take(0, 15)
    group.take(0, 4)
    #expect(group.windows == [])
    group.take(1, 12)
    #expect(group.windows == [[0, 2]])
  }

  @Test func `a series that the clock has passed holds up nothing until its next reading`() throws {
    let group = try Group()
    group.take(0, 1)
    group.take(1, 2)
    group.advance(to: 10.5)
    #expect(group.windows == [[0, 2]])
    group.take(0, 12)
    group.take(0, 25)
    #expect(group.windows == [[0, 2], [10, 1]])
    group.take(1, 24)
    group.take(0, 35)
    #expect(group.windows.count == 2, "it counts again")
    group.take(1, 31)
    #expect(group.windows == [[0, 2], [10, 1], [20, 2]])
  }

  @Test func `after all were silent readings close windows again`() throws {
    let group = try Group()
    group.take(0, 1)
    group.take(1, 2)
    group.advance(to: 10.5)
    for (point, seconds) in [(0, 12), (1, 13), (0, 25), (1, 26)] as [(UInt32, Double)] { group.take(point, seconds) }
    #expect(group.windows == [[0, 2], [10, 2]])
  }

  @Test func `a series that has come as far as the clock is not silent`() throws {
    let group = try Group()
    group.take(0, 1)
    group.take(1, 20)
    group.advance(to: 10.5)
    #expect(group.windows == [[0, 1]])
    group.take(0, 21)
    group.take(0, 35)
    #expect(group.windows == [[0, 1]])
    group.take(1, 31)
    #expect(group.windows == [[0, 1], [20, 2]])
  }

  @Test func `a series that goes holds up nothing, nor when it is back`() throws {
    let group = try Group()
    group.take(1, 5)
    group.take(0, 25)
    group.gone = [1]
    group.ask(1)
    group.take(0, 26)
    #expect(group.windows == [[0, 1]])
    group.gone = []
    group.ask(1)
    group.take(0, 40)
    #expect(group.windows == [[0, 1], [20, 2]])
    group.gone = [0, 1]
    group.ask(1)
    #expect(group.windows.count == 2)
    group.ask(0)
    #expect(group.windows == [[0, 1], [20, 2], [40, 1]])
  }

  @Test func `an empty label is none`() throws {
    let group = try Group()
    group.label = ""
    group.take(0, 1)
    #expect(group.core.windowCounters?.dropped == ["ungrouped": 1])
  }
}
