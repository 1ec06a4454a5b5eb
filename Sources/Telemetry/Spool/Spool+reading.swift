internal import DeviceKit
internal import Documents
internal import SinkKit

extension Spool {
  /// What became of a batch.
  package enum Conclusion: Sendable {
    case delivered
    /// Delivered, but for so many records by cause, which the receiver will never take.
    case deliveredExcept([String: Int])
    case quarantined
  }

  /// The next records, at most `limit`; nil where there are none. They stay the sink's until ``conclude(_:as:)`` or
  /// ``release()``; reading again gives the same ones.
  package func read(limit: Int, at now: Int64) throws(SpoolError) -> SpoolBatch? {
    try sync()
    var position = cursor
    var records: [TelemetryRecord] = []
    var appendedAt = now
    var expired: UInt64 = 0
    var corrupt: UInt64 = 0
    let maxAge = limits.maxAge.nanoseconds
    while records.count < limit {
      guard let segment = segment(for: &position, corrupt: &corrupt), position.offset < segment.length else { break }
      let reader = try self.reader(of: segment.number)
      try reader.learn(upTo: position.offset)
      let (entry, next) = try reader.entry(at: position.offset, end: segment.length)
      guard case .records(let header, let bytes, let payload) = entry else {
        position.offset = next
        continue
      }
      if header.firstOrdinal > position.ordinal {
        corrupt += header.firstOrdinal - position.ordinal
        position.ordinal = header.firstOrdinal
      }
      // What was taken before the clock was set waits a while for its time.
      if history.isAwaited(header.appendedAt) { break }
      if history.age(of: header.appendedAt, at: now) > maxAge {
        expired += header.endOrdinal - min(position.ordinal, header.endOrdinal)
        position.ordinal = max(position.ordinal, header.endOrdinal)
        position.offset = next
        continue
      }
      var decoded: [TelemetryRecord]
      do {
        decoded = try reader.decoder.records(bytes, payload)
      } catch {
        corrupt += header.endOrdinal - min(position.ordinal, header.endOrdinal)
        position.ordinal = max(position.ordinal, header.endOrdinal)
        position.offset = next
        continue
      }
      for index in decoded.indices where ClockHistory.unset.contains(decoded[index].time.nanoseconds) {
        decoded[index].date(by: history)
      }
      let skipped = Int(min(position.ordinal - header.firstOrdinal, UInt64(decoded.count)))
      let taken = min(limit - records.count, decoded.count - skipped)
      if records.isEmpty, taken > 0 { appendedAt = header.appendedAt }
      records.append(contentsOf: decoded[skipped..<skipped + taken])
      position.ordinal += UInt64(taken)
      if skipped + taken == decoded.count { position.offset = next }
    }
    let batch = SpoolBatch(
      records: records, appendedAt: appendedAt, end: position, expired: expired, corrupt: corrupt)
    guard !records.isEmpty else {
      if position != cursor { try move(to: batch) }
      return nil
    }
    inFlightEnd = position.ordinal
    return batch
  }

  /// The segment in which `position` lies; steps from the end of one to the start of the next.
  private func segment(for position: inout CursorFile.Position, corrupt: inout UInt64) -> Segment? {
    guard let index = segments.firstIndex(where: { $0.number == position.segment }) else { return nil }
    guard position.offset >= segments[index].length, index + 1 < segments.count else { return segments[index] }
    let next = segments[index + 1]
    if next.firstOrdinal > position.ordinal { corrupt += next.firstOrdinal - position.ordinal }
    position = CursorFile.Position(
      segment: next.number, offset: SegmentFormat.headerLength, ordinal: max(next.firstOrdinal, position.ordinal))
    return next
  }

  private func reader(of number: UInt64) throws(SpoolError) -> SegmentReader {
    if let reader, reader.number == number { return reader }
    let reader = try SegmentReader(number: number, path: "\(directory)/\(SegmentFormat.name(of: number))")
    self.reader = reader
    return reader
  }

  /// Moves the cursor past the batch and makes that safe. An error leaves the batch with the sink: conclude again.
  package func conclude(_ batch: SpoolBatch, as conclusion: Conclusion) throws(SpoolError) {
    try move(to: batch)
    inFlightEnd = nil
    orphans = 0
    switch conclusion {
    case .delivered: tally.delivered += UInt64(batch.records.count)
    case .deliveredExcept(let rejected):
      var left = UInt64(batch.records.count)
      for (cause, count) in rejected.sorted(by: { $0.key < $1.key }) {
        let taken = min(left, UInt64(max(0, count)))
        tally.drop(taken, cause)
        left -= taken
      }
      tally.delivered += left
    case .quarantined: tally.quarantined += UInt64(batch.records.count)
    }
  }

  /// Takes the batch back from the sink, to be read again. Of its records those are dropped that are gone from disk.
  package func release() {
    tally.drop(orphans, "bufferFull")
    orphans = 0
    inFlightEnd = nil
  }

  private func move(to batch: SpoolBatch) throws(SpoolError) {
    if batch.end.ordinal > cursor.ordinal || (batch.end.segment, batch.end.offset) > (cursor.segment, cursor.offset) {
      try cursorFile.store(batch.end)
      cursor = batch.end
    }
    tally.corrupt += batch.corrupt
    tally.drop(batch.expired, "expired")
    // What cannot be removed now is tried again with the next batch.
    try? removeTaken()
  }
}
