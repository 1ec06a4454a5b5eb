import DeviceKit
import Documents
import Glibc
import Logging
import TwinStore

/// What the twins write to the disk, in MB a day, out of the process's own account (/proc/self/io, `write_bytes`: pages
/// handed to the block layer, the log's and the file's). The floor's place holds what is promised: nothing for a gateway
/// on which nothing changes, at most 4 GB a day for 10,000 values that all move every second, at the default of one write
/// a minute and property. At every change nothing is promised: the floor is the values' own 16 bytes.
///
/// Time is not waited for: each period is a round of changes and the write that its timer would ask for.
func measureTwinFlash() async throws -> [Measurement] {
  let idle = try await bytesADay(every: .seconds(60), rounds: 0)
  let usual = try await bytesADay(every: .seconds(60), rounds: 120)
  let eager = try await bytesADay(every: .seconds(1), rounds: 240)
  return [
    Measurement(name: "flash, twins at rest for 2 h", ours: idle, floor: 0, unit: "MB/day"),
    Measurement(name: "flash, 10,000 values move each second, default", ours: usual, floor: 4_000, unit: "MB/day"),
    Measurement(
      name: "flash, the same at every change", ours: eager, floor: 10_000 * 16 * 86_400 / 1e6, unit: "MB/day"),
  ]
}

/// Megabytes a day where every property is written once in `interval`; no rounds: nothing changes for 120 of them.
private func bytesADay(every interval: Duration, rounds: Int) async throws -> Double {
  // Not in memory, where nothing is counted: beside the binary.
  let place = try BenchPlace(in: ".build")
  let load = IngestLoad(properties: 10_000)
  let store = try TwinStore.open(
    directory: place.path("twins"), points: load.points, logger: .silent,
    options: .init(reportedInterval: .seconds(86_400)))
  load.attach(to: store)
  // A whole cycle of the log first, so that checkpoints count with their share.
  for round in 0..<30 {
    for batch in load.moved(round) { store.ingest(batch) }
    try await store.persist(every: .seconds(86_400))
  }
  let before = try writtenBytes()
  for round in 0..<max(rounds, 120) {
    for batch in load.moved(rounds == 0 ? 29 : 30 + round) { store.ingest(batch) }
    try await store.persist(every: .seconds(86_400))
  }
  let written = Double(try writtenBytes() - before)
  await store.close()
  return written / 1e6 / (Double(max(rounds, 120)) * interval.seconds) * 86_400
}

extension IngestLoad {
  /// All values, different in every round.
  func moved(_ round: Int) -> [SampleBatch] {
    rounds[0].map { batch in
      var moved = SampleBatch()
      moved.reserveCapacity(batch.count)
      let time = 1_700_000_000_000_000_000 + Int64(round) * 1_000_000_000
      for index in 0..<batch.count {
        let value = Double(bitPattern: batch.payloads[index]) + Double(round) / 7
        moved.append(
          batch.points[index], kind: .number, payload: value.bitPattern, quality: .good, sourceTime: time,
          gatewayTime: time + 2_000_000)
      }
      return moved
    }
  }
}

/// Bytes that this process has caused to be written so far.
private func writtenBytes() throws -> Int {
  guard let file = fopen("/proc/self/io", "r") else { throw BenchError("/proc/self/io cannot be read") }
  defer { fclose(file) }
  var line: UnsafeMutablePointer<CChar>?
  var capacity = 0
  defer { free(line) }
  while getline(&line, &capacity, file) > 0, let line {
    let words = String(cString: line).split { $0 == ":" || $0.isWhitespace }
    if words.first == "write_bytes", let count = words.last.flatMap({ Int($0) }) { return count }
  }
  throw BenchError("/proc/self/io has no write_bytes")
}
