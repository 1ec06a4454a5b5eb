/// A moment by the gateway's clock, such that it is known later how the clock went then.
public struct ClockMark: Sendable, Hashable {
  /// Names the machine's start.
  public var boot: String
  public var stamp: Int64
  /// Nanoseconds since the machine's start.
  public var sinceBoot: Int64

  public init(boot: String, stamp: Int64, sinceBoot: Int64) {
    (self.boot, self.stamp, self.sinceBoot) = (boot, stamp, sinceBoot)
  }
}

/// What a gateway's clock has shown, over its starts: what a stamp means, and what it was before the clock was set.
///
/// A *stamp* is a number of nanoseconds. While the clock is set, it is the wall time since 1970. While it is not, stamps
/// run on with the time since the machine's start from a place in ``unset``, where no source's own time lies; so each
/// stamp tells by itself whether a wall time is to be put in its place. People are *shown* wall times: of a stamp of a
/// clock that is not set yet, the least that it can be.
public struct ClockHistory: Sendable, Hashable {
  /// A span in which stamps ran on with the time since the machine's start.
  public struct Era: Sendable, Hashable {
    /// Names the machine's start (`/proc/sys/kernel/random/boot_id`).
    public var boot: String
    /// Stamp minus time since the machine's start.
    public var offset: Int64
    public var start: Int64
    /// The latest stamp that is known to be of the era.
    public var end: Int64
    /// What people are shown for `start`.
    public var shownStart: Int64

    public init(boot: String, offset: Int64, start: Int64, end: Int64, shownStart: Int64) {
      (self.boot, self.offset, self.start, self.end) = (boot, offset, start, end)
      self.shownStart = shownStart
    }

    public var isSet: Bool { !ClockHistory.unset.contains(start) }
    func shown(_ stamp: Int64) -> Int64 { stamp &- start &+ shownStart }
  }

  /// Stamps of clocks that are not set: 1900 to 1950.
  public static let unset: Range<Int64> = -2_208_988_800_000_000_000 ..< -631_152_000_000_000_000
  static let most = 64
  /// How long an era may have gone on after its `end` without the disk having taken it.
  static let slackOfSet: Int64 = 120_000_000_000
  static let slackOfUnset: Int64 = 30 * 86_400_000_000_000
  /// How much later than the latest time on disk a clock may have shown before the machine stopped.
  static let slackOfShown: Int64 = 61_000_000_000

  /// In their order; the last one goes on.
  public private(set) var eras: [Era] = []
  /// Whether the clock is not set and may soon be.
  public internal(set) var isAwaited = false

  public init() {}

  public var current: Era? { eras.last }

  mutating func begin(_ era: Era) {
    eras.append(era)
    if eras.count > Self.most { eras.removeFirst(eras.count - Self.most) }
  }

  /// Says how far the current era has come, and how its stamps run.
  mutating func extend(to end: Int64, offset: Int64) {
    guard !eras.isEmpty else { return }
    eras[eras.count - 1].end = max(eras[eras.count - 1].start, end)
    eras[eras.count - 1].offset = offset
  }

  /// Where the stamps of a clock begin that is not set: after all those of earlier starts.
  var nextUnsetStart: Int64 {
    let last = eras.last { !$0.isSet }
    return last.map { $0.end + Self.slackOfUnset }.flatMap { Self.unset.contains($0) ? $0 : nil }
      ?? Self.unset.lowerBound
  }

  /// The latest wall time that was shown for sure; nil before the first.
  var lastShown: Int64? { eras.map { $0.shown($0.end) }.max() }

  // MARK: Meaning

  private func era(of stamp: Int64) -> Era? {
    eras.last { $0.start <= stamp && stamp <= $0.end &+ ($0.isSet ? Self.slackOfSet : Self.slackOfUnset) }
  }

  /// The wall time of a stamp. Of one from before the clock was set, counted back from when it was; where that never
  /// came, the least that it can have been, and the machine's start.
  public func shown(_ stamp: Int64) -> (time: Int64, unsetBoot: String?) {
    guard Self.unset.contains(stamp) else { return (stamp, nil) }
    guard let era = era(of: stamp) else { return (eras.first?.shownStart ?? stamp, "unknown") }
    if let set = eras.first(where: { $0.boot == era.boot && $0.isSet }) {
      return (stamp &- era.offset &+ set.offset, nil)
    }
    return (era.shown(stamp), era.boot)
  }

  /// How much time has gone by since a stamp, if it is now `now`, in nanoseconds: steps of the clock in between, as far
  /// as they are known, are no time.
  public func age(of stamp: Int64, at now: Int64) -> Int64 { latest(now) &- latest(stamp) }

  /// The wall time of a stamp by what its machine's clock showed last before its next start.
  private func latest(_ stamp: Int64) -> Int64 {
    guard let era = era(of: stamp) else { return shown(stamp).time }
    guard let last = eras.last(where: { $0.boot == era.boot }) else { return stamp }
    return last.shown(stamp &- era.offset &+ last.offset)
  }

  /// Whether a stamp will soon have its wall time.
  public func isAwaited(_ stamp: Int64) -> Bool {
    guard isAwaited, let current, !current.isSet else { return false }
    return stamp >= current.start && Self.unset.contains(stamp)
  }

  /// By how much state moves that was kept at a moment, if the clock now stands at `now`.
  public func shift(from mark: ClockMark, to now: Int64) -> Int64 {
    guard let current else { return 0 }
    if mark.boot == current.boot {
      let shift = current.offset &- (mark.stamp &- mark.sinceBoot)
      return shift.magnitude > ClockDiscipline.bound ? shift : 0
    }
    return Self.unset.contains(mark.stamp) != Self.unset.contains(now) ? now &- mark.stamp : 0
  }

  // MARK: Samples on their way

  /// Whether all times that this start of the machine has shown are stamps of now.
  public var isSteady: Bool {
    guard let current, current.isSet else { return false }
    return eras.count < 2 || eras[eras.count - 2].boot != current.boot
  }

  /// The stamp of a moment for which people were shown `time`, as the clock goes now. `now` is a stamp.
  public func stamp(shownAs time: Int64, now: Int64) -> Int64 {
    guard let current else { return time }
    if current.shownStart <= time, time <= current.shown(now) { return time &- current.shownStart &+ current.start }
    let former = eras.dropLast().last {
      $0.boot == current.boot && $0.shownStart <= time && time <= $0.shown($0.end)
    }
    guard let former else { return current.isSet ? time : time &- current.shownStart &+ current.start }
    return time &- former.shownStart &+ former.start &- former.offset &+ current.offset
  }

  /// The stamp up to which a clock that was set back has shown times before; nil where it has come past that.
  public func setBackUntil(_ now: Int64) -> Int64? {
    let boot = current?.boot
    return eras.dropLast().filter { $0.boot == boot && $0.isSet && $0.end > now }.map(\.end).max()
  }
}
