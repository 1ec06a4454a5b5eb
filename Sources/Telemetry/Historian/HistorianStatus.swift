/// How the telemetry that is kept for local queries is doing. At any moment `recovered + offered == dropped + held`.
public struct HistorianStatus: Sendable, Hashable {
  /// Records that lay on disk at the start.
  public var recovered: UInt64
  /// Records of pipelines whose output is kept.
  public var offered: UInt64
  /// Records on disk or on their way there.
  public var held: UInt64
  /// By cause: `age`, `size`, `busy` (they came faster than the disk took them), `diskError`, `keepsNothing`.
  public var dropped: [String: UInt64]
  public var bytes: Int64
  public var segments: Int
  /// Why nothing can be written now; nil: all is well.
  public var error: SpoolError?
  public var queries: QueryCounters
}

/// What became of queries since the start.
public struct QueryCounters: Sendable, Hashable {
  public var answered: UInt64 = 0
  public var refused: UInt64 = 0
  /// Bytes of the log that were read for them.
  public var readBytes: UInt64 = 0
}
