public import Documents
internal import Synchronization

/// The gateway's clock: the machine's, in which steps come only when somebody takes them, so that what has a time by it
/// can be moved along. Two faces: *stamps*, which telemetry is kept by, and what people are *shown*
/// (``ClockHistory``).
public final class GatewayClock: Sendable {
  private let discipline: Mutex<ClockDiscipline>
  private let read: @Sendable () -> ClockReading
  private let sinceBoot: @Sendable () -> Int64

  /// - Parameters:
  ///   - boot: Names the machine's start.
  ///   - history: As it was kept at the last stop.
  ///   - earliest: A wall time that has been for sure.
  ///   - sinceBoot: The time since the machine's start, in nanoseconds, as `read` has it.
  public init(
    boot: String, history: ClockHistory = ClockHistory(), earliest: Timestamp,
    read: @escaping @Sendable () -> ClockReading, sinceBoot: @escaping @Sendable () -> Int64
  ) {
    self.read = read
    self.sinceBoot = sinceBoot
    discipline = Mutex(ClockDiscipline(boot: boot, history: history, earliest: earliest.nanoseconds, read()))
  }

  /// A clock that is always right: whatever it shows, it has come there by itself.
  public convenience init(following clock: WallClock) {
    self.init(
      boot: "", earliest: Timestamp(nanoseconds: .min),
      read: {
        let now = clock.now.nanoseconds
        return ClockReading(wall: now, boot: now, isSynchronised: true)
      },
      sinceBoot: { clock.now.nanoseconds })
  }

  // MARK: Time

  /// The stamp of now.
  public var stamp: Int64 { discipline.withLock { $0.stamp(sinceBoot()) } }

  public var mark: ClockMark {
    discipline.withLock { discipline in
      let sinceBoot = sinceBoot()
      return ClockMark(
        boot: discipline.history.current?.boot ?? "", stamp: discipline.stamp(sinceBoot), sinceBoot: sinceBoot)
    }
  }

  /// Nanoseconds since some moment before the gateway's start; never set.
  public var elapsed: Int64 { sinceBoot() }

  /// What people are shown.
  public var wall: WallClock {
    WallClock { [self] in Timestamp(nanoseconds: discipline.withLock { $0.shown(sinceBoot()) }) }
  }

  /// What the clock has shown, up to now.
  public var history: ClockHistory {
    discipline.withLock { discipline in
      discipline.note(sinceBoot())
      return discipline.history
    }
  }

  /// What a stamp means to people.
  public func shown(_ stamp: Int64) -> Timestamp {
    guard ClockHistory.unset.contains(stamp) else { return Timestamp(nanoseconds: stamp) }
    return Timestamp(nanoseconds: history.shown(stamp).time)
  }

  // MARK: Steps

  /// What ``history`` will be once a step is taken that the machine's clock has made; nil where it has made none. To be
  /// kept on disk before ``step()``.
  public func pendingHistory() -> ClockHistory? {
    let reading = read()
    return discipline.withLock { discipline in
      var next = discipline
      guard next.handle(reading) != nil else {
        discipline = next
        return nil
      }
      return next.history
    }
  }

  /// Takes the step that the machine's clock has made; nil where it has made none.
  public func step() -> ClockStep? {
    discipline.withLock { $0.handle(read()) }
  }

  // MARK: Samples

  /// The batch with stamps in place of the times that were shown when its samples arrived. Times of a source's own
  /// stay.
  public func stamped(_ batch: SampleBatch) -> SampleBatch {
    let (history, now) = discipline.withLock { ($0.history.isSteady ? nil : $0.history, $0.stamp(sinceBoot())) }
    guard let history else { return batch }
    var batch = batch
    batch.moveGatewayTimes { history.stamp(shownAs: $0, now: now) }
    return batch
  }
}
