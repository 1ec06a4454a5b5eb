public import DeviceKit
internal import Documents
public import Logging
internal import Resources
internal import SinkKit
public import Telemetry
public import TwinStore

/// Serves every Device that resolves: one session and one desired-state writer each, begun, changed and ended as the
/// manifests say. A device's trouble is its own: nothing here waits for a device.
public actor DeviceController {
  private struct Active {
    var plan: ServingPlan
    var labels: [String: String]
    /// Whether other gateways could serve it too.
    var isShared: Bool
    var task: Task<Void, Never>
  }

  private let mirror: ResourceMirror
  private let plugins: [String: any ProtocolPlugin]
  private let resolver: DeviceResolver
  private let ownership: DeviceOwnership?
  private let twins: TwinStore
  private let points: PointTable
  private let directory: PointDirectory
  private let board: ConnectionBoard
  private let feed: any DeviceFeed
  private let writer: DesiredStateWriter
  private let telemetry: TelemetryEngine
  private let statusChanges: CoalescingSignal<DeviceKey>
  private let logger: Logger
  private let servedSignal: AsyncStream<Void>
  private let served: AsyncStream<Void>.Continuation
  private var active: [DeviceKey: Active] = [:]
  private var resolutions: [DeviceKey: DeviceResolution] = [:]
  private var servedCounts: [String: Int] = [:]
  /// Which version of each model's spec the Devices were resolved by: a mere status of it is no news to them.
  private var knownModels: [String: String] = [:]

  /// - Parameter ownership: says which of the Devices without `spec.nodeName` are this gateway's; nil: all of them.
  public init(
    mirror: ResourceMirror, plugins: [any ProtocolPlugin], resolver: DeviceResolver,
    ownership: DeviceOwnership? = nil, twins: TwinStore,
    points: PointTable, directory: PointDirectory, board: ConnectionBoard, feed: any DeviceFeed,
    writer: DesiredStateWriter, telemetry: TelemetryEngine, statusChanges: CoalescingSignal<DeviceKey>, logger: Logger
  ) {
    self.mirror = mirror
    self.plugins = Dictionary(uniqueKeysWithValues: plugins.map { ($0.name, $0) })
    self.resolver = resolver
    self.ownership = ownership
    self.twins = twins
    self.points = points
    self.directory = directory
    self.board = board
    self.feed = feed
    self.writer = writer
    self.telemetry = telemetry
    self.statusChanges = statusChanges
    self.logger = logger
    (servedSignal, served) = AsyncStream.makeStream()
  }

  /// The devices whose link is up.
  public nonisolated var connectedDevices: Set<DeviceKey> { board.connected }

  /// How the Device was resolved last.
  public func resolution(of device: DeviceKey) -> DeviceResolution? { resolutions[device] }

  /// Whether the Device has a session, which may be about to end.
  public func isActive(_ device: DeviceKey) -> Bool { active[device] != nil }

  /// How many Devices are served by a DeviceModel.
  public func count(servedBy model: String) -> Int { servedCounts[model] ?? 0 }

  /// Nil: the Device is gone. Whether that is news.
  @discardableResult
  private func note(_ resolution: DeviceResolution?, of device: DeviceKey) -> Bool {
    let before = resolutions[device]
    guard before != resolution else { return false }
    resolutions[device] = resolution
    if case .serve(let plan)? = before { servedCounts[plan.model.name, default: 0] -= 1 }
    if case .serve(let plan)? = resolution { servedCounts[plan.model.name, default: 0] += 1 }
    servedCounts = servedCounts.filter { $0.value > 0 }
    return true
  }

  private func isNews(_ model: ObjectKey) -> Bool {
    let metadata = mirror.object(.deviceModels, model)?["metadata"]
    let text = metadata.map { "\($0["uid"] ?? "") \($0["generation"] ?? "")" }
    defer { knownModels[model.name] = text }
    return knownModels[model.name] != text
  }

  /// Returns when the Devices that were there at the start have their sessions.
  public func waitUntilServed() async {
    for await _ in servedSignal {}
  }

  /// Follows Devices and DeviceModels until the task is cancelled, then ends every session.
  public func run() async {
    await mirror.waitUntilSynced()
    for device in mirror.objects(.devices).keys.map({ DeviceKey($0) }).sorted() { await reconcile(device, models) }
    served.finish()
    await mirror.changes().drain { changes in
      var devices = Set<DeviceKey>()
      var affectsAll = false
      for change in changes {
        if change.resource == .devices { devices.insert(DeviceKey(change.key)) }
        if change.resource == .deviceModels, self.isNews(change.key) { affectsAll = true }
      }
      if affectsAll { devices.formUnion(self.mirror.objects(.devices).keys.map { DeviceKey($0) }) }
      let models = self.models
      for device in devices.sorted() { await self.reconcile(device, models) }
    }
    for (_, session) in active { session.task.cancel() }
    for (_, session) in active { await session.task.value }
    active = [:]
  }

  private var models: [String: JSONValue] {
    Dictionary(uniqueKeysWithValues: mirror.objects(.deviceModels).map { ($0.key.name, $0.value) })
  }

  private func reconcile(_ device: DeviceKey, _ models: [String: JSONValue]) async {
    guard let object = mirror.object(.devices, device.objectKey), object[path: "metadata", "deletionTimestamp"] == nil
    else { return await remove(device) }
    let isShared = ownership != nil && (object[path: "spec", "nodeName"]?.string ?? "").isEmpty
    let resolution = resolve(device, object, models, isShared: isShared)
    let isNew = note(resolution, of: device)
    let isChanged = active[device].map { $0.labels != object.metadata.labels || $0.isShared != isShared }
    if isNew || isChanged ?? false {
      await stop(device)
      if case .serve(let plan) = resolution { await start(device, plan, object) }
    }
    let policy = object[path: "spec", "desiredPolicy"]?.string.flatMap(DesiredPolicy.init(rawValue:)) ?? .latestWins
    await wish(device, object[path: "spec", "desired"]?.object ?? [:], policy)
    statusChanges.insert(device)
  }

  private func resolve(
    _ device: DeviceKey, _ object: JSONValue, _ models: [String: JSONValue], isShared: Bool
  ) -> DeviceResolution {
    guard isShared, let ownership else { return resolver.resolve(object, models: models) }
    guard ownership.serves(device) else { return .elsewhere }
    let resolution = resolver.resolve(object, models: models)
    guard case .serve(let plan) = resolution,
      plugins[plan.model.protocolName]?.endpoint(of: plan.connection) == nil
    else { return resolution }
    return .faulty(
      reason: "NeedsNode",
      message: "spec.nodeName: set it: a port of one machine is the same on no other, and several gateways are there")
  }

  /// Tells the twin what the spec desires. The twin keeps it on disk, served or not.
  private func wish(_ device: DeviceKey, _ desired: [String: JSONValue], _ policy: DesiredPolicy) async {
    guard !desired.isEmpty || twins.snapshot(device) != nil else { return }
    do throws(TwinError) {
      try await twins.setDesired(desired, of: device, from: .spec, policy: policy)
    } catch {
      logger.error("desired state not taken", metadata: ["device": "\(device)", "error": "\(error)"])
    }
  }

  private func start(_ device: DeviceKey, _ plan: ServingPlan, _ object: JSONValue) async {
    guard let plugin = plugins[plan.model.protocolName] else { return }
    let definitions = plan.model.properties.map(\.definition)
    let ids = definitions.map { points.id(of: PointName(device: device, property: $0.name)) }
    for (id, definition) in zip(ids, definitions) {
      let series = SeriesDescription(
        node: resolver.nodeName, device: device, property: definition.name, model: plan.model.name,
        unit: definition.unit, labels: object.metadata.labels)
      var range: ClosedRange<Double>?
      if let low = definition.minimum, let high = definition.maximum, low <= high { range = low...high }
      directory.set(id, series, range: range)
    }
    await telemetry.invalidate(ids)
    let session: any DeviceSession
    let isShared = ownership != nil && (object[path: "spec", "nodeName"]?.string ?? "").isEmpty
    let fence = isShared ? ownership?.fence(of: device) : nil
    do throws(DeviceError) {
      twins.attach(device, properties: try plan.model.ruledProperties(), writesEnabled: plan.writesEnabled)
      twins.hold(device, isLeaseLost: isShared && ownership?.isLost(device) ?? false)
      let request = SessionRequest(
        device: device, connection: plan.connection, properties: definitions, points: ids, model: plan.model.traits,
        fence: fence, identity: DeviceResolver.identity(of: object))
      session = try plugin.session(for: request, feed: feed)
    } catch {
      note(.faulty(reason: error.reason, message: error.message), of: device)
      return
    }
    board.set(device, .connecting)
    let writer = writer
    // Cancelled by `stop(_:)`, and at the end of `run()`.
    let task = Task {
      await withTaskGroup { group in
        group.addTask { await session.run() }
        group.addTask { await writer.run(device: device, session: session, fence: fence) }
        await group.waitForAll()
      }
    }
    active[device] = Active(plan: plan, labels: object.metadata.labels, isShared: isShared, task: task)
    logger.info("device served", metadata: ["device": "\(device)", "model": "\(plan.model.name)"])
  }

  private func stop(_ device: DeviceKey) async {
    guard let session = active.removeValue(forKey: device) else { return }
    session.task.cancel()
    await session.task.value
    board.set(device, nil)
    twins.detach(device)
    directory.remove(
      session.plan.model.properties.map { points.id(of: PointName(device: device, property: $0.definition.name)) })
  }

  private func remove(_ device: DeviceKey) async {
    await stop(device)
    guard note(nil, of: device) else { return }
    twins.remove(device)
    logger.info("device removed", metadata: ["device": "\(device)"])
  }
}

extension DeviceKey {
  init(_ key: ObjectKey) { self.init(namespace: key.namespace, name: key.name) }
  var objectKey: ObjectKey { ObjectKey(namespace: namespace, name: name) }
}
