/// How much a spool keeps, and what it does with more: `spec.buffer` of a Sink.
public struct SpoolLimits: Sendable, Hashable {
  public enum WhenFull: String, Sendable, Hashable, CaseIterable {
    /// The oldest segment goes.
    case dropOldest = "DropOldest"
    /// What is new is not taken.
    case dropNewest = "DropNewest"
    /// Sources wait until the sink has taken something.
    case block = "Block"
  }
  public var maxBytes: Int64
  /// Records that have waited longer are dropped.
  public var maxAge: Duration
  public var whenFull: WhenFull
  /// Bytes appended wait so long for their fsync.
  public var syncInterval: Duration
  /// Above this a segment is closed and the next one begun; at most a quarter of `maxBytes`.
  public var segmentBytes: Int

  public init(
    maxBytes: Int64 = 256 << 20, maxAge: Duration = .seconds(168 * 3_600), whenFull: WhenFull = .dropOldest,
    syncInterval: Duration = .milliseconds(100), segmentBytes: Int = 4 << 20
  ) {
    self.maxBytes = maxBytes
    self.maxAge = maxAge
    self.whenFull = whenFull
    self.syncInterval = syncInterval
    self.segmentBytes = max(1_024, min(segmentBytes, Int(clamping: maxBytes / 4)))
  }
}
