import DeviceKit
import Documents
import Telemetry

/// Samples through a deadband that lets about 30 % pass and a 1 s tumbling window with lateness and quality (mean, min,
/// max, count), against the same arithmetic in one plain loop over the same columns. Nanoseconds of processor time a
/// sample, at 1,000 and at 100,000 series.
func measurePipeline() -> [Measurement] {
  [1_000, 100_000].map { series in
    let load = PipelineLoad(series: series)
    return .best(
      of: 7, "deadband + 1 s window, \(series) series", unit: "ns/sample", ours: { load.throughPipeline() },
      floor: { load.throughBareLoop() })
  }
}

/// The samples: ten a second of each series, in batches, values by chance.
private struct PipelineLoad {
  let series: Int
  let batches: [SampleBatch]
  /// Keeps 30 % of changes of a value that is even between 0 and 1 and is compared with the last one sent.
  static let band = 0.45

  init(series: Int) {
    self.series = series
    var state: UInt64 = 42
    var batches: [SampleBatch] = []
    let total = max(2_000_000, series * 30)
    var batch = SampleBatch()
    let start: Int64 = 1_800_000_000_000_000_000
    for index in 0..<total {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(state >> 11) / Double(1 << 53)
      let time = start + Int64(index / series) * 100_000_000 + Int64(index % series)
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

  private var samples: Double { Double(batches.reduce(0) { $0 + $1.count }) }

  func throughPipeline() -> Double {
    let core = PipelineCore(
      PipelineSpecification(
        stages: [
          .deadband(.init(band: .absolute(Self.band), heartbeat: .seconds(60))),
          .aggregate(
            .init(tumbling: .seconds(1), functions: [.mean, .min, .max, .count], lateness: .milliseconds(200))),
        ]))
    var rows = RecordRows()
    var closed = 0
    let begin = threadCPUNanoseconds()
    for batch in batches {
      core.process(batch, into: &rows) { PipelineCore.Admission(series: $0.index) }
      closed += rows.count
      rows.removeAll()
    }
    core.windows?.flush(into: &rows)
    let spent = threadCPUNanoseconds() - begin
    precondition(closed + rows.count > 0)
    return spent / samples
  }

  /// What one series needs, and no more.
  private struct Bare {
    var last = -1e300
    var sentAt: Int64 = 0
    var quality = Quality.bad
    var windowQuality = Quality.good
    var windowStart = Int64.min
    var sum = 0.0
    var minimum = 0.0
    var maximum = 0.0
    var count = 0
  }

  func throughBareLoop() -> Double {
    let cells = UnsafeMutablePointer<Bare>.allocate(capacity: series)
    cells.initialize(repeating: Bare(), count: series)
    defer { cells.deallocate() }
    var output: [(start: Int64, mean: Double, minimum: Double, maximum: Double, count: Int, quality: Quality)] = []
    var closed = 0
    let size: Int64 = 1_000_000_000
    let heartbeat: Int64 = 60_000_000_000
    let begin = threadCPUNanoseconds()
    for batch in batches {
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
        if cell.pointee.count == 0 || time - cell.pointee.windowStart >= size {
          if cell.pointee.count > 0 {
            output.append(
              (
                cell.pointee.windowStart, cell.pointee.sum / Double(cell.pointee.count), cell.pointee.minimum,
                cell.pointee.maximum, cell.pointee.count, cell.pointee.windowQuality
              ))
          }
          cell.pointee.windowStart = time - time % size
          cell.pointee.sum = 0
          cell.pointee.minimum = value
          cell.pointee.maximum = value
          cell.pointee.count = 0
          cell.pointee.windowQuality = quality
        }
        cell.pointee.sum += value
        cell.pointee.minimum = min(cell.pointee.minimum, value)
        cell.pointee.maximum = max(cell.pointee.maximum, value)
        cell.pointee.count += 1
        if quality.rawValue > cell.pointee.windowQuality.rawValue { cell.pointee.windowQuality = quality }
      }
      closed += output.count
      output.removeAll(keepingCapacity: true)
    }
    let spent = threadCPUNanoseconds() - begin
    precondition(closed > 0)
    return spent / samples
  }
}
