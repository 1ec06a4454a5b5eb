public import DeviceKit
internal import Dispatch
internal import Documents
internal import Glibc
public import Logging
internal import Synchronization

/// The twins of all devices of one gateway: reported values in memory and, coalesced, on disk; desired values on disk
/// before they are acknowledged.
///
/// Every call but ``setDesired(_:of:from:ifVersion:)``, ``flush()`` and ``close()`` works in memory alone and returns
/// at once; SQLite runs on a serial queue of its own. Safe from any task or thread.
public final class TwinStore: Sendable {
  public struct Options: Sendable {
    /// A reported property whose definition does not say is written at most once in this time; zero: at every change.
    /// What a kill of the process can lose of reported values.
    public var reportedInterval: Duration
    /// Holds every desired value: nothing is ever written to a device.
    public var isReadOnlyGateway: Bool
    /// How much of what happened is kept.
    public var history: TwinHistoryLimits
    public init(
      reportedInterval: Duration = .seconds(60), isReadOnlyGateway: Bool = false,
      history: TwinHistoryLimits = TwinHistoryLimits()
    ) {
      self.reportedInterval = reportedInterval
      self.isReadOnlyGateway = isReadOnlyGateway
      self.history = history
    }
  }

  let state: Mutex<TwinState>
  let clock: WallClock
  let logger: Logger
  let options: Options
  let path: String
  let database: Mutex<TwinDatabase?>
  let queue = DispatchQueue(label: "selvedge.twins")
  /// Reads the history, beside the commits.
  let historyQueue = DispatchQueue(label: "selvedge.twins.history")
  let pruneIsScheduled = Atomic(false)
  private let commitIsScheduled = Atomic(false)
  private let settlingIsScheduled = Atomic(false)
  private let reportIsScheduled = Atomic(false)
  /// How many groups have a timer.
  private let timedGroups = Mutex(0)
  private let requests = Mutex<[DesiredRequest]>([])
  private let commitFails = Atomic(false)
  private let isClosed = Atomic(false)

  struct DesiredRequest: Sendable {
    var change: DesiredChange
    var continuation: CheckedContinuation<Result<DesiredResult, TwinError>, Never>
  }
  struct DesiredResult: Sendable {
    var twin: TwinSnapshot
    /// Of the cloud's wish.
    var verdicts: [String: RemoteAnswer.Property]
  }

  /// Opens `twin.db` in `directory`, making both where they are missing, and loads it. A damaged file is moved aside,
  /// with a message in the log: reported values come back from the devices, desired ones from the Devices' specs.
  ///
  /// Throws ``TwinError/storage(_:)`` for a file of a newer version or one that cannot be opened.
  public static func open(
    directory: String, points: PointTable, clock: WallClock = .system, logger: Logger, options: Options = Options()
  ) throws(TwinError) -> TwinStore {
    mkdir(directory, 0o750)
    let path = directory + "/twin.db"
    do {
      do {
        return try TwinStore(path, points, clock, logger, options)
      } catch  where TwinDatabase.isDamage(error, path: path) {
        let aside = TwinDatabase.setAside(path: path, now: clock.now)
        logger.error(
          "the twins' file is damaged and was moved aside; reported values come back from the devices, desired ones from the Devices' specs; local changes of desired values are lost",
          metadata: ["file": "\(aside)", "fault": "\(error)"])
        return try TwinStore(path, points, clock, logger, options)
      }
    } catch let error as TwinError {
      throw error
    } catch {
      throw TwinDatabase.error(error)
    }
  }

  private init(
    _ path: String, _ points: PointTable, _ clock: WallClock, _ logger: Logger, _ options: Options
  ) throws {
    self.path = path
    self.clock = clock
    self.logger = logger
    self.options = options
    let opened = try TwinDatabase.opened(
      path: path,
      TwinState(
        points: points, isReadOnlyGateway: options.isReadOnlyGateway, reportedInterval: options.reportedInterval))
    state = Mutex(opened.state)
    database = Mutex(opened.database)
    scheduleTimers()
  }

