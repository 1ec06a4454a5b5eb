import CAffinity
import DeviceKit
import Documents
import Glibc
import SinkKit
import Telemetry

/// Samples of 1,000 series through an engine of one to eight pipelines, each with the stages of ``measurePipeline()``,
/// whose closed windows go to a spool on disk, on one processor and on two. Against as many bare loops, one after the
/// other in one thread, that write their closed windows to a file after every batch and fsync as often as the spool.
/// Processor time of the process and wall time of a sample, through all its pipelines. The last rows are those of one
/// pipeline whose windows are kept for local queries too, which writes them a second time.
func measureScaling() async throws -> [Measurement] {
  let load = PipelineLoad(series: 1_000)
  let processors = min(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  var rows: [Measurement] = []
  for count in 1...processors {
    try Affinity.limit(to: count)
    for pipelines in [1, 2, 4, 8] {
      rows += try await scale(load, pipelines, "\(pipelines) pipelines, \(count) processors", isKept: false)
    }
  }
  try Affinity.limit(to: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  return rows + (try await scale(load, 1, "1 pipeline, kept for local queries", isKept: true))
}

private func scale(_ load: PipelineLoad, _ pipelines: Int, _ name: String, isKept: Bool) async throws -> [Measurement] {
  var processor = Measurement(name: name, ours: .infinity, floor: .infinity, unit: "ns CPU/sample")
  var wall = Measurement(name: "the same, wall time", ours: .infinity, floor: .infinity, unit: "ns/sample")
  for _ in 0..<3 {
    let floor = try bareLoops(load, pipelines)
    let ours = try await throughEngine(load, pipelines, isKept: isKept)
    processor.floor = min(processor.floor, floor.processor)
    processor.ours = min(processor.ours, ours.processor)
    wall.floor = min(wall.floor, floor.wall)
    wall.ours = min(wall.ours, ours.wall)
  }
  return [processor, wall]
}

private typealias Cost = (processor: Double, wall: Double)

private func bareLoops(_ load: PipelineLoad, _ pipelines: Int) throws -> Cost {
  let place = try BenchPlace()
  let begin = (processor: processCPUNanoseconds(), wall: monotonicNanoseconds())
  for pipeline in 0..<pipelines {
    let file = open(place.path("windows-\(pipeline)"), O_CREAT | O_WRONLY, 0o600)
    guard file >= 0 else { throw BenchError("cannot make a file: \(errno)") }
    defer { close(file) }
    _ = load.throughBareLoop(into: file)
  }
  return (
    (processCPUNanoseconds() - begin.processor) / Double(load.total),
    (monotonicNanoseconds() - begin.wall) / Double(load.total)
  )
}

private func throughEngine(_ load: PipelineLoad, _ pipelines: Int, isKept: Bool) async throws -> Cost {
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
  var localQuery = LocalQuerySettings()
  if !isKept { localQuery.keep = .nothing }
  await engine.apply(
    pipelines: (0..<pipelines).map {
      PipelineDefinition(key: "default/p\($0)", spec: ["stages": stages, "to": [["name": "later"]]])
    }, sinks: [], localQuery: localQuery)
  let running = Task { await engine.run() }
  let begin = (processor: processCPUNanoseconds(), wall: monotonicNanoseconds())
  for batch in load.batches { await engine.ingest(batch) }
  let spent = (
    (processCPUNanoseconds() - begin.processor) / Double(load.total),
    (monotonicNanoseconds() - begin.wall) / Double(load.total)
  )
  let taken = await engine.status().pipelines.reduce(0) { $0 + ($1.stages.first?.counters.input ?? 0) }
  running.cancel()
  await running.value
  guard taken == UInt64(load.total * pipelines) else { throw BenchError("the pipelines took \(taken) samples") }
  return spent
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
