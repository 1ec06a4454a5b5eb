internal import DeviceKit

/// Knows the samples that a broker may send again: it keeps a message until its PUBACK has arrived, so that after a
/// break of the link or a restart the latest ones come a second time (MQTT 3.1.1, section 4.3.2).
///
/// The latest ``capacity`` samples that carry a time of their own are remembered. After a break those from before it are
/// suspects for ``suspicion``: an equal one (point, source time, value, quality) is the same sample again. Samples
/// without a time of their own cannot be told apart and pass.
struct RedeliveryFilter {
  static let capacity = 16_384
  static let suspicion: Int64 = 120_000_000_000

  private var latest: [UInt64] = []
  private var next = 0
  private var suspects: Set<UInt64> = []
  /// By a clock that is never set; the suspicion begins with the first sample after the break.
  private var suspectsUntil = Int64.min
  private var isBroken = false

  /// Says that a link was lost or the gateway started: what was remembered may come again.
  mutating func linkBroke() {
    suspects.formUnion(latest)
    isBroken = true
    if suspects.count > 2 * Self.capacity { suspects = Set(latest) }
  }

  /// Remembers the batch's samples and returns those rows that came before; nil where there are none, as always while no
  /// link breaks.
  mutating func repeated(in batch: SampleBatch, at now: Int64, where isTaken: (PointID) -> Bool) -> Set<Int>? {
    if isBroken, !batch.isEmpty {
      isBroken = false
      suspectsUntil = now + Self.suspicion
    }
    if !suspects.isEmpty, now > suspectsUntil { suspects.removeAll(keepingCapacity: false) }
    var rows: Set<Int>?
    for row in 0..<batch.count where batch.sourceTimes[row] != batch.gatewayTimes[row] && isTaken(batch.points[row]) {
      let mark = Self.mark(batch, row)
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

  /// 64 bits mixed of all that tells two samples apart (the finaliser of SplitMix64 after each).
  private static func mark(_ batch: SampleBatch, _ row: Int) -> UInt64 {
    var payload = batch.payloads[row]
    if batch.kinds[row] == .side {
      var hasher = Hasher()
      hasher.combine(batch.value(at: row))
      payload = UInt64(bitPattern: Int64(hasher.finalize()))
    }
    var value = mix(UInt64(batch.points[row].index) << 16 | UInt64(batch.kinds[row].rawValue) << 8)
    value = mix(value ^ UInt64(batch.qualities[row].rawValue) ^ UInt64(bitPattern: batch.sourceTimes[row]))
    return mix(value ^ payload)
  }

  private static func mix(_ number: UInt64) -> UInt64 {
    var value = number &+ 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
