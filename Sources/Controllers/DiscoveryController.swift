public import DeviceKit
public import Documents
public import Logging
public import Resources

/// Runs every Discovery's discoverer and turns its finds into Devices.
public actor DiscoveryController {
  /// What the gateway knows of one Discovery, for its status.
  public struct Observation: Sendable, Hashable {
    public var found = 0
    public var lastReport: Timestamp?
    public var warnings: [String] = []
    public var error: DeviceError?
    /// How far the present look, or the last one, has come.
    public var progress: DiscoveryProgress?
    /// Whether `spec.suspend` keeps it from looking.
    public var isSuspended = false
  }

  private struct Running {
    var specification: JSONValue
    /// Nil while the Discovery is suspended.
    var task: Task<Void, Never>?
  }

  private let mirror: ResourceMirror
  private let backend: any ResourceBackend
  private let writer: any StatusWriter
  private let plugins: [String: any ProtocolPlugin]
  private let sessions: DeviceController
  private let nodeName: String
  private let clock: WallClock
  private let events: EventRecorder
  private let audit: @Sendable (ObjectKey, String) -> Void
  private let logger: Logger
  private let progress = ProgressBoard()
  private var running: [ObjectKey: Running] = [:]
  private let reports = ReportDirectory()
  private var observations: [ObjectKey: Observation] = [:]
  /// What was applied last to each Device that is there, and to which state of it: once is enough.
  private var applied: [ObjectKey: Applied] = [:]

  private struct Applied: Equatable {
    var configuration: JSONValue
    var generation: JSONValue?
    var labels: JSONValue?
    var annotations: JSONValue?
  }

  public init(
    mirror: ResourceMirror, backend: any ResourceBackend, writer: any StatusWriter, plugins: [any ProtocolPlugin],
    sessions: DeviceController, nodeName: String, clock: WallClock, events: EventRecorder,
    audit: @escaping @Sendable (ObjectKey, String) -> Void, logger: Logger
  ) {
    self.mirror = mirror
    self.backend = backend
    self.writer = writer
    self.plugins = Dictionary(uniqueKeysWithValues: plugins.map { ($0.name, $0) })
    self.sessions = sessions
    self.nodeName = nodeName
    self.clock = clock
    self.events = events
    self.audit = audit
    self.logger = logger
  }

  public func observation(of key: ObjectKey) -> Observation? {
    guard var observation = observations[key] else { return nil }
    observation.progress = progress.shown(of: key, at: clock.now)
    return observation
  }

  /// Follows the Discoveries until the task is cancelled, then stops their discoverers.
  public func run() async {
    await mirror.changes().drain { changes in
      for change in changes where change.resource == .discoveries { self.restart(change.key) }
    }
    for (_, running) in running { running.task?.cancel() }
    for (_, running) in running { await running.task?.value }
  }

  private func restart(_ key: ObjectKey) {
    let discovery = mirror.object(.discoveries, key)
    let specification = discovery?["spec"]
    guard running[key]?.specification != specification else { return }
    running.removeValue(forKey: key)?.task?.cancel()
    progress.remove(key)
    guard let discovery, let specification else {
      observations[key] = nil
      reports.set(key, nil)
      return
    }
    let isSuspended = specification["suspend"]?.bool ?? false
    observe(key) { $0.isSuspended = isSuspended }
    guard !isSuspended else {
      audit(key, "suspended: nothing is looked for, and no Device is removed")
      running[key] = Running(specification: specification)
      return
    }
    // Cancelled here when the Discovery changes or goes, and at the end of `run()`.
    running[key] = Running(specification: specification, task: Task { await self.follow(key, discovery) })
  }

  private func follow(_ key: ObjectKey, _ discovery: JSONValue) async {
    let fragments = (discovery["spec"]?.object ?? [:]).filter { plugins[$0.key] != nil }
    guard let (name, fragment) = fragments.first, let plugin = plugins[name] else {
      return observe(key) {
        $0.error = DeviceError(reason: "NoProtocol", message: "spec names no protocol", isPermanent: true)
      }
    }
    var reconciler = DiscoveryReconciler(discovery: discovery, protocolName: name, nodeName: nodeName)
    let every = discovery[path: "spec", "every"]?.string.flatMap { Duration(manifest: $0) } ?? .seconds(900)
    var pause = Duration.seconds(1)
    while !Task.isCancelled {
      do {
        let request = request(key, discovery, name, fragment, every: every)
        guard let discoverer = try plugin.discoverer(for: request) else {
          throw DeviceError(reason: "NoDiscovery", message: "\(name) finds no devices", isPermanent: true)
        }
        try await withVanishingCheck(key, &reconciler, every: min(every, .seconds(15))) {
          (report) async throws(DeviceError) in
          try await discoverer.run(report: report)
        }
        return
      } catch let error as DeviceError {
        observe(key) { $0.error = error }
        logger.warning("discovery stopped", metadata: ["discovery": "\(key)", "reason": "\(error.message)"])
        if error.isPermanent { return }
      } catch {
        return
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .seconds(60))
    }
  }

  private enum Step: Sendable {
    case report(DiscoveryReport)
    case tick
    case ended(DeviceError?)
  }

  /// Runs `discover`, reconciling after each report and, for what vanished, at every tick.
  private func withVanishingCheck(
    _ key: ObjectKey, _ reconciler: inout DiscoveryReconciler, every: Duration,
    _ discover: @escaping @Sendable (@Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) -> Void
  ) async throws {
    let (steps, step) = AsyncStream<Step>.makeStream(bufferingPolicy: .bufferingNewest(16))
    // Both are cancelled when this function leaves.
    let discovering = Task {
      do throws(DeviceError) {
        try await discover { step.yield(.report($0)) }
        step.yield(.ended(nil))
      } catch {
        step.yield(.ended(error))
      }
    }
    let ticking = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: every)
        step.yield(.tick)
      }
    }
    defer {
      discovering.cancel()
      ticking.cancel()
    }
    await withTaskCancellationHandler {
      for await next in steps {
        switch next {
        case .report(let report):
          reports.set(key, report.devices)
          observe(key) {
            $0.error = nil
            $0.found = report.devices.count
            $0.lastReport = self.clock.now
            $0.warnings = report.warnings
          }
          await reconcile(key, report.devices, &reconciler)
        case .tick:
          if let devices = reports.devices(of: key) { await reconcile(key, devices, &reconciler) }
        case .ended(let error):
          endings[key] = error
          step.finish()
        }
      }
    } onCancel: {
      step.finish()
    }
    if let error = endings.removeValue(forKey: key) ?? nil { throw error }
  }

  private var endings: [ObjectKey: DeviceError?] = [:]

  private func request(
    _ key: ObjectKey, _ discovery: JSONValue, _ name: String, _ fragment: JSONValue, every: Duration
  ) -> DiscoveryRequest {
    let sessions = sessions
    let mirror = mirror
    let audit = audit
    let progress = progress
    let clock = clock
    let reports = reports
    return DiscoveryRequest(
      name: key.name, namespace: key.namespace, specification: fragment, every: every,
      servedConnections: {
        sessions.connectedDevices.compactMap { device in
          mirror.object(.devices, ObjectKey(namespace: device.namespace, name: device.name))?[
            path: "spec", "connection"]?
            .object?.values.first
        }
      },
      devicesOfDiscovery: { reports.devices(of: ObjectKey(namespace: key.namespace, name: $0)) },
      identifyingModel: { identity in
        let models = Dictionary(
          mirror.objects(.deviceModels).map { ($0.key.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        let template = discovery[path: "spec", "template", "spec", "modelRef", "name"]?.string
        return DeviceResolver.modelName(fitting: identity, models: models, fallback: template).flatMap { models[$0] }
          .flatMap { IdentifyingModel($0, protocolName: name) }
      },
      audit: { audit(key, $0) }, progress: { progress.set(key, $0, at: clock.now) })
  }

  private func observe(_ key: ObjectKey, _ change: (inout Observation) -> Void) {
    var observation = observations[key] ?? Observation()
    change(&observation)
    observations[key] = observation
  }

  private func reconcile(_ key: ObjectKey, _ devices: [DiscoveredDevice], _ reconciler: inout DiscoveryReconciler) async
  {
    let existing = mirror.objects(.devices).filter { $0.key.namespace == key.namespace }
    applied = applied.filter { existing[$0.key] != nil || $0.key.namespace != key.namespace }
    let connected = sessions.connectedDevices
    for model in reconciler.standardModels(of: devices) { await apply(model, for: key, reconciler) }
    let directives = reconciler.reconcile(
      devices, existing: existing,
      isConnected: { connected.contains(DeviceKey(namespace: $0.namespace, name: $0.name)) }, now: clock.now)
    for directive in directives { await carryOut(directive, for: key, reconciler) }
  }

  private func apply(_ model: JSONValue, for discovery: ObjectKey, _ reconciler: DiscoveryReconciler) async {
    // A model of this name is this model, or what a person has made of it: its name carries a hash of what it says.
    guard mirror.object(.deviceModels, model.objectKey) == nil else { return }
    do {
      _ = try await backend.patch(
        .deviceModels, model.objectKey, .apply(model, force: false), subresource: nil,
        WriteOptions(fieldManager: DiscoveryReconciler.managerPrefix))
      logger.notice("model made by standard", metadata: ["model": "\(model.objectKey)", "discovery": "\(discovery)"])
    } catch {
      logger.warning("model not taken", metadata: ["model": "\(model.objectKey)", "error": "\(error)"])
    }
  }

  private func carryOut(
    _ directive: DiscoveryReconciler.Directive, for discovery: ObjectKey, _ reconciler: DiscoveryReconciler
  ) async {
    let manager = WriteOptions(fieldManager: reconciler.fieldManager)
    do {
      switch directive {
      case .create(let object, let identity):
        // Created with nothing that is applied later: who creates a field owns it, and to change it would be a conflict.
        let created = reconciler.creation(of: object)
        let options = WriteOptions(fieldManager: reconciler.fieldManager + "-creation")
        let stored = try await backend.create(.devices, namespace: discovery.namespace, created, options).object
        try await describe(stored.objectKey, identity)
        _ = try await backend.patch(.devices, object.objectKey, .apply(object, force: false), subresource: nil, manager)
        await events.record(stored, reason: "Found", message: "found by Discovery \(discovery.name)")
        logger.notice("device found", metadata: ["device": "\(object.objectKey)", "discovery": "\(discovery)"])
      case .apply(let object, let identity):
        try await describe(object.objectKey, identity)
        let metadata = mirror.object(.devices, object.objectKey)?["metadata"]
        let state = Applied(
          configuration: object, generation: metadata?["generation"], labels: metadata?["labels"],
          annotations: metadata?["annotations"])
        guard applied[object.objectKey] != state else { return }
        do throws(APIStatus) {
          _ = try await backend.patch(
            .devices, object.objectKey, .apply(object, force: false), subresource: nil, manager)
        } catch {
          // As long as a person holds the field, to ask again is to be refused again.
          if error.reason == "Conflict" { applied[object.objectKey] = state }
          throw error
        }
        applied[object.objectKey] = state
      case .delete(let key, let uid):
        if let object = mirror.object(.devices, key) {
          await events.record(
            object, type: .warning, reason: "Lost", message: "not found for longer than its grace period; removed")
        }
        _ = try await backend.delete(.devices, key, DeleteOptions(preconditionUID: uid.isEmpty ? nil : uid))
        logger.notice("device removed", metadata: ["device": "\(key)", "discovery": "\(discovery)"])
      case .letGo(let key):
        let patch: JSONValue = ["metadata": ["labels": [DiscoveryReconciler.discoveryLabel: nil]]]
        _ = try await backend.patch(.devices, key, .merge(patch), subresource: nil, manager)
        logger.notice("device let go", metadata: ["device": "\(key)", "discovery": "\(discovery)"])
      }
    } catch {
      // A conflict says that a person has taken a field; everything else is tried again with the next report.
      logger.info("discovery write refused", metadata: ["discovery": "\(discovery)", "error": "\(error)"])
    }
  }

  private func describe(_ key: ObjectKey, _ identity: [String: String]) async throws(APIStatus) {
    let wanted = JSONValue.object(identity.mapValues { .string($0) })
    let previous = mirror.object(.devices, key)?["status"] ?? [:]
    guard previous["identity"] != wanted else { return }
    try await writer.write(["identity": wanted], to: key, of: .devices, over: previous)
  }
}
