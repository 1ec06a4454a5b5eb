public import Documents

/// How pipelines and sinks are doing: what conditions and metrics are made of.
public struct TelemetryStatus: Sendable, Hashable {
  /// Sorted by key.
  public var pipelines: [PipelineStatus]
  /// Sorted by key. Also sinks that pipelines name and nobody has defined.
  public var sinks: [SinkStatus]
  /// Samples that came after `shutdown()` and were not taken.
  public var samplesAfterShutdown: UInt64
  /// Alarms raised or cleared of which nobody was told, because too many came at once; their samples are not lost.
  public var alarmsLost: UInt64
  public var journal: JournalStatus
  public var historian: HistorianStatus
}

/// How journal and checkpoints are doing.
public struct JournalStatus: Sendable, Hashable {
  /// Bytes of the journal on disk.
  public var storedBytes: Int64
  /// Bytes written since the start.
  public var writtenBytes: UInt64
  public var commits: UInt64
  /// Bytes that were found damaged at the start.
  public var damagedBytes: UInt64
  /// Why the journal cannot be written now: nothing is acknowledged. Nil: all is well.
  public var error: SpoolError?
  public var checkpoints: UInt64
  public var checkpointBytes: UInt64
  /// Why the last checkpoint could not be kept; nil: it was.
  public var checkpointError: SpoolError?
}

public struct PipelineStatus: Sendable, Hashable {
  public struct Stage: Sendable, Hashable {
    /// `select` for the selection by labels, models and properties; then as in the spec.
    public var name: String
    public var counters: StageCounters
  }
  /// `namespace/name`.
  public var key: String
  /// Why the newest spec is not served; the last good one goes on where there was one. Nil: all is well.
  public var problem: SpecificationError?
  /// Whether samples are being taken.
  public var isRunning: Bool
  /// Sinks that the pipeline names and that do not exist (yet), by key. Records wait for them in a spool.
  public var missingSinks: [String]
  /// Series taken since the start.
  public var series: Int
  public var openWindows: Int
  /// Readings that came so far out of order that functions of a value's course leave them out.
  public var misplaced: UInt64
  /// Records put out since the start.
  public var records: UInt64
  public var stages: [Stage]
  /// States of stages, saved by another version of the program, that could not be taken back.
  public var forgottenStates: UInt64
}

public struct SinkStatus: Sendable, Hashable {
  /// Records that a receiver rejected out of batches of which it took the rest.
  public struct Rejection: Sendable, Hashable {
    /// What it said last.
    public var reason: String
    public var message: String
    /// How many since the start.
    public var records: UInt64
    /// When it last did.
    public var time: Timestamp
  }

  /// `namespace/name`.
  public var key: String
  /// The plugin's name; empty for a sink that is not defined or whose spec is wrong.
  public var kind: String
  /// Why the sink's spec is not served: a CamelCase reason and a message. Nil: all is well.
  public var problem: SpoolError?
  public var circuit: CircuitState
  /// The last failure of the receiver; nil after a success.
  public var lastError: SpoolError?
  /// The failure of the disk that writing now meets; nil where it meets none.
  public var diskError: SpoolError?
  public var spool: SpoolCounters
  public var spoolBytes: Int64
  public var spoolSegments: Int
  /// How long the oldest record that waits has waited; nil where none waits.
  public var lag: Duration?
  public var lastDelivery: Timestamp?
  /// Nil: none since the start.
  public var rejection: Rejection?
  /// The same where it was in the last ten minutes.
  public var recentRejection: Rejection?
  public var quarantine: QuarantineStatus
}
