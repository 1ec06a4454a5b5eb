/// What a series' windows have in common, whichever kind they are.
struct SeriesWindows: BitwiseCopyable {
  /// Gateway time minus the time of the sample that opened the newest window.
  var skew: Int64 = 0
  /// Of aligned windows, the end of the next one to be put out; of sessions, the end of the last one. `Int64.min`: none
  /// yet.
  var frontier: Int64 = .min
  /// The newest time of a sample.
  var newest: Int64 = .min
  /// The start of the oldest pane that has been corrected since the last corrections; `Int64.max`: none has.
  var correctedFrom: Int64 = .max
  /// How many corrections there have been.
  var corrections: UInt32 = 0
  /// Whether a window has been put out: before the first one, none is empty.
  var hasBegun = false
}