  /// Gives every group that has none its timer. They end with the store's life, or when it is closed.
  func scheduleTimers() {
    let intervals = state.withLock { $0.groups.map(\.interval) }
    let new = timedGroups.withLock { timed in
      defer { timed = Swift.max(timed, intervals.count) }
      return intervals.indices.dropFirst(timed)
    }
    // What is written at every change has a timer too, which tries again what the disk refused.
    for group in new { scheduleTimer(group, intervals[group] > .zero ? intervals[group] : .seconds(1)) }
  }

  private func scheduleTimer(_ group: Int, _ interval: Duration) {
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: interval.nanoseconds))) { [weak self] in
      guard let self, !self.isClosed.load(ordering: .acquiring) else { return }
      self.commitReported([group])
      if group == 0 {
        self.schedulePrune(after: .zero)
        self.tidy()
      }
      self.scheduleTimer(group, interval)
    }
  }

  /// Runs `body` on the state and sees to what it wants committed.
  func locked<Result>(_ body: (inout TwinState) throws -> Result) rethrows -> Result {
    var wants = (commit: false, settling: false, report: false)
    // While the disk refuses, the timer tries again.
    var ended: [UInt64: (device: DeviceKey, outcome: TwinCommandOutcome)] = [:]
    defer {
      if !commitFails.load(ordering: .relaxed) {
        if wants.commit { scheduleCommit() } else if wants.settling { scheduleSettling() }
        if wants.report { scheduleReport() }
      }
      for (id, end) in ended { finish(id, of: end.device, end.outcome) }
    }
    return try state.withLock { state in
      defer {
        if !state.endedCommands.isEmpty { swap(&ended, &state.endedCommands) }
        wants = (state.wantsCommit, state.wantsSettling, state.wantsReportedNow)
        state.wantsCommit = false
        state.wantsSettling = false
      }
      return try body(&state)
    }
  }

  // MARK: The queue

  private func scheduleCommit() {
    guard !commitIsScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async { [self] in
      commitIsScheduled.store(false, ordering: .releasing)
      commitDesired()
    }
  }

  /// Writes what desired values have come to, all of 50 ms in one commit unless a wish's takes it along: no wish waits
  /// for the fsync of the state of the one before. Without it, a restart reads the device and comes to the same state.
  private func scheduleSettling() {
    guard !settlingIsScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [self] in
      settlingIsScheduled.store(false, ordering: .releasing)
      commitDesired()
    }
  }

  /// Writes what is to be written at every change: all that comes within 50 ms in one commit, each property once.
  private func scheduleReport() {
    guard !reportIsScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [self] in
      reportIsScheduled.store(false, ordering: .releasing)
      commitReported(state.withLock { state in state.groups.indices.filter { state.groups[$0].interval <= .zero } })
    }
  }

  func submit(_ request: DesiredRequest) {
    requests.withLock { $0.append(request) }
    scheduleCommit()
  }

  /// On the queue: commits waiting desired changes, as many as possible in one transaction, and settled states.
  private func commitDesired() {
    repeat {
      let taken = takeRequests()
      commit(taken)
    } while requests.withLock { !$0.isEmpty }
  }

  /// The waiting requests in their order, at most one for each device: a second one builds on the first's outcome.
  private func takeRequests() -> [DesiredRequest] {
    requests.withLock { requests in
      var seen: Set<DeviceKey> = []
      var taken: [DesiredRequest] = []
      var left: [DesiredRequest] = []
      for request in requests {
        if seen.insert(request.change.device).inserted { taken.append(request) } else { left.append(request) }
      }
      requests = left
      return taken
    }
  }

  private func commit(_ requests: [DesiredRequest]) {
    let now = clock.now
    var planned: [(request: DesiredRequest, plan: DesiredPlan)] = []
    state.withLock { state in
      for request in requests {
        do throws(TwinError) {
          planned.append((request, try state.plan(request.change, now: now)))
        } catch {
          request.continuation.resume(returning: .failure(error))
        }
      }
    }
    let plans = planned.map(\.plan)
    let failure = write(reported: [], plans: plans, now: now)
    let results = locked { state in
      planned.map { entry -> Result<DesiredResult, TwinError> in
        if let failure, !entry.plan.isEmpty { return .failure(failure) }
        state.apply(entry.plan, now: now)
        let device = entry.request.change.device
        return state.snapshot(device).map { .success(DesiredResult(twin: $0, verdicts: entry.plan.verdicts)) }
          ?? .failure(.notFound(device))
      }
    }
    for (entry, result) in zip(planned, results) { entry.request.continuation.resume(returning: result) }
  }

  /// Rows of one transaction: bounds the log's growth and how long the lock is held while rows are copied.
  private static let rowsPerCommit = 10_000

  /// On the queue: writes what the groups' properties reported up to now, but nothing that changes meanwhile.
  @discardableResult
  private func commitReported(_ groups: [Int]) -> TwinError? {
    var left = state.withLock { state in groups.reduce(0) { $0 + state.groups[$1].dirty.count } }
    repeat {
      let limit = Swift.min(left, Self.rowsPerCommit)
      if let failure = write(reported: groups, now: clock.now, limit: limit) { return failure }
      left -= limit
    } while left > 0
    return nil
  }

  /// Writes what is to be written, of reported values at most `limit` of the groups'.
  private func write(reported groups: [Int], plans: [DesiredPlan] = [], now: Timestamp, limit: Int = .max) -> TwinError?
  {
    write { $0.takeCommit(reported: groups, plans: plans, now: now, limit: limit) }
  }

  /// On the queue: writes what `take` gathers. Where the file turns out to be damaged, it goes into the file's
  /// successor, and everything else after it.
  func write(_ take: (inout TwinState) -> TwinCommit) -> TwinError? {
    do {
      do {
        try store(state.withLock { take(&$0) })
      } catch  where TwinDatabase.isDamage(error, path: path) {
        try replaceDatabase(because: error)
        try store(state.withLock { take(&$0) })
        queue.async { [weak self] in _ = self?.flushOnQueue() }
      }
      return nil
    } catch {
      let failure = TwinDatabase.error(error)
      if failure != .closed, !commitFails.exchange(true, ordering: .relaxed) {
        logger.error("the twins cannot be stored; tried again at each interval", metadata: ["fault": "\(failure)"])
      }
      return failure
    }
  }

  private func store(_ commit: TwinCommit) throws {
    guard !commit.isEmpty else { return }
    do {
      if isClosed.load(ordering: .acquiring) { throw TwinError.closed }
      try reopen()
      try database.withLock { try $0?.write(commit) }
    } catch {
      state.withLock { $0.failed(commit) }
      throw error
    }
    state.withLock { $0.succeeded(commit) }
    if !commit.history.isEmpty || !commit.removedDevices.isEmpty { schedulePrune(after: Self.prunePause) }
    if commitFails.exchange(false, ordering: .relaxed) { logger.notice("the twins can be stored again") }
  }

  // MARK: Ends

  /// Writes everything that is not on disk yet; returns once it is.
  public func flush() async throws(TwinError) {
    let result: Result<Void, TwinError> = await withCheckedContinuation { continuation in
      queue.async { [self] in continuation.resume(returning: flushOnQueue()) }
    }
    try result.get()
  }

  private func flushOnQueue() -> Result<Void, TwinError> {
    commitDesired()
    let groups = state.withLock { $0.groups.indices }
    return commitReported(Array(groups)).map { .failure($0) } ?? .success(())
  }

  /// Writes what has changed of the properties that are written at most once in `interval`, as their timer does.
  public func persist(every interval: Duration) async throws(TwinError) {
    let groups = state.withLock { state in state.groups.indices.filter { state.groups[$0].interval == interval } }
    let failure: TwinError? = await withCheckedContinuation { continuation in
      queue.async { [self] in continuation.resume(returning: commitReported(groups)) }
    }
    if let failure { throw failure }
  }

  /// Flushes and closes the file. Afterwards desired values are refused and nothing is stored any more.
  public func close() async {
    do throws(TwinError) {
      try await flush()
    } catch {
      if error != .closed { logger.error("not all of the twins could be stored", metadata: ["fault": "\(error)"]) }
    }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      queue.async { [self] in
        isClosed.store(true, ordering: .releasing)
        database.withLock { $0 = nil }
        let left = requests.withLock { requests in
          defer { requests = [] }
          return requests
        }
        for request in left { request.continuation.resume(returning: .failure(.closed)) }
        continuation.resume()
      }
    }
    let streams = state.withLock { Array($0.transitionStreams.values) }
    for stream in streams { stream.finish() }
  }
}
