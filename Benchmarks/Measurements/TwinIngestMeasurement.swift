import DeviceKit
import Documents
import Logging
import TwinStore

/// The twins' in-memory path on one core: batches of 100 samples of one device each, of which a seeded 30 % change, with
/// one watcher. Nanoseconds of the thread's processor time an update, with 200 to 100,000 properties.
///
/// The floor is a bare loop over the same columns and one array of slots: compare, both times, quality, version, dirty
/// mark. A last row sets 20,000 properties against 200: what the caches cost.
func measureTwinIngest() async throws -> [Measurement] {
  var rows: [Measurement] = []
  for properties in [200, 1_000, 20_000, 100_000] {
    let load = IngestLoad(properties: properties)
    let place = try BenchPlace()
    let store = try TwinStore.open(
      directory: place.path("twins"), points: load.points, logger: .silent,
      options: .init(reportedInterval: .seconds(86_400)))
    load.attach(to: store)
    let watcher = store.changes()
    var floor = IngestFloor(count: load.points.count)
    let repeats = max(1, 400_000 / properties / (load.rounds.count - 1))
    // Fills both sides, so that the repetitions meet the steady state.
    for batch in load.rounds[0] { store.ingest(batch) }
    let before = store.statistics
    let row = Measurement.best(
      of: 7, "twin ingest, \(properties) properties, 30 % change", unit: "ns CPU/update",
      ours: {
        let cost = load.cost(repeats) { store.ingest($0) }
        _ = watcher.take()
        return cost
      }, floor: { load.cost(repeats) { floor.ingest($0) } })
    let share =
      Double(store.statistics.changes - before.changes) / Double(store.statistics.samples - before.samples)
    guard (0.28...0.32).contains(share), store.statistics.unknownPoint == 0 else {
      throw BenchError("the share of changes is \(share)")
    }
    rows.append(row)
    await store.close()
  }
  rows.append(
    Measurement(
      name: "twin ingest, 20,000 properties against 200", ours: rows[2].ours, floor: rows[0].ours,
      unit: "ns CPU/update"))
  return rows
}

/// Rounds of batches over all devices; from each round to its neighbours 30 % of the values differ.
struct IngestLoad {
  static let batch = 100
  let points = PointTable()
  let keys: [DeviceKey]
  private(set) var rounds: [[SampleBatch]] = []

  init(properties: Int) {
    keys = (0..<properties / Self.batch).map { DeviceKey(namespace: "default", name: "device-\($0)") }
    var random = SplitMix64(seed: 0x5E1_7ED6E)
    var values = [Double](repeating: 20, count: properties)
    let ids = keys.flatMap { key in
      (0..<Self.batch).map { points.id(of: PointName(device: key, property: "p\($0)")) }
    }
    for round in 0..<5 {
      var batches: [SampleBatch] = []
      for device in keys.indices {
        var batch = SampleBatch()
        batch.reserveCapacity(Self.batch)
        for index in device * Self.batch..<(device + 1) * Self.batch {
          if random.next() % 10 < 3 { values[index] += 0.125 }
          batch.append(
            ids[index], kind: .number, payload: values[index].bitPattern, quality: .good,
            sourceTime: 1_700_000_000_000_000_000 + Int64(round), gatewayTime: 1_700_000_000_000_000_001 + Int64(round))
        }
        batches.append(batch)
      }
      rounds.append(batches)
    }
  }

  func attach(to store: TwinStore) {
    let properties = (0..<Self.batch).map { (PropertyDefinition(name: "p\($0)", type: .number), WriteRules()) }
    for key in keys { store.attach(key, properties: properties, writesEnabled: false) }
  }

  /// Goes up and down through the rounds; the cost of one sample.
  func cost(_ repeats: Int, _ body: (SampleBatch) -> Void) -> Double {
    let order = Array(1..<rounds.count) + (0..<rounds.count - 1).reversed()
    let begin = threadCPUNanoseconds()
    for _ in 0..<repeats {
      for round in order {
        for batch in rounds[round] { body(batch) }
      }
    }
    return (threadCPUNanoseconds() - begin) / Double(repeats * order.count * keys.count * Self.batch)
  }
}

private struct IngestFloor {
  private struct Slot {
    var payload: UInt64 = 0
    var sourceTime: Int64 = 0
    var gatewayTime: Int64 = 0
    var version: UInt64 = 0
    var quality = Quality.bad
    var isDirty = false
  }
  private var slots: [Slot]
  private var dirty: [UInt32] = []
  private var version: UInt64 = 0

  init(count: Int) { slots = Array(repeating: Slot(), count: count) }

  mutating func ingest(_ batch: SampleBatch) {
    version += 1
    let points = batch.points
    let payloads = batch.payloads
    let qualities = batch.qualities
    let sourceTimes = batch.sourceTimes
    let gatewayTimes = batch.gatewayTimes
    for index in points.indices {
      let point = Int(points[index].index)
      slots[point].sourceTime = sourceTimes[index]
      slots[point].gatewayTime = gatewayTimes[index]
      guard slots[point].payload != payloads[index] || slots[point].quality != qualities[index] else { continue }
      slots[point].payload = payloads[index]
      slots[point].quality = qualities[index]
      slots[point].version = version
      if !slots[point].isDirty {
        slots[point].isDirty = true
        dirty.append(UInt32(point))
      }
    }
  }
}
