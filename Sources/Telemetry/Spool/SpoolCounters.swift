/// What became of a spool's records since it was opened.
///
/// At any moment `recovered + offered == delivered + quarantined + corrupt + dropped + held`.
public struct SpoolCounters: Sendable, Hashable {
  /// Records that lay in the spool when it was opened.
  public var recovered: UInt64 = 0
  /// Records that pipelines handed over.
  public var offered: UInt64 = 0
  /// Records that the receiver has acknowledged.
  public var delivered: UInt64 = 0
  /// Records that the receiver refused, set aside in a file.
  public var quarantined: UInt64 = 0
  /// Records lost to damage on disk.
  public var corrupt: UInt64 = 0
  /// Bytes of damage that recovery cut off or skipped; they may have held records that were never acknowledged.
  public var damagedBytes: UInt64 = 0
  /// By cause: `bufferFull`, `expired`, `tooLarge`, `diskError`, and what sinks say of records that receivers reject.
  public var dropped: [String: UInt64] = [:]
  /// Records that wait, on disk or on their way there.
  public var held: UInt64 = 0

  public init() {}

  public var droppedTotal: UInt64 { dropped.values.reduce(0, +) }

  mutating func drop(_ count: UInt64, _ cause: String) {
    guard count > 0 else { return }
    dropped[cause, default: 0] += count
  }
}
