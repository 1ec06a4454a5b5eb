internal import DeviceKit
internal import Documents

/// Knows the samples that a broker may send again: it keeps a message until its PUBACK has arrived, so that after a
/// break of the link or a restart the latest ones come a second time (MQTT 3.1.1, section 4.3.2).
///
/// The latest ``capacity`` samples that carry a time of their own are remembered, over clean stops too. When a link is lost
/// and when it is there again those from before are suspects for ``suspicion``: an equal one (point, source time,
/// value, quality) is the same sample again. Samples without a time of their own cannot be told apart and pass.
struct RedeliveryFilter {
  static let capacity = 16_384
  static let suspicion: Int64 = 120_000_000_000

  private var latest: [UInt64]
  private var next = 0
  private var suspects: Set<UInt64> = []
  /// By a clock that is never set; the suspicion begins with the first sample after the change.
  private var suspectsUntil = Int64.min
  private var hasChanged = false
  /// By a point's index, of its name; 0: not known yet.
  private var pointMarks: [UInt64] = []

  /// - Parameter remembered: of an earlier run, oldest first.
  init(remembered: [UInt64] = []) { latest = remembered.suffix(Self.capacity) }

  /// What tells the latest samples from others in any run, oldest first.
  var remembered: [UInt64] { Array(latest[next...] + latest[..<next]) }

  /// Says that a link was lost or is there again, or that the gateway started: what was remembered may come again.
  /// What was under way when a link was lost is remembered by the time it is back.
  mutating func linkChanged() {
    suspects.formUnion(latest)
    hasChanged = true
    if suspects.count > 2 * Self.capacity { suspects = Set(latest) }
  }

  /// Remembers the batch's samples and returns those rows that came before; nil where there are none, as always while no
  /// link changes.
  mutating func repeated(
    in batch: SampleBatch, of points: PointTable, at now: Int64, where isTaken: (PointID) -> Bool
  ) -> Set<Int>? {
    if hasChanged, !batch.isEmpty {
      hasChanged = false
      suspectsUntil = now + Self.suspicion
    }
    if !suspects.isEmpty, now > suspectsUntil { suspects.removeAll(keepingCapacity: false) }
    var rows: Set<Int>?
    for row in 0..<batch.count where batch.sourceTimes[row] != batch.gatewayTimes[row] && isTaken(batch.points[row]) {
      let mark = mark(batch, row, points)
      if !suspects.isEmpty, suspects.contains(mark) { rows = (rows ?? []).union([row]) } else { remember(mark) }
    }
    return rows
  }

  private mutating func remember(_ mark: UInt64) {
    if latest.count < Self.capacity {
      latest.append(mark)
    } else {
      latest[next] = mark
      next = (next + 1) % Self.capacity
    }
  }

  // MARK: Marks

  /// 64 bits mixed of all that tells two samples apart, the same in every run.
  private mutating func mark(_ batch: SampleBatch, _ row: Int, _ points: PointTable) -> UInt64 {
    var payload = batch.payloads[row]
    if batch.kinds[row] == .side {
      var value = ByteWriter()
      value.value(batch.value(at: row))
      payload = FNV1a.hash(value.bytes)
    }
    var mark = pointMark(batch.points[row], points)
    mark = Self.mix(mark ^ UInt64(batch.kinds[row].rawValue) << 8 ^ UInt64(batch.qualities[row].rawValue))
    return Self.mix(Self.mix(mark ^ UInt64(bitPattern: batch.sourceTimes[row])) ^ payload)
  }

  private mutating func pointMark(_ point: PointID, _ points: PointTable) -> UInt64 {
    let index = Int(point.index)
    if index >= pointMarks.count {
      pointMarks.append(contentsOf: repeatElement(0, count: max(index + 1, points.count) - pointMarks.count))
    }
    if pointMarks[index] == 0 {
      let name = points.name(of: point)
      pointMarks[index] = max(1, Self.mix(FNV1a.hash("\(name.device)/\(name.property)")))
    }
    return pointMarks[index]
  }

  /// The finaliser of SplitMix64.
  private static func mix(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
