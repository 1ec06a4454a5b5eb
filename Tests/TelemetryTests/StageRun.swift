import DeviceKit
import Documents
import SinkKit
import Telemetry
import Testing

/// One sample with its series' name, for what goes into a pipeline and what comes out of it.
struct NamedSample: Equatable, CustomStringConvertible {
  var device: String
  var property: String
  var value: Value?
  /// Nanoseconds.
  var time: Int64
  var quality: Quality

  init(_ device: String, _ property: String, _ value: Value?, at time: Int64, _ quality: Quality = .good) {
    (self.device, self.property, self.value, self.time, self.quality) = (device, property, value, time, quality)
  }

  /// Of the device `d`, at a second.
  init(_ property: String, _ value: Double?, at seconds: Double, _ quality: Quality = .good) {
    self.init("d", property, value.map { .number($0) }, at: Int64(seconds * 1e9), quality)
  }

  var description: String {
    "\(device)/\(property)=\(value.map { "\($0)" } ?? "nil") at \(Double(time) / 1e9) \(quality)"
  }
}

/// A pipeline without an engine around it, fed with samples by name.
final class StageRun {
  let stages: String
  private(set) var core: PipelineCore
  let numbers = SeriesNumbers()
  let points = PointTable()
  /// Labels by device.
  var labels: [String: [String: String]] = [:]
  var units: [String: String] = [:]
  var range: ClosedRange<Double>?
  /// Devices that the pipeline takes no more.
  var gone: Set<String> = []
  /// How much later than its source time a sample arrives.
  var delay: Int64 = 0

  init(_ stages: String) throws {
    self.stages = stages
    let numbers = numbers
    core = PipelineCore(try specification(stages)) { numbers.number(of: $0) }
  }

  private func admit(_ point: PointID) -> PipelineCore.Admission? {
    let name = points.name(of: point)
    guard !gone.contains(name.device.name) else { return nil }
    return PipelineCore.Admission(
      SeriesDescription(
        node: "n1", device: name.device, property: name.property, model: "m", unit: units[name.property] ?? "",
        labels: labels[name.device.name] ?? [:]), range: range)
  }

  private func point(_ device: String, _ property: String) -> PointID {
    points.id(of: PointName(device: DeviceKey(namespace: "default", name: device), property: property))
  }

  /// Takes the samples as one batch.
  func feed(_ samples: [NamedSample]) -> [NamedSample] {
    var batch = SampleBatch()
    for sample in samples {
      batch.add(
        point(sample.device, sample.property), sample.value, at: sample.time, quality: sample.quality,
        arrival: sample.time + delay)
    }
    return collect { core.process(batch, into: &$0, admit: admit) }
  }

  func advance(to seconds: Double) -> [NamedSample] { collect { core.advance(to: Int64(seconds * 1e9), into: &$0) } }
  func settle() -> [NamedSample] { collect { core.settle(into: &$0) } }
  func flush() -> [NamedSample] { collect { core.flush(into: &$0) } }

  /// Tells the pipeline that labels, units or what is gone have changed.
  func invalidate() -> [NamedSample] {
    collect { core.invalidate((0..<points.count).map { PointID(index: UInt32($0)) }, into: &$0, admit: admit) }
  }

  private func collect(_ body: (inout RecordRows) -> Void) -> [NamedSample] {
    var rows = RecordRows()
    body(&rows)
    for stage in core.stages { #expect(stage.counters.isBalanced, "\(stage.name): \(stage.counters)") }
    for (earlier, later) in zip(core.stages, core.stages.dropFirst()) {
      #expect(earlier.counters.output == later.counters.input, "\(earlier.name) → \(later.name)")
    }
    return rows.rows.enumerated().map { index, row in
      let series = numbers.descriptions[Int(core.series[Int(row.slot)])]
      return NamedSample(
        series.device.name, series.property, rows.field(index), at: row.time,
        Quality(rawValue: row.quality) ?? .bad)
    }
  }

  /// Goes on in a new core from the state that the present one saves, as after a restart.
  func restart() throws {
    let former = core
    let numbers = numbers
    core = PipelineCore(try specification(stages)) { numbers.number(of: $0) }
    for slot in 0..<former.slots.count {
      var state = ByteWriter()
      former.save(slot: slot, to: &state)
      guard !state.bytes.isEmpty else { continue }
      var input = ByteReader(state.bytes)
      switch former.slots.origin(of: slot) {
      case .point(let point):
        let admission = try #require(admit(point))
        try core.restore(point, admission, isTaken: true, from: &input)
      case .made(let made):
        try core.restore(made, numbers.descriptions[Int(former.series[slot])], from: &input)
      }
      #expect(input.isAtEnd)
    }
  }

  func dropped(_ stage: Int = 0) -> [String: UInt64] { core.stages[stage].counters.dropped }
}
