import DeviceKit
import Documents
import Glibc
import SinkKit
import Telemetry

/// Records into a sink's spool with an fsync a group, against bare sequential writes of as many bytes with an fsync a
/// group: wall time a record, the disk's part included. And what the columns save: bytes a record on disk against the
/// same records as JSON.
func measureSpool() throws -> [Measurement] {
  var rows: [Measurement] = []
  for group in [500, 20_000] {
    let load = SpoolLoad(group: group)
    // Says how many bytes the floor has to write.
    _ = try load.intoSpool()
    var append = Measurement(
      name: "spool append, fsync every \(group) records", ours: .infinity, floor: .infinity, unit: "ns/record")
    for _ in 0..<5 {
      append.floor = min(append.floor, try load.ofBareWrites())
      append.ours = min(append.ours, try load.intoSpool())
    }
    rows.append(append)
    rows.append(
      Measurement(
        name: "bytes a record on disk, against JSON", ours: Double(load.bytes) / Double(load.records),
        floor: load.jsonBytes, unit: "bytes"))
  }
  return rows
}

private final class SpoolLoad {
  let group: Int
  let records: Int
  private(set) var bytes = 1
  private(set) var jsonBytes = 0.0
  private let catalogue = SeriesCatalogue()
  private let layout = RecordLayout(pipeline: "default/bench", fields: ["mean", "min", "max", "count"])
  private var groups: [RecordRows] = []

  init(group: Int) {
    self.group = group
    records = max(40_000, 4 * group)
    var state: UInt64 = 7
    let handles = (0..<1_000).map { index in
      let device = DeviceKey(namespace: "default", name: "machine-\(index)")
      let handle = catalogue.handle(
        of: .init(pipeline: "default/bench", point: .init(device: device, property: "power")))
      catalogue.describe(
        handle, as: SeriesDescription(node: "n", device: device, property: "power", model: "meter", unit: "kW"))
      return handle
    }
    var rows = RecordRows()
    for index in 0..<records {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(state >> 40) / 100
      let end = 1_800_000_000_000_000_000 + Int64(index / 1_000) * 10_000_000_000
      rows.append(
        RecordRows.Row(slot: Int32(index % 1_000), time: end, windowStart: end - 10_000_000_000, quality: .good))
      for field in [value / 3, value.rounded(.down), value.rounded(.up)] { rows.appendField(.number, field.bitPattern) }
      rows.appendField(.integer, 20)
      if rows.count == group {
        catalogue.number(&rows, series: handles)
        groups.append(rows)
        rows = RecordRows()
      }
    }
  }

  func intoSpool() throws -> Double {
    let place = try BenchPlace()
    let spool = try Spool(directory: place.path("spool"), catalogue: catalogue, now: 0)
    let begin = monotonicNanoseconds()
    for rows in groups {
      var position = 0
      try spool.append(rows, layout: layout, from: &position, at: 1)
      try spool.sync()
    }
    let spent = (monotonicNanoseconds() - begin)
    bytes = Int(spool.bytes)
    if jsonBytes == 0, let batch = try spool.read(limit: 100, at: 1) {
      jsonBytes = Double(batch.records.reduce(0) { $0 + $1.json.serialised().count }) / Double(batch.records.count)
    }
    return spent / Double(records)
  }

  /// The bytes that the spool made of the same groups; known once it has run.
  func ofBareWrites() throws -> Double {
    let place = try BenchPlace()
    let piece = [UInt8](repeating: 0x5A, count: max(1, bytes / groups.count))
    let descriptor = open(place.path("bare"), O_CREAT | O_RDWR, 0o600)
    guard descriptor >= 0 else { throw BenchError("cannot make a file: \(errno)") }
    defer { close(descriptor) }
    let begin = monotonicNanoseconds()
    for _ in groups {
      guard write(descriptor, piece, piece.count) == piece.count, fdatasync(descriptor) == 0 else {
        throw BenchError("cannot write: \(errno)")
      }
    }
    return (monotonicNanoseconds() - begin) / Double(records)
  }
}
