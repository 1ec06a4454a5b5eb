internal import DeviceKit

extension SampleBatch {
  /// The samples of those rows, in their order.
  func filtered(rows isKept: (Int) -> Bool) -> SampleBatch {
    var kept = SampleBatch()
    kept.reserveCapacity(count)
    for row in 0..<count where isKept(row) {
      if kinds[row] == .side {
        kept.append(
          points[row], value(at: row), quality: qualities[row], sourceTime: sourceTimes[row],
          gatewayTime: gatewayTimes[row])
      } else {
        kept.append(
          points[row], kind: kinds[row], payload: payloads[row], quality: qualities[row], sourceTime: sourceTimes[row],
          gatewayTime: gatewayTimes[row])
      }
    }
    return kept
  }

  /// The samples of those points; itself where that is all of them.
  func filtered(_ isKept: (PointID) -> Bool) -> SampleBatch {
    points.allSatisfy(isKept) ? self : filtered(rows: { isKept(points[$0]) })
  }
}
