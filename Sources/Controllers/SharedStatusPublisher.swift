public import DeviceKit
public import Documents
public import Logging
public import Resources

/// How one shared object (a Broker, Sink, Pipeline or Discovery) fares on this gateway.
public struct Readiness: Sendable, Hashable {
  public var status: Condition.Status
  /// CamelCase.
  public var reason: String
  public var message: String
  /// Whether only a change of a manifest can help.
  public var isStalled: Bool
  /// Further members of the object's status.
  public var fields: JSONValue
  /// The conditions that say all this: Ready, and what else the kind has.
  public var conditionTypes: [String]

  public init(
    _ status: Condition.Status, _ reason: String, _ message: String, isStalled: Bool = false,
    fields: JSONValue = [:], conditionTypes: [String] = ["Ready"]
  ) {
    self.status = status
    self.reason = reason
    self.message = message
    self.isStalled = isStalled
    self.fields = fields
    self.conditionTypes = conditionTypes
  }

  /// What is known of an object that nothing has looked at yet.
  public static let pending = Readiness(.unknown, "Pending", "the gateway has not come to it yet")

  /// The object's status: `previous` as it stands, and what this says laid over it.
  public func status(previous: JSONValue, generation: Int64, now: Timestamp) -> JSONValue {
    var list = Conditions.Editor(Conditions(previous["conditions"]), generation: generation, now: now)
    for type in conditionTypes { list.set(type, status, reason, message) }
    list.set("Reconciling", status != .true && !isStalled ? .true : nil, reason, message)
    list.set("Stalled", isStalled ? .true : nil, reason, message)
    var json = fields
    json["observedGeneration"] = .integer(generation)
    json["conditions"] = list.json
    return json
  }
}

/// What tells how the objects of one kind fare.
public struct ReadinessSource: Sendable {
  public var resource: ResourceName
  /// Whether this node's Gateway object lists them: what other nodes may see otherwise.
  public var differsByNode: Bool
  /// Nil while nothing is known, which the status says too.
  public var readiness: @Sendable (_ key: ObjectKey, _ object: JSONValue) async -> Readiness?

  public init(
    _ resource: ResourceName, differsByNode: Bool = true,
    _ readiness: @escaping @Sendable (_ key: ObjectKey, _ object: JSONValue) async -> Readiness?
  ) {
    self.resource = resource
    self.differsByNode = differsByNode
    self.readiness = readiness
  }
}

