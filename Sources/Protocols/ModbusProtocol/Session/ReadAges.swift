import Documents

/// When each group of properties was last read, and which of them have grown stale: no read has ended for three periods,
/// or three times the last read's own duration where that is longer. Times are nanoseconds of a monotonic clock.
package struct ReadAges: Sendable {
  private struct Group {
    var period: Int64
    var lastEnd: Int64?
    var lastDuration: Int64 = 0
    var isTold = false
  }
  package static let periods: Int64 = 3
  private var groups: [Group]

  package init(periods: [Duration]) { groups = periods.map { Group(period: $0.nanoseconds) } }

  package mutating func read(_ group: Int, from begin: Int64, to end: Int64) {
    groups[group].lastEnd = end
    groups[group].lastDuration = end - begin
    groups[group].isTold = false
  }

  /// The groups that have grown stale since they were last asked for, with their age in nanoseconds.
  package mutating func takeStale(at now: Int64) -> [(group: Int, age: Int64)] {
    var stale: [(group: Int, age: Int64)] = []
    for index in groups.indices where !groups[index].isTold {
      let group = groups[index]
      guard let end = group.lastEnd, now - end > Self.periods * max(group.period, group.lastDuration) else { continue }
      groups[index].isTold = true
      stale.append((index, now - end))
    }
    return stale
  }
}
