import CAffinity
import DeviceKit
import Documents
import Glibc
import SinkKit
import Telemetry

/// Samples of 1,000 series through an engine of one to eight pipelines, each with the stages of ``measurePipeline()``,
/// whose closed windows go to a spool on disk, on one processor and on two; against as many bare loops in one thread.
/// Nanoseconds of wall time a sample.
func measureScaling() async throws -> [Measurement] {
  let load = PipelineLoad(series: 1_000)
  let processors = min(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  var rows: [Measurement] = []
  for count in 1...processors {
    try Affinity.limit(to: count)
    for pipelines in [1, 2, 4, 8] {
      var row = Measurement(
        name: "1,000 series, \(pipelines) pipelines, \(count) processors", ours: .infinity, floor: .infinity,
        unit: "ns wall/sample")
      for _ in 0..<3 {
        let begin = monotonicNanoseconds()
        for _ in 0..<pipelines { _ = load.throughBareLoop() }
        row.floor = min(row.floor, (monotonicNanoseconds() - begin) / Double(load.total))
        row.ours = min(row.ours, try await wallThroughEngine(load, pipelines: pipelines))
      }
      rows.append(row)
    }
  }
  try Affinity.limit(to: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  return rows
}

private func wallThroughEngine(_ load: PipelineLoad, pipelines: Int) async throws -> Double {
  let place = try BenchPlace()
  let points = load.points
  let engine = TelemetryEngine(
    directory: place.path("telemetry"), node: "bench", points: points, sinks: [],
    describe: { SeriesDescription(node: "bench", device: points.name(of: $0).device, property: "power") },
    range: { _ in nil },
    logger: .silent)
  let functions: JSONValue = ["mean", "min", "max", "count"]
  let stages: JSONValue = [
    ["deadband": ["absolute": .double(PipelineLoad.band), "heartbeat": "1m"]],
    ["aggregate": ["window": ["tumbling": "1s"], "functions": functions, "lateness": "200ms"]],
  ]
  await engine.apply(
    pipelines: (0..<pipelines).map {
      PipelineDefinition(key: "default/p\($0)", spec: ["stages": stages, "to": [["name": "later"]]])
    }, sinks: [])
  let running = Task { await engine.run() }
  let begin = monotonicNanoseconds()
  for batch in load.batches { await engine.ingest(batch) }
  let spent = monotonicNanoseconds() - begin
  let taken = await engine.status().pipelines.reduce(0) { $0 + ($1.stages.first?.counters.input ?? 0) }
  running.cancel()
  await running.value
  guard taken == UInt64(load.total * pipelines) else { throw BenchError("the pipelines took \(taken) samples") }
  return spent / Double(load.total)
}

/// Which processors this program's threads run on.
private enum Affinity {
  static func limit(to count: Int) throws(BenchError) {
    guard let directory = opendir("/proc/self/task") else { throw BenchError("cannot list the threads: \(errno)") }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let thread = pid_t(name) else { continue }
      _ = run_on_first_processors(thread, Int32(count))
    }
  }
}
