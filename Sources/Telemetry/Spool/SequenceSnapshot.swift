internal import DeviceKit

/// The last sequence number of every series that a spool has seen and the time of its record, kept beside the segments:
/// what segments that have left the disk no longer tell.
enum SequenceSnapshot {
  static let fileName = "sequences"
  private static let magic: UInt64 = 0x3251_4553_5345_5A53

  /// `covers`: the segments with smaller numbers are accounted for.
  static func encode(_ last: [Spool.Last], catalogue: SeriesCatalogue, covers: UInt64) -> [UInt8] {
    var output = ByteWriter()
    output.fixed(magic)
    output.fixed(covers)
    output.varint(UInt64(last.count { $0.sequence > 0 }))
    for (handle, record) in last.enumerated() where record.sequence > 0 {
      let key = catalogue.key(of: UInt32(handle))
      output.string(key.pipeline)
      output.string(key.point.device.namespace)
      output.string(key.point.device.name)
      output.string(key.point.property)
      output.varint(record.sequence)
      output.zigzag(record.time)
    }
    output.fixed(CRC32C.checksum(output.bytes))
    return output.bytes
  }

  /// Nil for damage.
  static func decode(_ bytes: [UInt8]) -> (covers: UInt64, last: [(SeriesCatalogue.Key, Spool.Last)])? {
    guard bytes.count > 20 else { return nil }
    let body = 0..<bytes.count - 4
    do {
      var tail = ByteReader(bytes, in: body.upperBound..<bytes.count)
      let checksum: UInt32 = try tail.fixed()
      guard checksum == CRC32C.checksum(bytes, in: body) else { return nil }
      var input = ByteReader(bytes, in: body)
      let magic: UInt64 = try input.fixed()
      guard magic == Self.magic else { return nil }
      let covers: UInt64 = try input.fixed()
      var last: [(SeriesCatalogue.Key, Spool.Last)] = []
      for _ in 0..<(try input.count()) {
        let pipeline = try input.string()
        let device = DeviceKey(namespace: try input.string(), name: try input.string())
        let point = PointName(device: device, property: try input.string())
        let key = SeriesCatalogue.Key(pipeline: pipeline, point: point)
        last.append((key, Spool.Last(sequence: try input.varint(), time: try input.zigzag())))
      }
      return (covers, last)
    } catch {
      return nil
    }
  }
}
