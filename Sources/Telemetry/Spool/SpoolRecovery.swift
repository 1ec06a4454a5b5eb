internal import DeviceKit
internal import Documents
internal import SinkKit

/// What a spool's directory holds after a stop of any kind: looks at the segments, cuts a torn end off the last one,
/// and lets sequence numbers go on in the catalogue.
struct SpoolRecovery {
  private(set) var segments: [Spool.Segment] = []
  private(set) var highestNumber: UInt64 = 0
  private(set) var nextOrdinal: UInt64 = 0
  private(set) var nextSeries: UInt64 = 0
  private(set) var nextLayout: UInt64 = 0
  private(set) var last: [Spool.Last] = []
  private(set) var snapshotBytes = 0
  private(set) var damagedBytes: UInt64 = 0

  init(directory: String, catalogue: SeriesCatalogue) throws(SpoolError) {
    var covered: UInt64 = 0
    if let content = try Folder.content(of: "\(directory)/\(SequenceSnapshot.fileName)"),
      let snapshot = SequenceSnapshot.decode(content)
    {
      covered = snapshot.covers
      snapshotBytes = content.count
      for (key, last) in snapshot.last { raise(key, last, catalogue) }
    }
    let numbers = try Folder.names(in: directory).compactMap(SegmentFormat.number).sorted()
    highestNumber = numbers.last ?? 0
    for number in numbers {
      let path = "\(directory)/\(SegmentFormat.name(of: number))"
      let file = try StoredFile(path, .readWrite)
      let size = try file.size()
      let header = SegmentFormat.Header(try file.read(at: 0, count: SegmentFormat.headerLength))
      guard let header, header.number == number else {
        damagedBytes += UInt64(size)
        try Folder.remove(path)
        continue
      }
      var segment = Spool.Segment(
        number: number, firstOrdinal: header.firstOrdinal, length: size, appendedAt: header.madeAt)
      // A segment takes its last record before the next one is made.
      if !segments.isEmpty { segments[segments.count - 1].appendedAt = header.madeAt }
      nextOrdinal = max(nextOrdinal, header.firstOrdinal)
      if number == numbers.last || number >= covered {
        let intact = scan(try file.read(at: 0, count: size), catalogue, &segment.appendedAt)
        if number == numbers.last, intact < size {
          damagedBytes += UInt64(size - intact)
          try file.truncate(to: intact)
          try file.synchronise()
          segment.length = intact
        }
      }
      segments.append(segment)
    }
  }

  /// Reads all entries and returns where the last intact one ends; `appendedAt` becomes the time of the newest.
  private mutating func scan(_ bytes: [UInt8], _ catalogue: SeriesCatalogue, _ appendedAt: inout Int64) -> Int {
    var decoder = EntryDecoder()
    var intact = SegmentFormat.headerLength
    var offset = intact
    while offset < bytes.count {
      guard let payload = SegmentFormat.payload(in: bytes, at: offset) else {
        guard let next = SegmentFormat.resynchronise(bytes, from: offset + 1) else { break }
        damagedBytes += UInt64(next - offset)
        offset = next
        continue
      }
      offset = payload.upperBound
      intact = offset
      guard let header = try? decoder.take(bytes, payload) else { continue }
      nextOrdinal = max(nextOrdinal, header.endOrdinal)
      appendedAt = header.appendedAt
      for record in (try? decoder.records(bytes, payload)) ?? [] {
        let point = PointName(device: record.series.device, property: record.series.property)
        raise(
          SeriesCatalogue.Key(pipeline: record.pipeline, point: point),
          Spool.Last(sequence: record.sequence, time: record.time.nanoseconds), catalogue)
      }
    }
    (nextSeries, nextLayout) = (decoder.nextSeries, decoder.nextLayout)
    return intact
  }

  private mutating func raise(_ key: SeriesCatalogue.Key, _ record: Spool.Last, _ catalogue: SeriesCatalogue) {
    let handle = Int(catalogue.raise(key, past: record.sequence))
    if handle >= last.count { last.append(contentsOf: repeatElement(Spool.Last(), count: handle + 1 - last.count)) }
    if record.sequence > last[handle].sequence { last[handle] = record }
  }
}
