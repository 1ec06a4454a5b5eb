internal import Documents

/// How windows that are aligned to a grid of time are cut: a pane is the greatest common measure of the windows' length
/// and period, so that each window is a run of whole panes. A tumbling window is one pane.
struct Panes: Sendable {
  /// All in nanoseconds.
  let size: Int64
  let every: Int64
  let pane: Int64
  let offset: Int64
  /// Into how many panes a sliding window is cut.
  static let ofSliding: Int64 = 60

  init(_ aggregate: PipelineSpecification.Aggregate) {
    switch aggregate.window {
    case .tumbling(let length):
      (size, every, pane) = (length.nanoseconds, length.nanoseconds, length.nanoseconds)
    case .hopping(let length, let period):
      (size, every) = (length.nanoseconds, period.nanoseconds)
      pane = Self.commonMeasure(size, every)
    case .sliding(let length):
      size = length.nanoseconds
      pane = Swift.max(1, size / Self.ofSliding)
      every = pane
    case .session, .count, .state:
      (size, every, pane) = (.max / 8, .max / 8, .max / 8)
    }
    offset = aggregate.offset.nanoseconds
  }

  var areWindows: Bool { pane == size }

  private static func commonMeasure(_ one: Int64, _ other: Int64) -> Int64 {
    var (large, small) = (one, other)
    while small != 0 { (large, small) = (small, large % small) }
    return large
  }

  /// The start of the pane that `time` falls into.
  @inline(__always)
  func start(of time: Int64) -> Int64 {
    let rest = (time - offset) % pane
    return time - (rest < 0 ? rest + pane : rest)
  }

  /// The start of the pane that `time` falls into; without a division where that is `other`, a pane's start too, or the
  /// one after it.
  @inline(__always)
  func start(of time: Int64, near other: Int64) -> Int64 {
    let distance = UInt64(bitPattern: time &- other)
    if distance < UInt64(bitPattern: pane) { return other }
    return distance < UInt64(bitPattern: 2 * pane) ? other + pane : start(of: time)
  }

  /// The end of the first window that ends after `time`.
  func windowEnd(after time: Int64) -> Int64 {
    let rest = (time - offset - size) % every
    return time - (rest < 0 ? rest + every : rest) + every
  }

  /// The end of the last window that holds the pane that begins at `start`.
  func lastEnd(ofPaneAt start: Int64) -> Int64 { windowEnd(after: start + size) - every }
}
