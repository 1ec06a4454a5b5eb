/// By how much times have to be moved that stages keep of a series, since the gateway's clock was set: known for a series
/// when its next sample shows whether it has the gateway's times or its source's own.
struct PendingMoves {
  /// All steps of the clock so far, in nanoseconds.
  private var steps: Int64 = 0
  /// The steps that a slot's times have been moved by, or need not be; slots beyond the end began after all of them.
  private var done: [Int64] = []
  private var left = 0

  var arePending: Bool { left > 0 }

  /// Takes a step of the clock while there are `slots` slots.
  mutating func add(_ step: Int64, slots: Int) {
    if done.count < slots { done.append(contentsOf: repeatElement(steps, count: slots - done.count)) }
    steps &+= step
    left = done.count { $0 != steps }
  }

  /// The nanoseconds by which the slot's times have to be moved if they are the gateway's; nil where there is nothing
  /// to do, as from now on.
  mutating func take(_ slot: Int) -> Int64? {
    guard slot < done.count, done[slot] != steps else { return nil }
    defer {
      done[slot] = steps
      left -= 1
    }
    return steps &- done[slot]
  }
}
