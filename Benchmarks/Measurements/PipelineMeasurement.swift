import DeviceKit
import Documents
import Glibc
import Telemetry

/// Samples through a deadband that lets about 30 % pass and a 1 s tumbling window with lateness and quality (mean, min,
/// max, count), against the same arithmetic in one plain loop over the same columns. Nanoseconds of processor time a
/// sample, from 1 to 100,000 series.
func measurePipeline() -> [Measurement] {
  [1, 100, 1_000, 10_000, 100_000].map { series in
    let load = PipelineLoad(series: series)
    let measurement = Measurement.best(
      of: 7, "deadband + 1 s window, \(series) series", unit: "ns/sample", ours: { load.throughPipeline() },
      floor: { load.throughBareLoop() })
    precondition(load.windows.ours == load.windows.bare, "both ways close the same windows: \(load.windows)")
    return measurement
  }
}

/// The samples: twenty a second of each series, in batches, values by chance.
final class PipelineLoad {
  let series: Int
  /// How many windows each way has closed: they must agree.
  var windows = (ours: 0, bare: 0)
  let batches: [SampleBatch]
  /// Keeps 30 % of changes of a value that is even between 0 and 1 and is compared with the last one sent.
  static let band = 0.45

  init(series: Int) {
    self.series = series
    for index in 0..<series {
      _ = points.id(of: PointName(device: DeviceKey(namespace: "default", name: "machine-\(index)"), property: "power"))
    }
    var state: UInt64 = 42
    var batches: [SampleBatch] = []
    let total = max(2_000_000, series * 90)
    var batch = SampleBatch()
    let start: Int64 = 1_800_000_000_000_000_000
    for index in 0..<total {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(state >> 11) / Double(1 << 53)
      let time = start + Int64(index / series) * 50_000_000 + Int64(index % series)
      batch.append(
        PointID(index: UInt32(index % series)), kind: .number, payload: value.bitPattern, quality: .good,
        sourceTime: time, gatewayTime: time)
      if batch.count == 1_000 {
        batches.append(batch)
        batch = SampleBatch()
      }
    }
    if !batch.isEmpty { batches.append(batch) }
    self.batches = batches
  }

  /// A table of the points that the samples name.
  let points = PointTable()
  func device(_ point: PointID) -> DeviceKey { points.name(of: point).device }
  var total: Int { batches.reduce(0) { $0 + $1.count } }

  /// Batches before the clock starts: a second and a half, in which series are met for the first time.
  private var warmUp: Int { 30 * series / 1_000 }
  var samples: Double { Double(batches[warmUp...].reduce(0) { $0 + $1.count }) }

  func throughPipeline() -> Double {
    let core = PipelineCore(
      PipelineSpecification(
        stages: [
          .deadband(.init(band: .absolute(Self.band), heartbeat: .seconds(60))),
          .aggregate(
            .init(tumbling: .seconds(1), functions: [.mean, .min, .max, .count], lateness: .milliseconds(200))),
        ]), register: { _ in 0 })
    var rows = RecordRows()
    var closed = 0
    var begin = 0.0
    for (number, batch) in batches.enumerated() {
      if number == warmUp { begin = threadCPUNanoseconds() }
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      closed += rows.count
      rows.removeAll()
    }
    core.windows?.flush(into: &rows)
    let spent = threadCPUNanoseconds() - begin
    windows.ours = closed + rows.count
    return spent / samples
  }

  /// What one window of one series needs, and no more.
  private struct BareWindow {
    var start: Int64 = 0
    var sum = 0.0
    var lost = 0.0
    var minimum = 0.0
    var maximum = 0.0
    var count = 0
    var quality = Quality.good
  }

  private struct BareSeries {
    var last = -1e300
    var sentAt: Int64 = 0
    var quality = Quality.bad
    /// When the older window closes, or late samples begin.
    var closeAt = Int64.min
    var newest = BareWindow()
    var older = BareWindow()
  }

  private struct BareRow {
    var start: Int64
    var mean: Double
    var minimum: Double
    var maximum: Double
    var count: Int
    var quality: Quality
  }

  /// One loop for samples in order, which these are: two open windows a series are enough, and nothing is late.
  /// With a file, what a batch has closed is appended to it as it lies in memory, with an fsync after as many rows as a
  /// sink's spool takes before it makes one.
  func throughBareLoop(into file: Int32? = nil) -> Double {
    var unsynced = 0
    let cells = UnsafeMutablePointer<BareSeries>.allocate(capacity: series)
    cells.initialize(repeating: BareSeries(), count: series)
    defer { cells.deallocate() }
    var output: [BareRow] = []
    var closed = 0
    let size: Int64 = 1_000_000_000
    let lateness: Int64 = 200_000_000
    let heartbeat: Int64 = 60_000_000_000
    var begin = 0.0
    for (number, batch) in batches.enumerated() {
      if number == warmUp { begin = threadCPUNanoseconds() }
      let (points, times, payloads, qualities) = (batch.points, batch.sourceTimes, batch.payloads, batch.qualities)
      for index in 0..<points.count {
        let cell = cells + Int(points[index].index)
        let value = Double(bitPattern: payloads[index])
        let time = times[index]
        let quality = qualities[index]
        guard
          (value - cell.pointee.last).magnitude > Self.band || time - cell.pointee.sentAt >= heartbeat
            || quality != cell.pointee.quality
        else { continue }
        cell.pointee.last = value
        cell.pointee.sentAt = time
        cell.pointee.quality = quality
        if time >= cell.pointee.closeAt {
          if cell.pointee.older.count > 0 { Self.close(&cell.pointee.older, &output) }
          if cell.pointee.newest.count > 0, time - cell.pointee.newest.start >= size + lateness {
            Self.close(&cell.pointee.newest, &output)
          }
          cell.pointee.closeAt = time - (time - lateness) % size + size
        }
        if cell.pointee.newest.count == 0 || time - cell.pointee.newest.start >= size {
          cell.pointee.older = cell.pointee.newest
          cell.pointee.newest = BareWindow(start: time - time % size, minimum: value, maximum: value, quality: quality)
        }
        let total = cell.pointee.newest.sum + value
        let part = total - cell.pointee.newest.sum
        cell.pointee.newest.lost += (cell.pointee.newest.sum - (total - part)) + (value - part)
        cell.pointee.newest.sum = total
        cell.pointee.newest.minimum = min(cell.pointee.newest.minimum, value)
        cell.pointee.newest.maximum = max(cell.pointee.newest.maximum, value)
        cell.pointee.newest.count += 1
        if quality.rawValue > cell.pointee.newest.quality.rawValue { cell.pointee.newest.quality = quality }
      }
      closed += output.count
      if let file, !output.isEmpty {
        let written = output.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        precondition(written > 0, "the disk takes what the floor writes")
        unsynced += output.count
        if unsynced >= 20_000 {
          fdatasync(file)
          unsynced = 0
        }
      }
      output.removeAll(keepingCapacity: true)
    }
    for index in 0..<series {
      if cells[index].older.count > 0 { Self.close(&cells[index].older, &output) }
      if cells[index].newest.count > 0 { Self.close(&cells[index].newest, &output) }
    }
    let spent = threadCPUNanoseconds() - begin
    windows.bare = closed + output.count
    return spent / samples
  }

  private static func close(_ window: inout BareWindow, _ output: inout [BareRow]) {
    output.append(
      BareRow(
        start: window.start, mean: (window.sum + window.lost) / Double(window.count), minimum: window.minimum,
        maximum: window.maximum, count: window.count, quality: window.quality))
    window.count = 0
  }
}
