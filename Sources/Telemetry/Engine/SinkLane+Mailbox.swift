internal import SinkKit

extension SinkLane {
  /// Rows on their way to the spool.
  struct Parcel: Sendable {
    var rows: RecordRows
    var layout: RecordLayout
  }

  /// What the delivery does next.
  enum Step: Sendable {
    case wait
    case send(any SinkWriter, SpoolBatch)
    /// A record out of quarantine.
    case retry(any SinkWriter, QuarantinedRecord)
    /// A writer that a newer one has replaced.
    case close(any SinkWriter)
    case end
  }

  /// What waits for the spool, and until when nothing is to be done.
  struct Mailbox {
    var parcels: [Parcel] = []
    var rows = 0
    /// No tick has anything to do before, by the clock that is never set, if nothing else happens to the lane.
    var restsUntil = Int64.min
  }
}
