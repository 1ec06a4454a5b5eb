/// The properties whose reported values are written at most once in one interval; zero: at every change.
struct PersistGroup {
  let interval: Duration
  /// Points that changed since they were last written, each once.
  var dirty: [UInt32] = []
}

extension TwinState {
  /// The group of an interval, made if there is none; nil is the store's default. Past 250 intervals, the longest one
  /// that is no longer than the one asked for, or the shortest.
  mutating func group(every interval: Duration?) -> UInt8 {
    guard let interval else { return 0 }
    if let index = groups.firstIndex(where: { $0.interval == interval }) { return UInt8(index) }
    if groups.count < 250 {
      groups.append(PersistGroup(interval: interval))
      return UInt8(groups.count - 1)
    }
    let known = groups.map(\.interval)
    let chosen = known.filter { $0 <= interval }.max() ?? known.min()
    return UInt8(known.firstIndex { $0 == chosen } ?? 0)
  }

  /// Whether a property that is written at every change has changed.
  var wantsReportedNow: Bool { groups.contains { $0.interval <= .zero && !$0.dirty.isEmpty } }
}