/// Writes the status of shared objects and of this node's Gateway object, whenever something other than a counter
/// changed.
public actor SharedStatusPublisher {
  private let mirror: ResourceMirror
  private let backend: any ResourceBackend
  private let writer: any StatusWriter
  private let summarises: @Sendable () -> Bool
  private let nodeName: String
  /// What does not change while the gateway runs: version, startTime, node.
  private let facts: JSONValue
  /// What does: `devices: {total, connected}` and the like; null for what is not there any more.
  private let figures: @Sendable () -> JSONValue
  private let sources: [ReadinessSource]
  private let events: EventRecorder
  private let clock: WallClock
  private let logger: Logger
  /// How each object was last known to fare, for telling when that changes; as many as there are objects.
  private var told: [ResourceMirror.Change: Verdict] = [:]
  private let options = WriteOptions(fieldManager: gatewayFieldManager)

  /// - Parameters:
  ///   - backend: where this node's Gateway object is made.
  ///   - summarises: whether this gateway, now, is the one that writes the status of shared objects; its own Gateway
  ///     object every gateway writes.
  public init(
    mirror: ResourceMirror, backend: any ResourceBackend, writer: any StatusWriter,
    summarises: @escaping @Sendable () -> Bool = { true }, nodeName: String, facts: JSONValue,
    figures: @escaping @Sendable () -> JSONValue, sources: [ReadinessSource],
    events: EventRecorder, clock: WallClock, logger: Logger
  ) {
    self.mirror = mirror
    self.backend = backend
    self.writer = writer
    self.summarises = summarises
    self.nodeName = nodeName
    self.facts = facts
    self.figures = figures
    self.sources = sources
    self.events = events
    self.clock = clock
    self.logger = logger
  }

  /// Looks every `interval` until the task is cancelled.
  public func run(every interval: Duration = .seconds(2)) async {
    while !Task.isCancelled {
      if mirror.isSynced { await publish() }
      try? await Task.sleep(for: interval)
    }
  }

  private func publish() async {
    var gateway = facts.merging(figures())
    told = told.filter { mirror.object($0.key.resource, $0.key.key) != nil }
    for source in sources {
      let resource = source.resource
      var entries: [JSONValue] = []
      for (key, object) in mirror.objects(resource).sorted(by: { $0.key < $1.key }) {
        let readiness = await source.readiness(key, object) ?? .pending
        if summarises() { await publish(resource, key, object, readiness) }
        await tell(ResourceMirror.Change(resource: resource, key: key), object, readiness, source)
        entries.append([
          "namespace": .string(key.namespace), "name": .string(key.name), "ready": .bool(readiness.status == .true),
          "state": .string(readiness.reason), "message": .string(readiness.message),
        ])
      }
      if source.differsByNode { gateway[resource.plural] = .array(entries) }
    }
    await publishGateway(gateway)
  }

  private func publish(_ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, _ readiness: Readiness) async {
    let previous = object["status"] ?? [:]
    let generation = object[path: "metadata", "generation"]?.integer ?? 0
    let status = readiness.status(previous: previous, generation: generation, now: clock.now)
    await write(resource, key, previous, status)
  }

  private struct Verdict: Equatable {
    var isGood: Bool
    var reason: String
  }

  /// Records an event where an object went bad, is bad for another reason, or is well again.
  private func tell(
    _ place: ResourceMirror.Change, _ object: JSONValue, _ readiness: Readiness, _ source: ReadinessSource
  ) async {
    // While it is not known how the object fares, the last verdict stands.
    guard readiness.status != .unknown else { return }
    let verdict = Verdict(isGood: readiness.status == .true, reason: readiness.reason)
    let ready = object[path: "status", "conditions"]?.array?.first { $0["type"] == "Ready" }
    let stored = ready.flatMap { condition -> Verdict? in
      guard let status = condition["status"]?.string, status != "Unknown" else { return nil }
      return Verdict(isGood: status == "True", reason: condition["reason"]?.string ?? "")
    }
    let before = told[place] ?? stored
    told[place] = verdict
    // That what is no more than data is well from the start is no event.
    let wasGood = before?.isGood ?? !source.differsByNode
    guard verdict.isGood ? !wasGood : before != verdict else { return }
    await events.record(
      object, type: verdict.isGood ? .normal : .warning, reason: readiness.reason, message: readiness.message)
  }

  private func publishGateway(_ fields: JSONValue) async {
    let key = ObjectKey(name: nodeName)
    guard let object = mirror.object(.gateways, key) else {
      let new: JSONValue = [
        "apiVersion": "selvedge.dev/v1alpha1", "kind": "Gateway", "metadata": ["name": .string(nodeName)], "spec": [:],
      ]
      do throws(APIStatus) {
        _ = try await backend.create(.gateways, namespace: "", new, options)
      } catch {
        logger.warning("Gateway object not created", metadata: ["error": "\(error.message)"])
      }
      return
    }
    let previous = object["status"] ?? [:]
    var status = fields
    let generation = object[path: "metadata", "generation"]?.integer ?? 0
    let ready = Readiness(.true, "Running", "the gateway runs").status(
      previous: previous, generation: generation, now: clock.now)
    status = status.merging(ready)
    await write(.gateways, key, previous, status)
  }

  private func write(_ resource: ResourceName, _ key: ObjectKey, _ previous: JSONValue, _ status: JSONValue) async {
    guard DeviceStatus.digest(of: previous.merging(status)) != DeviceStatus.digest(of: previous) else { return }
    do throws(APIStatus) {
      try await writer.write(status, to: key, of: resource, over: previous)
    } catch {
      guard error.code != 404 else { return }
      logger.warning("status not written", metadata: ["object": "\(resource) \(key)", "error": "\(error.message)"])
    }
  }
}
