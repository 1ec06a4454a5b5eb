/// A step of the gateway's clock, by so many nanoseconds (below zero: back), when it stood at `from`.
public struct ClockStep: Sendable, Hashable {
  public var by: Int64
  public var from: Int64
  /// When it was taken, in nanoseconds since the machine's start.
  public var sinceBoot: Int64
  /// Whether the clock was set for the first time since the machine's start.
  public var isFirst: Bool

  public init(by: Int64, from: Int64, sinceBoot: Int64, isFirst: Bool = false) {
    (self.by, self.from, self.sinceBoot, self.isFirst) = (by, from, sinceBoot, isFirst)
  }
}

/// What the machine's clocks show at one moment, in nanoseconds.
public struct ClockReading: Sendable, Hashable {
  /// Since 1970.
  public var wall: Int64
  /// Since the machine's start; goes on while it sleeps.
  public var boot: Int64
  /// Whether the kernel says that its clock follows another one (adjtimex(2), not STA_UNSYNC).
  public var isSynchronised: Bool

  public init(wall: Int64, boot: Int64, isSynchronised: Bool = false) {
    (self.wall, self.boot, self.isSynchronised) = (wall, boot, isSynchronised)
  }
}

/// Makes a clock of the machine's wall clock and the time since its start: it runs on with the latter, and tells by how
/// much the former was set. Pure; readings come from outside.
///
/// The clock counts as set when the wall clock is not before the program itself, and not before the latest time that
/// was kept on disk. The kernel's word alone is not asked for: STA_UNSYNC stands on a gateway with a battery-backed
/// clock and no network, and under chrony without `rtcsync`. It is asked when the wall clock is before the kept time: a
/// kernel that follows another clock is right then, and the kept time was wrong. Without such a word the wall clock is
/// believed after ``patience``. A wall clock from before the program is never believed; time goes on as before.
public struct ClockDiscipline: Sendable {
  /// What is no step, since two clocks cannot be read at one moment and a wall clock is slewed.
  public static let bound: Int64 = 200_000_000
  /// How long a clock that is not set is waited for, from the machine's first stamp on.
  public static let patience: Int64 = 600_000_000_000

  public private(set) var history: ClockHistory
  private let earliest: Int64
  private var offset: Int64 { history.current?.offset ?? 0 }

  /// - Parameters:
  ///   - boot: Names the machine's start.
  ///   - history: As it was kept at the last stop.
  ///   - earliest: A wall time that has been for sure, in nanoseconds since 1970.
  public init(boot: String, history: ClockHistory, earliest: Int64, _ reading: ClockReading) {
    self.history = history
    self.earliest = earliest
    defer { updateAwaiting(reading) }
    guard history.current?.boot != boot else { return }
    let least = max(earliest, history.lastShown ?? earliest)
    if reading.wall >= least || (reading.wall >= earliest && reading.isSynchronised) {
      begin(boot, at: reading.wall, shown: reading.wall, reading)
    } else {
      let slack = history.lastShown == nil ? 0 : ClockHistory.slackOfShown
      begin(boot, at: history.nextUnsetStart, shown: least + slack, reading)
    }
  }

  /// The stamp of a moment, by the time since the machine's start.
  public func stamp(_ boot: Int64) -> Int64 { boot &+ offset }

  /// The wall time that people are shown for a moment.
  public func shown(_ boot: Int64) -> Int64 { history.current?.shown(stamp(boot)) ?? stamp(boot) }

  /// Takes a reading. A step has been taken when it is returned: stamps go on after it.
  public mutating func handle(_ reading: ClockReading) -> ClockStep? {
    updateAwaiting(reading)
    guard let era = history.current else { return nil }
    let now = stamp(reading.boot)
    let by = reading.wall &- now
    guard reading.wall >= earliest else { return nil }
    if era.isSet, by.magnitude <= Self.bound {
      if by.magnitude > 1_000_000 { history.extend(to: now, offset: offset &+ by) }
      return nil
    }
    guard era.isSet || isBelieved(reading, era) else { return nil }
    history.extend(to: now, offset: offset)
    begin(era.boot, at: reading.wall, shown: reading.wall, reading)
    updateAwaiting(reading)
    return ClockStep(by: by, from: now, sinceBoot: reading.boot, isFirst: !era.isSet)
  }

  /// Notes how far the clock has come, for the disk.
  public mutating func note(_ boot: Int64) { history.extend(to: stamp(boot), offset: offset) }

  private func isBelieved(_ reading: ClockReading, _ era: ClockHistory.Era) -> Bool {
    reading.wall >= era.shown(stamp(reading.boot)) - ClockHistory.slackOfShown || reading.isSynchronised
      || reading.boot &- (era.start &- era.offset) >= Self.patience
  }

  private mutating func begin(_ boot: String, at stamp: Int64, shown: Int64, _ reading: ClockReading) {
    history.begin(
      ClockHistory.Era(boot: boot, offset: stamp &- reading.boot, start: stamp, end: stamp, shownStart: shown))
  }

  private mutating func updateAwaiting(_ reading: ClockReading) {
    guard let era = history.current else { return }
    history.isAwaited = !era.isSet && reading.boot &- (era.start &- era.offset) < Self.patience
  }
}
