internal import DeviceKit
internal import Documents
internal import Resources
internal import TwinStore

/// One watch of the twins, pulled by its reader: a slow reader gets fewer and newer events, never a growing queue. It
/// holds at most one pending change for each twin.
actor TwinWatch {
  private struct Step {
    var device: DeviceKey
    var change: WatchEvent.Change
    /// The version up to which the reader knows everything once it has this event.
    var version: UInt64
  }
  private let backend: TwinBackend
  private let options: ListOptions
  private let feed: TwinChangeFeed
  private var steps: [Step] = []
  private var position = 0
  /// Devices that the reader knows of.
  private var told: Set<DeviceKey> = []
  private var bookmark: UInt64?
  private var lastRound: ContinuousClock.Instant?

  init(_ backend: TwinBackend, _ options: ListOptions, since: UInt64?) {
    self.backend = backend
    self.options = options
    let twins = backend.twins
    // Registered before the first look: what changes in between is told twice rather than never.
    let feed = twins.changes()
    self.feed = feed
    let version = twins.version
    var steps: [Step] = []
    var told: Set<DeviceKey> = []
    for device in twins.devices {
      guard let since else {
        steps.append(Step(device: device, change: .added, version: version))
        continue
      }
      guard let twin = twins.snapshot(device) else { continue }
      if twin.createdVersion <= since {
        let object = backend.object(twin)
        if backend.matches(object, device, options) { told.insert(device) }
      }
      if twin.version > since {
        steps.append(Step(device: device, change: .modified, version: Swift.min(twin.version, version)))
      }
    }
    self.steps = since == nil ? steps : steps.sorted { $0.version < $1.version }
    self.told = told
    bookmark = since == nil ? version : nil
  }

  /// The next event; nil once the reader is gone.
  func next() async -> WatchEvent? {
    while !Task.isCancelled {
      while position < steps.count {
        let step = steps[position]
        position += 1
        if let event = event(step) { return event }
      }
      if let version = bookmark {
        bookmark = nil
        return Self.bookmark(version)
      }
      if let lastRound {
        let due = lastRound + backend.watchPeriod
        if due > .now { try? await Task.sleep(until: due) }
      }
      await feed.wait(atMost: backend.bookmarkPeriod)
      if Task.isCancelled { return nil }
      let round = backend.twins.take(feed)
      lastRound = .now
      position = 0
      steps = round.changes.flatMap { entry -> [Step] in
        var steps: [Step] = []
        if entry.change.contains(.removed) || entry.version == nil {
          steps.append(Step(device: entry.device, change: .deleted, version: entry.version ?? round.version))
        }
        if let version = entry.version {
          steps.append(Step(device: entry.device, change: .modified, version: version))
        }
        return steps
      }
      if steps.isEmpty { bookmark = round.version }
    }
    return nil
  }

  private func event(_ step: Step) -> WatchEvent? {
    guard TwinBackend.isMeant(step.device, options) else { return nil }
    if step.change != .deleted, let twin = backend.twins.snapshot(step.device) {
      let object = TwinBackend.object(
        twin, labels: backend.labels(step.device), version: Swift.min(step.version, twin.version))
      if backend.matches(object, step.device, options) {
        let change: WatchEvent.Change = told.insert(step.device).inserted ? .added : .modified
        return WatchEvent(change: change, object: object, resourceVersion: step.version)
      }
    }
    guard told.remove(step.device) != nil else { return nil }
    return WatchEvent(
      change: .deleted, object: TwinBackend.tombstone(step.device, version: step.version),
      resourceVersion: step.version)
  }

  private static func bookmark(_ version: UInt64) -> WatchEvent {
    WatchEvent(
      change: .bookmark,
      object: [
        "apiVersion": .string(TwinBackend.definition.apiVersion), "kind": .string(TwinBackend.definition.kind),
        "metadata": ["resourceVersion": .string("\(version)")],
      ], resourceVersion: version)
  }
}
