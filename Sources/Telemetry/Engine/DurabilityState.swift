/// What the engine has to remember of its journal and checkpoints.
struct DurabilityState {
  /// Nil until what the last stop left has been looked at.
  var encoder: JournalEncoder?
  var segments: [Journal.Segment] = []
  /// Closed while the journal has more bytes than it may, on disk or on their way.
  let journalGate = Gate()
  /// Sinks with records that go to disk after the journal's next commit.
  var uncommittedLanes: [SinkLane] = []
  var redeliveries = RedeliveryFilter()
  var journalError: SpoolError?
  var hold = SilenceHold()
  var damagedBytes: UInt64 = 0

  /// The next checkpoint must be of everything: definitions or descriptions have changed.
  var wantsWhole = true
  var isSaving = false
  var saveWaiters: [CheckedContinuation<Void, Never>] = []
  /// Records of some pipeline were only in memory at the last checkpoint.
  var isStuck = false
  var savedAt: Int64?
  /// When the first definitions came: pipelines that have not come back by some time after it are gone.
  var startedAt: Int64?
  var checkpointError: SpoolError?
  var checkpointCount: UInt64 = 0
}
