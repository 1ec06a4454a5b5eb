import DeviceKit
import Documents
import Logging
import ModbusProtocol
import Synchronization
import Telemetry
import TwinStore

/// Sessions of the Modbus plugin on devices of equal shape, into twins in memory and through a pipeline's core: a
/// deadband, then a 1 s tumbling window of mean, min, max and count.
struct PollingFleet {
  /// One device's place, and whether anybody answers there.
  struct Place {
    var port: Int
    var isSilent = false
  }

  final class Feed: DeviceFeed {
    private struct Passage {
      let core = PipelineCore(
        PipelineSpecification(
          stages: [
            .deadband(.init(band: .absolute(0.5), heartbeat: .seconds(60))),
            .aggregate(
              .init(tumbling: .seconds(1), functions: [.mean, .min, .max, .count], lateness: .milliseconds(200))),
          ]), register: { _ in 0 })
      var rows = RecordRows()
    }
    let twins: TwinStore
    let good = Atomic(0)
    private let passage = Mutex(Passage())
    /// By device: when its last batch came, and how far from the period the gaps were.
    private let gaps: Mutex<(last: [Int64], lags: [Int64])>
    private let valuesPerDevice: Int
    private let period: Int64

    init(_ twins: TwinStore, devices: Int, valuesPerDevice: Int, period: Duration) {
      self.twins = twins
      self.valuesPerDevice = valuesPerDevice
      self.period = period.nanoseconds
      gaps = Mutex(([Int64](repeating: 0, count: devices), []))
    }

    func deliver(_ batch: SampleBatch) async {
      twins.ingest(batch)
      passage.withLock { passage in
        passage.core.process(batch, into: &passage.rows) { PipelineCore.Admission(series: $0.index) }
        passage.rows.removeAll()
      }
      let count = batch.qualities.reduce(0) { $0 + ($1 == .good ? 1 : 0) }
      guard count > 0 else { return }
      good.wrappingAdd(count, ordering: .relaxed)
      let device = Int(batch.points[0].index) / valuesPerDevice
      let time = batch.gatewayTimes[0]
      gaps.withLock { gaps in
        if gaps.last[device] > 0 { gaps.lags.append(abs(time - gaps.last[device] - period)) }
        gaps.last[device] = time
      }
    }

    func connection(of device: DeviceKey, is state: ConnectionState) {
      twins.connection(device, isConnected: state == .connected)
    }

    func forgetLags() { gaps.withLock { $0.lags.removeAll() } }
    /// Nanoseconds by which 99 of 100 gaps between a device's batches missed the period at most.
    var lag99: Int64 {
      gaps.withLock { gaps in
        let sorted = gaps.lags.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
      }
    }
  }

  let feed: Feed
  let plugin = ModbusPlugin()
  private let place: BenchPlace
  private let twins: TwinStore
  private var sessions: [any DeviceSession] = []
  /// Good values a period.
  let nominal: Int

  init(_ places: [Place], registers: Int, every period: Duration) throws {
    place = try BenchPlace()
    let points = PointTable()
    // Nothing is committed within the measurement: the twins' persistence has a row of its own.
    twins = try TwinStore.open(
      directory: place.path("twins"), points: points, logger: .silent,
      options: .init(reportedInterval: .seconds(86_400)))
    feed = Feed(twins, devices: places.count, valuesPerDevice: registers, period: period)
    nominal = registers * places.count { !$0.isSilent }
    let properties = (0..<registers).map { register in
      PropertyDefinition(
        name: "register-\(register)", type: .integer, pollEvery: period,
        binding: ["table": "holding", "address": .integer(Int64(register))])
    }
    for (number, place) in places.enumerated() {
      let device = DeviceKey(namespace: "default", name: "server-\(number)")
      let ids = properties.map { points.id(of: PointName(device: device, property: $0.name)) }
      twins.attach(device, properties: properties.map { ($0, WriteRules()) }, writesEnabled: false)
      sessions.append(
        try plugin.session(
          for: SessionRequest(
            device: device,
            connection: ["tcp": ["host": "127.0.0.1", "port": .integer(Int64(place.port))], "unitID": 1],
            properties: properties, points: ids), feed: feed))
    }
  }

  /// Polls until `isReady` many values were read, and for `span` more: processor time a value in nanoseconds, and good
  /// values a second.
  func run(after isReady: Int, for span: Duration) async throws -> (cost: Double, valuesPerSecond: Double) {
    let result = try await withThrowingTaskGroup(of: Void.self) { group in
      for session in sessions { group.addTask { await session.run() } }
      defer { group.cancelAll() }
      try await until("every register was read") { feed.good.load(ordering: .relaxed) > isReady }
      feed.forgetLags()
      let before = (processCPUNanoseconds(), feed.good.load(ordering: .relaxed), monotonicNanoseconds())
      try await Task.sleep(for: span)
      let after = (processCPUNanoseconds(), feed.good.load(ordering: .relaxed), monotonicNanoseconds())
      let values = Double(after.1 - before.1)
      return (cost: (after.0 - before.0) / values, valuesPerSecond: values / (after.2 - before.2) * 1e9)
    }
    return result
  }

  func close() async { await twins.close() }
}
