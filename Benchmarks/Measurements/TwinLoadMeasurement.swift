import DeviceKit
import Documents
import Logging
import TwinStore

/// The start with a file of 20,000 properties of 200 devices: opening, checking and loading it. Milliseconds of wall time,
/// best of five; the stated limit stands in the floor's place.
func measureTwinLoad() async throws -> [Measurement] {
  let place = try BenchPlace()
  let load = IngestLoad(properties: 20_000)
  func open(_ points: PointTable) throws -> TwinStore {
    try TwinStore.open(
      directory: place.path("twins"), points: points, logger: .silent,
      options: .init(reportedInterval: .seconds(86_400)))
  }
  let store = try open(load.points)
  load.attach(to: store)
  for batch in load.rounds[0] { store.ingest(batch) }
  await store.close()
  var best = Double.infinity
  for _ in 0..<5 {
    let begin = monotonicNanoseconds()
    let again = try open(PointTable())
    best = min(best, (monotonicNanoseconds() - begin) / 1e6)
    guard again.devices.count == 200 else { throw BenchError("not all twins are there again") }
    await again.close()
  }
  return [Measurement(name: "load of 20,000 properties at the start", ours: best, floor: 200, unit: "ms")]
}
