internal import DeviceKit
internal import Documents
internal import SinkKit

extension SinkLane {
  var quarantineStatus: QuarantineStatus {
    var status = quarantineCounts
    status.held = UInt64(quarantine.count)
    status.bytes = Int64(quarantine.bytes)
    status.waiting = UInt64(retries.count)
    status.displaced = quarantine.displaced
    return status
  }

  /// A page of what is set aside, in its order.
  func quarantined(after id: UInt64, limit: Int) throws(SpoolError) -> QuarantinePage {
    let waiting = Set(retries)
    let records = try quarantine.records(after: id, limit: limit).map { record in
      var record = record
      record.isWaiting = waiting.contains(record.id)
      return record
    }
    let last = records.last?.id
    return QuarantinePage(
      records: records, next: last == nil || last == quarantine.ids.last ? nil : last, status: quarantineStatus)
  }

  /// Has records tried again, before all that waits; returns how many there are. Nil: all.
  func retry(_ ids: [UInt64]?) -> Int {
    let known = Set(quarantine.ids)
    let wanted = (ids ?? quarantine.ids).filter(known.contains)
    let waiting = Set(retries)
    retries += wanted.filter { !waiting.contains($0) }
    if !wanted.isEmpty { stir() }
    return wanted.count
  }

  /// Drops records for good; returns how many there were. Nil: all.
  func discard(_ ids: [UInt64]?) throws(SpoolError) -> Int {
    let count = try quarantine.remove(ids ?? quarantine.ids)
    quarantineCounts.dropped += UInt64(count)
    return count
  }

  /// The next record to be tried again; those that have left meanwhile are passed over.
  func nextRetry() -> QuarantinedRecord? {
    while let id = retries.first {
      do {
        if let record = try quarantine.record(id) { return record }
      } catch {
        note(error)
        return nil
      }
      retries.removeFirst()
    }
    return nil
  }

  /// Takes what became of a record that ``nextRetry()`` gave out. One that is refused again stays, with the new reason.
  func concluded(_ retried: QuarantinedRecord, _ outcome: SinkOutcome) {
    let now = clock.elapsed
    let jitter = Double.random(in: 0..<1, using: &generator)
    do {
      switch outcome {
      case .delivered:
        lastError = nil
        _ = schedule.concluded(.delivered, count: 1, at: now, jitter: jitter)
        quarantineCounts.delivered += UInt64(try quarantine.remove([retried.id]))
        retries.removeAll { $0 == retried.id }
      case .deliveredExcept(_, let error), .refused(let error):
        retries.removeAll { $0 == retried.id }
        var record = retried
        (record.reason, record.retries) = (error.message, record.retries + 1)
        try quarantine.note(record)
      case .retry(let error, let after):
        _ = schedule.concluded(.retry(after: after), count: 1, at: now, jitter: jitter)
        note(receiver: error)
      }
    } catch {
      // It stays, and may be delivered a second time.
      retries.removeAll { $0 == retried.id }
      note(error)
    }
  }
}
