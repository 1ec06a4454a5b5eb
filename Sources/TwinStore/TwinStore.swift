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
    /// A reported property is written at most once in this time; zero: at every change. What a kill of the process can
    /// lose of reported values.
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
  let database: Mutex<TwinDatabase?>
  let queue = DispatchQueue(label: "selvedge.twins")
  /// Reads the history, beside the commits.
  let historyQueue = DispatchQueue(label: "selvedge.twins.history")
  let pruneIsScheduled = Atomic(false)
  private let commitIsScheduled = Atomic(false)
  private let requests = Mutex<[DesiredRequest]>([])
  private let commitFails = Atomic(false)

  struct DesiredRequest: Sendable {
    var change: DesiredChange
    var continuation: CheckedContinuation<Result<TwinSnapshot, TwinError>, Never>
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
        return try TwinStore(TwinDatabase(path: path), points, clock, logger, options)
      } catch let damage as TwinDatabase.Damage {
        let aside = TwinDatabase.setAside(path: path, now: clock.now)
        logger.error(
          "the twins' file is damaged and was moved aside; reported values come back from the devices, desired ones from the Devices' specs; local changes of desired values are lost",
          metadata: ["file": "\(aside)", "fault": "\(damage.description)"])
        return try TwinStore(TwinDatabase(path: path), points, clock, logger, options)
      }
    } catch let error as TwinError {
      throw error
    } catch {
      throw .storage("\(error)")
    }
  }

  private init(
    _ opened: TwinDatabase, _ points: PointTable, _ clock: WallClock, _ logger: Logger, _ options: Options
  ) throws {
    self.clock = clock
    self.logger = logger
    self.options = options
    var database = opened
    var state = TwinState(points: points, isReadOnlyGateway: options.isReadOnlyGateway)
    state.load(try database.load())
    // No version is used before the file allows it.
    var first = TwinCommit()
    first.versionMark = state.version + TwinState.versionBlock
    try database.write(first)
    state.versionMark = state.version + TwinState.versionBlock
    self.state = Mutex(state)
    self.database = Mutex(database)
    scheduleTimer()
  }

  /// Ends with the store's life, or when it is closed.
  private func scheduleTimer() {
    let interval = options.reportedInterval > .zero ? options.reportedInterval : .seconds(1)
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: interval.nanoseconds))) { [weak self] in
      guard let self, self.database.withLock({ $0 != nil }) else { return }
      self.commitReported()
      self.schedulePrune(after: .zero)
      self.scheduleTimer()
    }
  }

  /// Runs `body` on the state and sees to what it wants committed.
  func locked<Result>(_ body: (inout TwinState) throws -> Result) rethrows -> Result {
    var wantsCommit = false
    // While the disk refuses, the timer tries again.
    var ended: [UInt64: (device: DeviceKey, outcome: TwinCommandOutcome)] = [:]
    defer {
      if wantsCommit, !commitFails.load(ordering: .relaxed) { scheduleCommit() }
      for (id, end) in ended { finish(id, of: end.device, end.outcome) }
    }
    return try state.withLock { state in
      defer {
        if !state.endedCommands.isEmpty { swap(&ended, &state.endedCommands) }
        wantsCommit = state.wantsCommit || (options.reportedInterval == .zero && !state.dirtyReported.isEmpty)
        state.wantsCommit = false
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

  func submit(_ request: DesiredRequest) {
    requests.withLock { $0.append(request) }
    scheduleCommit()
  }

  /// On the queue: commits waiting desired changes, as many as possible in one transaction, and settled states.
  private func commitDesired() {
    repeat {
      let taken = takeRequests()
      commit(taken, reported: options.reportedInterval == .zero)
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

  private func commit(_ requests: [DesiredRequest], reported: Bool) {
    let now = clock.now
    var planned: [(request: DesiredRequest, plan: DesiredPlan)] = []
    var commit = state.withLock { state in
      for request in requests {
        do throws(TwinError) {
          planned.append((request, try state.plan(request.change, now: now)))
        } catch {
          request.continuation.resume(returning: .failure(error))
        }
      }
      return state.takeCommit(
        reported: reported, plans: planned.map(\.plan), now: now, limit: Self.rowsPerCommit)
    }
    let failure = write(&commit)
    let results = locked { state in
      planned.map { entry -> Result<TwinSnapshot, TwinError> in
        if let failure, !entry.plan.isEmpty { return .failure(failure) }
        state.apply(entry.plan, now: now)
        let device = entry.request.change.device
        return state.snapshot(device).map { .success($0) } ?? .failure(.notFound(device))
      }
    }
    for (entry, result) in zip(planned, results) { entry.request.continuation.resume(returning: result) }
  }

  /// Rows of one transaction: bounds the log's growth and how long the lock is held while rows are copied.
  private static let rowsPerCommit = 10_000

  /// On the queue: writes what was reported up to now, but nothing that changes meanwhile.
  @discardableResult
  private func commitReported() -> TwinError? {
    var left = state.withLock { $0.dirtyReported.count }
    repeat {
      let limit = Swift.min(left, Self.rowsPerCommit)
      var commit = state.withLock { $0.takeCommit(reported: true, now: clock.now, limit: limit) }
      if let failure = write(&commit) { return failure }
      left -= limit
    } while left > 0
    return nil
  }

  func write(_ commit: inout TwinCommit) -> TwinError? {
    guard !commit.isEmpty else { return nil }
    do {
      try database.withLock { database in
        guard database != nil else { throw TwinError.closed }
        try database?.write(commit)
      }
      state.withLock { $0.succeeded(commit) }
      if commit.history.count > 0 || commit.removedDevices.count > 0 { schedulePrune(after: Self.prunePause) }
      if commitFails.exchange(false, ordering: .relaxed) { logger.notice("the twins can be stored again") }
      return nil
    } catch {
      state.withLock { $0.failed(commit) }
      let failure = error as? TwinError ?? .storage("\(error)")
      if failure != .closed, !commitFails.exchange(true, ordering: .relaxed) {
        logger.error("the twins cannot be stored; tried again at each interval", metadata: ["fault": "\(error)"])
      }
      return failure
    }
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
    return commitReported().map { .failure($0) } ?? .success(())
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
