package import DeviceKit

/// The journal's coding of samples by itself, as tests and benchmarks use it.
package enum JournalCoding {
  /// A batch as the journal keeps it: its points' names first.
  package static func encode(_ batch: SampleBatch, points: PointTable) -> [UInt8] {
    var encoder = JournalEncoder(nextOrdinal: 0, nextSegment: 1)
    return encoder.encode(.samples(batch), points: points, now: 0).bytes
  }

  /// The batch in such bytes; throws for others.
  package static func decode(_ bytes: [UInt8], points: PointTable = PointTable()) throws(DecodingFault) -> SampleBatch {
    var decoder = JournalDecoder()
    var offset = 0
    while let payload = SegmentFormat.payload(in: bytes, at: offset) {
      if case .samples(let batch) = try decoder.decode(bytes, payload, points: points)?.0 { return batch }
      offset = payload.upperBound
    }
    throw DecodingFault()
  }

  /// A batch's columns alone, its points numbered by their IDs.
  package static func payload(_ batch: SampleBatch) -> [UInt8] {
    var output = ByteWriter()
    output.samples(batch, numbers: batch.points.map { UInt64($0.index) })
    return output.bytes
  }

  /// The batch in such bytes; throws for others.
  package static func decode(payload: [UInt8]) throws(DecodingFault) -> SampleBatch {
    var input = ByteReader(payload)
    return try input.samples { PointID(index: UInt32(truncatingIfNeeded: $0)) }
  }
}
