import Documents

/// Which of a planner's refusals are proven: a device that lets nothing be read, since it starts or is being programmed,
/// says nothing of its registers by that.
///
/// Proven is what is known at the end of a poll that brought something. But after ``fruitless`` polls and two of the
/// longest periods that brought nothing, what was learned since then is forgotten. Times are nanoseconds of a monotonic
/// clock.
package struct RefusalProof: Sendable {
  package private(set) var proven: ReadRefusals
  private var lastRead: Int64
  /// How long nothing is read by mere chance: two of the longest periods.
  private let patience: Int64
  private var empty = 0
  /// So many polls without a value are more than one that fell out.
  package static let fruitless = 3

  /// - Parameters:
  ///   - known: What is known from before.
  ///   - start: When polling begins.
  package init(known: ReadRefusals, longestPeriod: Duration, start: Int64) {
    proven = known
    lastRead = start
    patience = 2 * longestPeriod.nanoseconds
  }

  /// Takes down that a poll brought nothing.
  package mutating func nothingWasRead() { empty = min(empty + 1, Self.fruitless) }

  /// Takes down that a poll from `begin` to `end` brought something, and sets `planner` back to what is proven where it
  /// knows more that is not. Whether more is proven than before.
  package mutating func somethingWasRead(
    from begin: Int64, to end: Int64, _ planner: inout ReadPlanner
  ) -> Bool {
    let wasSilent = empty == Self.fruitless && begin - lastRead > patience
    (lastRead, empty) = (end, 0)
    guard planner.learned != proven.count else { return false }
    if wasSilent {
      planner.setRefusals(proven)
      return false
    }
    proven = planner.refusals
    return true
  }

  /// Takes the device's refusals for passing faults: each is to be learned anew.
  package mutating func forget(_ planner: inout ReadPlanner) {
    proven = ReadRefusals()
    planner.setRefusals(proven)
  }
}
