internal import DeviceKit
internal import Documents

extension Spool {
  enum Room {
    case made
    /// One record alone is larger than the spool may be.
    case impossible
    case dropNewest
    case block
  }

  /// Applies the policy for a full spool to `needed` bytes.
  func makeRoom(_ needed: Int64, at now: Int64) throws(SpoolError) -> Room {
    let isEmpty = segments.count == 1 && segments[0].length == SegmentFormat.headerLength
    if isEmpty { return .impossible }
    // A spool that the sink has taken whole is full of nothing.
    if pending == 0 {
      try rotate(at: now)
      cursor = endOfLog
      try cursorFile.store(cursor)
      try removeTaken()
      return .made
    }
    switch limits.whenFull {
    case .dropNewest: return .dropNewest
    case .block: return .block
    case .dropOldest:
      if segments.count == 1 { try rotate(at: now) }
      try dropOldestSegment("bufferFull")
      return .made
    }
  }

  /// Drops whole segments whose newest record is older than the limit.
  package func expire(at now: Int64) throws(SpoolError) {
    let maxAge = limits.maxAge.nanoseconds
    while pending > 0, history.age(of: segments[0].appendedAt, at: now) > maxAge,
      segments[0].length > SegmentFormat.headerLength
    {
      if segments.count == 1 { try rotate(at: now) }
      try dropOldestSegment("expired")
    }
  }

  var endOfLog: CursorFile.Position {
    let last = segments[segments.count - 1]
    return CursorFile.Position(segment: last.number, offset: last.length, ordinal: nextOrdinal)
  }

  /// Removes the oldest of several segments. Records of it that are out with the sink are not counted as dropped.
  private func dropOldestSegment(_ cause: String) throws(SpoolError) {
    let next = segments[1]
    if cursor.segment < next.number {
      let firstNotInFlight = max(cursor.ordinal, min(inFlightEnd ?? 0, next.firstOrdinal))
      orphans += firstNotInFlight - cursor.ordinal
      tally.drop(next.firstOrdinal - firstNotInFlight, cause)
      cursor = CursorFile.Position(
        segment: next.number, offset: SegmentFormat.headerLength, ordinal: next.firstOrdinal)
      try cursorFile.store(cursor)
    }
    try removeTaken()
  }

  /// Removes the segments before the cursor's.
  func removeTaken() throws(SpoolError) {
    while segments.count > 1, segments[0].number < cursor.segment {
      if reader?.number == segments[0].number { reader = nil }
      try Folder.remove("\(directory)/\(SegmentFormat.name(of: segments[0].number))")
      segments.removeFirst()
    }
  }
}
