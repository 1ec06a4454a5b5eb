import DeviceKit
import Documents
import Foundation
import Logging
import SinkKit
import Synchronization
import Telemetry

func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("telemetry-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("telemetry-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Awaits a condition; false when it does not come within five minutes.
func eventually(_ condition: () async -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + .seconds(300)
  while ContinuousClock.now < deadline {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return await condition()
}

/// A clock that stands until it is set.
final class ManualClock: Sendable {
  private let time: Mutex<Int64>
  init(_ seconds: Int64 = 1_800_000_000) { time = Mutex(seconds * 1_000_000_000) }
  var clock: WallClock { WallClock { Timestamp(nanoseconds: self.time.withLock { $0 }) } }
  var now: Int64 { time.withLock { $0 } }
  func advance(_ duration: Duration) { time.withLock { $0 += duration.nanoseconds } }
}

/// A receiver in memory that does as it is told.
final class MemorySink: SinkPlugin, SinkWriter {
  typealias Behaviour = @Sendable ([TelemetryRecord], _ call: Int) -> SinkOutcome
  private struct State {
    var received: [TelemetryRecord] = []
    var calls = 0
    var behaviour: Behaviour
  }
  private let state: Mutex<State>
  let name = "memory"
  let schema = "type: object"

  init(_ behaviour: @escaping Behaviour = { _, _ in .delivered }) { state = Mutex(State(behaviour: behaviour)) }

  func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter { self }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    state.withLock { state in
      state.calls += 1
      let outcome = state.behaviour(records, state.calls)
      if outcome == .delivered { state.received += records }
      return outcome
    }
  }

  func close() async {}
  func behave(_ behaviour: @escaping Behaviour) { state.withLock { $0.behaviour = behaviour } }
  var received: [TelemetryRecord] { state.withLock { $0.received } }
  var calls: Int { state.withLock { $0.calls } }

  static let down = SinkOutcome.retry(
    SinkError(reason: "Down", message: "the receiver is down"), after: .milliseconds(1))
}

/// Points of devices `d0`, `d1`, … in the namespace `default`, each with the property `temperature`.
final class Plant: Sendable {
  let points = PointTable()
  let labels = Mutex<[String: String]>(["line": "a"])

  func point(_ device: Int, property: String = "temperature", namespace: String = "default") -> PointID {
    points.id(of: PointName(device: DeviceKey(namespace: namespace, name: "d\(device)"), property: property))
  }

  func describe(_ point: PointID) -> SeriesDescription? {
    let name = points.name(of: point)
    return SeriesDescription(
      node: "n1", device: name.device, property: name.property, model: "m", unit: "Cel",
      labels: labels.withLock { $0 })
  }

  func engine(_ directory: String, _ sinks: [any SinkPlugin], _ clock: ManualClock) -> TelemetryEngine {
    engine(directory, sinks, GatewayClock(following: clock.clock))
  }

  func engine(_ directory: String, _ sinks: [any SinkPlugin], _ clock: GatewayClock) -> TelemetryEngine {
    TelemetryEngine(
      directory: directory, node: "n1", points: points, sinks: sinks, describe: { self.describe($0) },
      range: { _ in (0, 100) }, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }
}

extension SampleBatch {
  mutating func add(
    _ point: PointID, _ value: Value?, at time: Int64, quality: Quality = .good, arrival: Int64? = nil
  ) {
    append(point, value, quality: quality, sourceTime: time, gatewayTime: arrival ?? time)
  }
}

/// Runs batches through a core that admits every point, its handle being its index.
func pass(_ batches: [SampleBatch], through core: PipelineCore, range: ClosedRange<Double>? = nil) -> RecordRows {
  var rows = RecordRows()
  for batch in batches {
    core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index, range: range) }
  }
  return rows
}

/// Gives each series the next number; the same description's device and property have the same.
final class SeriesNumbers {
  private(set) var descriptions: [SeriesDescription] = []

  func number(of description: SeriesDescription) -> UInt32 {
    let known = descriptions.firstIndex { $0.device == description.device && $0.property == description.property }
    if let known {
      descriptions[known] = description
      return UInt32(known)
    }
    descriptions.append(description)
    return UInt32(descriptions.count - 1)
  }
}

extension PipelineCore {
  convenience init(_ specification: PipelineSpecification) {
    let numbers = SeriesNumbers()
    self.init(specification) { numbers.number(of: $0) }
  }

  /// A core of these stages.
  convenience init(stages: String, _ numbers: SeriesNumbers) throws {
    self.init(try TelemetryTests.specification(stages)) { numbers.number(of: $0) }
  }
}

func specification(_ stages: String) throws -> PipelineSpecification {
  try PipelineSpecification(json: try JSONValue(parsing: #"{"stages": [\#(stages)], "to": [{"name": "s"}]}"#))
}

let second: Int64 = 1_000_000_000
