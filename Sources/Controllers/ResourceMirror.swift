public import Documents
public import Logging
public import Resources
internal import Synchronization

/// The gateway's kinds as constants.
extension ResourceName {
  public static let deviceModels = ResourceName(group: "selvedge.dev", plural: "devicemodels")
  public static let gateways = ResourceName(group: "selvedge.dev", plural: "gateways")
  public static let devices = ResourceName(group: "selvedge.dev", plural: "devices")
  public static let discoveries = ResourceName(group: "selvedge.dev", plural: "discoveries")
  public static let brokers = ResourceName(group: "selvedge.dev", plural: "brokers")
  public static let pipelines = ResourceName(group: "selvedge.dev", plural: "pipelines")
  public static let sinks = ResourceName(group: "selvedge.dev", plural: "sinks")
  public static let secrets = ResourceName(group: "", plural: "secrets")
  public static let events = ResourceName(group: "", plural: "events")
}

/// An in-memory copy of the kinds that the controllers need, kept current by watches; tells them what changed.
///
/// A watch that ends (an expired version, a backend that is away) is begun anew with a growing pause; what vanished in
/// between is told as a change too.
public final class ResourceMirror: Sendable {
  public struct Change: Sendable, Hashable {
    public var resource: ResourceName
    public var key: ObjectKey
  }

  private struct State {
    var objects: [ResourceName: [ObjectKey: JSONValue]] = [:]
    var synced: Set<ResourceName> = []
    var signals: [CoalescingSignal<Change>] = []
  }

  private let backend: any ResourceBackend
  private let resources: [ResourceName]
  private let logger: Logger
  private let state = Mutex(State())
  private let syncSignal: AsyncStream<Void>
  private let synchronised: AsyncStream<Void>.Continuation

  public init(backend: any ResourceBackend, resources: [ResourceName], logger: Logger) {
    self.backend = backend
    self.resources = resources
    self.logger = logger
    (syncSignal, synchronised) = AsyncStream.makeStream()
  }

  /// A signal that gets every change from now on, and one for every object that is there already.
  public func changes() -> CoalescingSignal<Change> {
    let signal = CoalescingSignal<Change>()
    state.withLock { state in
      state.signals.append(signal)
      for (resource, objects) in state.objects {
        for key in objects.keys { signal.insert(Change(resource: resource, key: key)) }
      }
    }
    return signal
  }

  public func object(_ resource: ResourceName, _ key: ObjectKey) -> JSONValue? {
    state.withLock { $0.objects[resource]?[key] }
  }

  public func objects(_ resource: ResourceName) -> [ObjectKey: JSONValue] {
    state.withLock { $0.objects[resource] ?? [:] }
  }

  /// Whether every kind has been read whole at least once.
  public var isSynced: Bool { state.withLock { $0.synced.count == resources.count } }

  /// Tells of an object once more: something beside it has changed that decides what becomes of it.
  public func touch(_ resource: ResourceName, _ key: ObjectKey) {
    let signals = state.withLock { $0.signals }
    for signal in signals { signal.insert(Change(resource: resource, key: key)) }
  }

  /// Returns when ``isSynced`` holds, or the task is cancelled.
  public func waitUntilSynced() async {
    for await _ in syncSignal {}
  }

  /// Watches until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for resource in resources {
        group.addTask { await self.follow(resource) }
      }
    }
  }

  private func follow(_ resource: ResourceName) async {
    var pause = Duration.milliseconds(100)
    while !Task.isCancelled {
      do {
        let events = try await backend.watch(resource, ListOptions(), since: nil)
        var unseen = Set(objects(resource).keys)
        var isInitial = true
        for await event in events {
          if event.change == .error { break }
          if event.change == .bookmark {
            if isInitial { finishInitial(resource, unseen: unseen) }
            isInitial = false
            pause = .milliseconds(100)
            continue
          }
          let key = event.object.objectKey
          unseen.remove(key)
          // Spelled out: a bare nil beside a JSONValue would be JSON's null, and the object stay.
          apply(resource, key, event.change == .deleted ? Optional<JSONValue>.none : event.object)
        }
      } catch {
        logger.warning("watch refused", metadata: ["resource": "\(resource)", "error": "\(error)"])
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .seconds(10))
    }
  }

  private func finishInitial(_ resource: ResourceName, unseen: Set<ObjectKey>) {
    for key in unseen { apply(resource, key, nil) }
    _ = state.withLock { $0.synced.insert(resource) }
    if isSynced { synchronised.finish() }
  }

  private func apply(_ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue?) {
    let signals = state.withLock { state in
      state.objects[resource, default: [:]][key] = object
      return state.signals
    }
    for signal in signals { signal.insert(Change(resource: resource, key: key)) }
  }
}
