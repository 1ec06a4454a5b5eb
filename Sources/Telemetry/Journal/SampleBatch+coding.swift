internal import DeviceKit

extension ByteWriter {
  /// A batch in columns; `numbers` stand for its points. Causes are not kept: pipelines do not look at them.
  mutating func samples(_ batch: SampleBatch, numbers: [UInt64]) {
    let count = batch.count
    varint(UInt64(count))
    differences(count) { Int64(bitPattern: numbers[$0]) }
    secondDifferences(count) { batch.gatewayTimes[$0] }
    differences(count) { batch.gatewayTimes[$0] &- batch.sourceTimes[$0] }
    runs(count) { batch.qualities[$0].rawValue }
    PayloadColumn.write(
      count, to: &self, references: PayloadColumn.References(count) { numbers[$0] }, kind: { batch.kinds[$0] },
      payload: { batch.payloads[$0] }, side: { batch.value(at: $0) })
  }

  mutating func range(_ range: ClosedRange<Double>?) {
    byte(range == nil ? 0 : 1)
    guard let range else { return }
    fixed(range.lowerBound)
    fixed(range.upperBound)
  }
}

extension ByteReader {
  mutating func samples(_ point: (UInt64) -> PointID?) throws(DecodingFault) -> SampleBatch {
    let count = try count()
    let numbers = try differences(count)
    let gatewayTimes = try secondDifferences(count)
    let ages = try differences(count)
    let qualities = try runs(count)
    var kinds: [SampleKind] = []
    var payloads: [UInt64] = []
    var sides: [Value] = []
    try PayloadColumn.read(
      count, from: &self, references: PayloadColumn.References(count) { UInt64(bitPattern: numbers[$0]) },
      kinds: &kinds, payloads: &payloads, sides: &sides)
    var batch = SampleBatch()
    batch.reserveCapacity(count)
    for row in 0..<count {
      guard let point = point(UInt64(bitPattern: numbers[row])), let quality = Quality(rawValue: qualities[row]) else {
        throw DecodingFault()
      }
      let sourceTime = gatewayTimes[row] &- ages[row]
      if kinds[row] == .side {
        batch.append(
          point, sides[Int(payloads[row])], quality: quality, sourceTime: sourceTime, gatewayTime: gatewayTimes[row])
      } else {
        batch.append(
          point, kind: kinds[row], payload: payloads[row], quality: quality, sourceTime: sourceTime,
          gatewayTime: gatewayTimes[row])
      }
    }
    return batch
  }

  mutating func range() throws(DecodingFault) -> ClosedRange<Double>? {
    guard try byte() != 0 else { return nil }
    let (lower, upper) = (try double(), try double())
    guard lower <= upper else { throw DecodingFault() }
    return lower...upper
  }
}
