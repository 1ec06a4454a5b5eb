package import Documents
package import SinkKit

/// One sink's quarantine on disk: a file of entries, each a record or the ids of records that have left. It is written
/// anew when most of it is of no use any more, and forgets its oldest records beyond 8 MiB. Blocking.
package final class QuarantineLog {
  package static let fileName = "quarantine"
  package static let limit = 8 << 20

  private enum Kind: UInt8 {
    case record = 1
    case gone = 2
    /// The ids below are given out.
    case next = 3
  }

  /// Where a record stands in the file.
  private struct Place {
    var id: UInt64
    var offset: Int
    var length: Int
  }

  package let path: String
  private let directory: String
  private let limit: Int
  private var file: StoredFile?
  private var length = 0
  /// By id.
  private var places: [Place] = []
  private var nextID: UInt64 = 1
  package private(set) var displaced: UInt64 = 0

  /// - Parameter limit: bytes of records that are kept.
  package init(directory: String, limit: Int = QuarantineLog.limit) {
    self.directory = directory
    self.limit = limit
    path = "\(directory)/\(Self.fileName)"
  }

  package var count: Int { places.count }
  package var bytes: Int { places.reduce(0) { $0 + $1.length } }
  package var ids: [UInt64] { places.map(\.id) }

  /// Reads what there is. An end that is torn is cut off; a damaged entry costs itself.
  package func open() throws(SpoolError) {
    guard file == nil, let content = try Folder.content(of: path) else { return }
    let file = try StoredFile(path, .readWrite)
    var offset = 0
    var intact = 0
    while offset < content.count {
      guard let payload = SegmentFormat.payload(in: content, at: offset) else {
        guard let next = SegmentFormat.resynchronise(content, from: offset + 1) else { break }
        offset = next
        continue
      }
      var input = ByteReader(content, in: payload)
      try? replay(&input, at: offset..<payload.upperBound)
      offset = payload.upperBound
      intact = offset
    }
    if intact < content.count { try file.truncate(to: intact) }
    (self.file, length) = (file, intact)
  }

  private func replay(_ input: inout ByteReader, at place: Range<Int>) throws(DecodingFault) {
    switch Kind(rawValue: try input.byte()) {
    case .record: put(Place(id: try QuarantinedRecord(from: &input).id, offset: place.lowerBound, length: place.count))
    case .gone: for _ in 0..<(try input.count()) { forget(try input.varint()) }
    case .next: nextID = max(nextID, try input.varint())
    case nil: throw DecodingFault()
    }
  }

  private func index(of id: UInt64) -> Int? {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < places.count && places[low].id == id ? low : nil
  }

  private func put(_ place: Place) {
    nextID = max(nextID, place.id + 1)
    if let index = index(of: place.id) {
      places[index] = place
    } else {
      places.append(place)
      if places.count > 1, places[places.count - 2].id > place.id { places.sort { $0.id < $1.id } }
    }
  }

  private func forget(_ id: UInt64) {
    if let index = index(of: id) { places.remove(at: index) }
  }

  // MARK: Reading

  /// Nil where there is no such record.
  package func record(_ id: UInt64) throws(SpoolError) -> QuarantinedRecord? {
    guard let index = index(of: id), let file else { return nil }
    let place = places[index]
    let bytes = try file.read(at: place.offset, count: place.length)
    guard let payload = SegmentFormat.payload(in: bytes, at: 0) else { return nil }
    var input = ByteReader(bytes, in: payload.dropFirst())
    return try? QuarantinedRecord(from: &input)
  }

  /// At most `limit` records with ids above `id`.
  package func records(after id: UInt64, limit: Int) throws(SpoolError) -> [QuarantinedRecord] {
    var records: [QuarantinedRecord] = []
    for place in places.drop(while: { $0.id <= id }).prefix(limit) {
      if let record = try record(place.id) { records.append(record) }
    }
    return records
  }

  // MARK: Writing

  /// Sets records aside; returns once they are safe. One that is there already, as after a crash, is not added.
  package func add(_ records: [TelemetryRecord], reason: String, at time: Timestamp) throws(SpoolError) {
    var last: QuarantinedRecord?
    if let place = places.last { last = try record(place.id) }
    var output = ByteWriter()
    var added: [(id: UInt64, offset: Int, length: Int)] = []
    for record in records where last?.record != record {
      let id = nextID + UInt64(added.count)
      let start = output.bytes.count
      Self.append(QuarantinedRecord(id: id, record: record, reason: reason, time: time, retries: 0), to: &output)
      added.append((id, start, output.bytes.count - start))
    }
    guard !added.isEmpty else { return }
    let offset = try write(output)
    for item in added { put(Place(id: item.id, offset: offset + item.offset, length: item.length)) }
    var oldest: [UInt64] = []
    var kept = bytes
    for place in places where kept > limit {
      oldest.append(place.id)
      kept -= place.length
    }
    displaced += UInt64(oldest.count)
    try remove(oldest)
  }

  /// Notes that the receiver has refused a record again.
  package func note(_ record: QuarantinedRecord) throws(SpoolError) {
    guard index(of: record.id) != nil else { return }
    var output = ByteWriter()
    Self.append(record, to: &output)
    let offset = try write(output)
    put(Place(id: record.id, offset: offset, length: output.bytes.count))
    try tidy()
  }

  /// Takes records out; returns how many of them were there, once they are safely gone.
  @discardableResult
  package func remove(_ ids: [UInt64]) throws(SpoolError) -> Int {
    let known = ids.filter { index(of: $0) != nil }
    guard !known.isEmpty else { return 0 }
    var payload = ByteWriter()
    payload.byte(Kind.gone.rawValue)
    payload.varint(UInt64(known.count))
    for id in known { payload.varint(id) }
    var output = ByteWriter()
    SegmentFormat.append(payload.bytes, to: &output)
    _ = try write(output)
    let gone = Set(known)
    places.removeAll { gone.contains($0.id) }
    try tidy()
    return known.count
  }

  private static func append(_ record: QuarantinedRecord, to output: inout ByteWriter) {
    var payload = ByteWriter()
    payload.byte(Kind.record.rawValue)
    record.encode(to: &payload)
    SegmentFormat.append(payload.bytes, to: &output)
  }

  /// Appends, and returns where; a new file's name is made safe too.
  private func write(_ output: ByteWriter) throws(SpoolError) -> Int {
    let isNew = file == nil
    let file: StoredFile
    if let open = self.file { file = open } else { file = try StoredFile(path, .readWrite) }
    self.file = file
    try file.write(output.bytes, at: length)
    try file.synchronise()
    if isNew { try Folder.synchronise(directory) }
    defer { length += output.bytes.count }
    return length
  }

  /// Writes the file anew once most of it is of no use.
  private func tidy() throws(SpoolError) {
    guard length > 64 << 10, length > 2 * bytes else { return }
    var payload = ByteWriter()
    payload.byte(Kind.next.rawValue)
    payload.varint(nextID)
    var output = ByteWriter()
    SegmentFormat.append(payload.bytes, to: &output)
    var moved: [Place] = []
    for place in places {
      guard let bytes = try file?.read(at: place.offset, count: place.length) else { continue }
      moved.append(Place(id: place.id, offset: output.bytes.count, length: place.length))
      output.bytes.append(contentsOf: bytes)
    }
    try Folder.replace(Self.fileName, in: directory, with: output.bytes)
    file = try StoredFile(path, .readWrite)
    (places, length) = (moved, output.bytes.count)
  }
}
