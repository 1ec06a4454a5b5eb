public import DeviceKit
public import Documents
public import Logging
public import MQTTClient
internal import Resources
internal import Synchronization
public import TwinStore

/// Takes the cloud's wishes from an MQTT broker, as this node's Gateway object says, and tells it what becomes of them.
///
/// A message is acknowledged to the broker once what came of it is on disk: what is sent while the gateway is away, or
/// is not finished when it stops, comes again, and is known by its id. While messages are being taken the connection
/// reads no more, so that the broker holds what is too much.
public final class RemoteWishController: Sendable {
  /// What was taken or refused, for the audit log.
  public struct Record: Sendable {
    public var device: DeviceKey
    public var id: String
    public var values: [String: JSONValue]
    /// What the cloud was answered.
    public var answer: JSONValue
  }
  public struct Statistics: Sendable, Hashable {
    public var taken = 0
    public var repeated = 0
    public var refused = 0
    /// Results that went while the broker was away.
    public var resultsDropped = 0
  }

  private let mirror: ResourceMirror
  private let pool: BrokerPool
  private let twins: TwinStore
  private let nodeName: String
  private let clock: WallClock
  private let audit: @Sendable (Record) -> Void
  private let logger: Logger
  private let results = RemoteWishResults()
  private let counts = Mutex(Statistics())
  /// The last id for each wish of the cloud that stands; as many as there are such wishes.
  private let ids = Mutex<[DeviceKey: [String: String]]>([:])
  private let state = Mutex<(settings: RemoteWishSettings, link: MQTTState)?>(nil)
  private let started: AsyncStream<Void>
  private let start: AsyncStream<Void>.Continuation

  /// `audit` must not block.
  public init(
    mirror: ResourceMirror, pool: BrokerPool, twins: TwinStore, nodeName: String, clock: WallClock,
    audit: @escaping @Sendable (Record) -> Void, logger: Logger
  ) {
    self.mirror = mirror
    self.pool = pool
    self.twins = twins
    self.nodeName = nodeName
    self.clock = clock
    self.audit = audit
    self.logger = logger
    (started, start) = AsyncStream.makeStream()
  }

  public var statistics: Statistics {
    var statistics = counts.withLock { $0 }
    statistics.resultsDropped = results.dropped
    return statistics
  }

  /// `{state, message}` for the Gateway's status; nil where the cloud has no say.
  public var status: JSONValue? {
    guard let (settings, link) = state.withLock({ $0 }) else { return nil }
    let (state, message) =
      switch link {
      case .connected: ("Listening", "wishes are taken from \(settings.topicPrefix)/+/+/desired")
      case .connecting: ("Connecting", "the Broker \"\(settings.broker)\" is not connected yet, or does not exist")
      case .disconnected(let error): ("Disconnected", "the Broker \"\(settings.broker)\": \(error.message)")
      }
    return ["state": .string(state), "message": .string(message)]
  }

  /// Returns once what the Gateway object says at the start is subscribed: a broker hands over what waited for this
  /// gateway as soon as it is connected.
  public func waitUntilListening() async {
    for await _ in started {}
  }

  /// Follows the Gateway object until the task is cancelled.
  public func run() async {
    await mirror.waitUntilSynced()
    let transitions = twins.transitions()
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await transition in transitions { self.tell(transition) }
      }
      var active: (settings: RemoteWishSettings, task: Task<Void, Never>)?
      func apply() async {
        let settings = RemoteWishSettings(mirror.object(.gateways, ObjectKey(name: nodeName)))
        guard settings != active?.settings else { return }
        active?.task.cancel()
        await active?.task.value
        active = nil
        state.withLock { $0 = nil }
        guard let settings else { return }
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        // Cancelled by the next change of the settings, and below.
        active = (settings, Task { await self.listen(settings) { isReady.finish() } })
        for await _ in ready {}
      }
      await apply()
      start.finish()
      await mirror.changes().drain { changes in
        if changes.contains(where: { $0.resource == .gateways && $0.key.name == self.nodeName }) { await apply() }
      }
      active?.task.cancel()
      await active?.task.value
      group.cancelAll()
    }
    start.finish()
  }

  private func listen(_ settings: RemoteWishSettings, _ isReady: @Sendable () -> Void) async {
    let connection = pool.connection(named: settings.broker)
    state.withLock { $0 = (settings, connection.state) }
    let filter: TopicFilter
    do throws(MQTTError) {
      filter = try TopicFilter("\(settings.topicPrefix)/+/+/desired", qos: 1)
    } catch {
      logger.error("spec.remoteDesired.topicPrefix is no topic", metadata: ["error": "\(error)"])
      return isReady()
    }
    let subscription = connection.subscribe([filter]) { [weak self] event in await self?.handle(event, settings) }
    isReady()
    await results.run(over: connection)
    subscription.cancel()
  }

  private func handle(_ event: MQTTEvent, _ settings: RemoteWishSettings) async {
    switch event {
    case .state(let link): state.withLock { $0 = (settings, link) }
    case .refused(let filter):
      logger.error("the broker refuses the cloud's wishes", metadata: ["filter": "\(filter)"])
    case .messages(let messages):
      var byDevice: [DeviceKey: [MQTTMessage]] = [:]
      for message in messages {
        guard let device = RemoteWishMessage.device(of: message.topic, prefix: settings.topicPrefix) else { continue }
        byDevice[device, default: []].append(message)
      }
      // Those of one device in their order; devices side by side, so that they share a commit.
      await withDiscardingTaskGroup { group in
        for (device, messages) in byDevice {
          group.addTask {
            for message in messages { await self.take(message.payload, device, settings) }
          }
        }
      }
    }
  }

  // MARK: Wishes

  private func take(_ payload: [UInt8], _ device: DeviceKey, _ settings: RemoteWishSettings) async {
    let message: RemoteWishMessage
    do throws(RemoteWishMessage.Fault) {
      message = try RemoteWishMessage(parsing: payload)
    } catch {
      return answer(error.id ?? "", [:], device, settings, refusal("InvalidMessage", error.message))
    }
    let wish = message.wish
    if let expiry = message.expiry, clock.now > expiry {
      let text = "expiresAt: it was over at \(expiry), and the message came at \(clock.now)"
      return answer(wish.id, wish.values, device, settings, refusal("Expired", text))
    }
    // The first transition may be told before the answer is here.
    let before = ids.withLock { ids in
      defer { for (name, value) in wish.values where !value.isNull { ids[device, default: [:]][name] = wish.id } }
      return ids[device] ?? [:]
    }
    func restore(_ names: some Sequence<String>) {
      ids.withLock { ids in for name in names { ids[device]?[name] = before[name] } }
    }
    do throws(TwinError) {
      let outcome = try await twins.take(wish, of: device)
      restore(outcome.properties.filter { outcome.isRepeated || $0.value.verdict != .accepted }.keys)
      counts.withLock { if outcome.isRepeated { $0.repeated += 1 } else { $0.taken += 1 } }
      answer(wish.id, wish.values, device, settings, taken(outcome, device))
    } catch {
      restore(wish.values.keys)
      let reason =
        switch error {
        case .notFound: "NotFound"
        case .refused: "IDReused"
        case .storage, .closed: "NotStored"
        case .invalid, .conflict: "Invalid"
        }
      answer(wish.id, wish.values, device, settings, refusal(reason, "\(error)"))
    }
  }

  private func refusal(_ reason: String, _ message: String) -> JSONValue {
    counts.withLock { $0.refused += 1 }
    return ["state": "Refused", "reason": .string(reason), "message": .string(message)]
  }

  /// What came of each property, and how far it is.
  private func taken(_ outcome: RemoteAnswer, _ device: DeviceKey) -> JSONValue {
    var answer: JSONValue = ["state": "Taken"]
    if outcome.isRepeated { answer["repeated"] = true }
    let twin = twins.snapshot(device)
    answer["version"] = twin.map { .string($0.version.description) }
    var properties = outcome.json.object ?? [:]
    for (name, property) in outcome.properties where property.verdict == .accepted {
      guard let present = twin?[name], let state = present.state else { continue }
      properties[name]?["state"] = .string(state.rawValue)
      if !present.reason.isEmpty { properties[name]?["reason"] = .string(present.reason) }
    }
    answer["properties"] = .object(properties)
    return answer
  }

  private func answer(
    _ id: String, _ values: [String: JSONValue], _ device: DeviceKey, _ settings: RemoteWishSettings,
    _ answer: JSONValue
  ) {
    audit(Record(device: device, id: id, values: values, answer: answer))
    send(answer.merging(["type": "Answer", "id": .string(id)]), device, settings)
  }

  private func send(_ result: JSONValue, _ device: DeviceKey, _ settings: RemoteWishSettings) {
    results.add(
      result.merging(["time": .string(clock.now.description)]),
      to: "\(settings.topicPrefix)/\(device.namespace)/\(device.name)/desired/result")
  }

  // MARK: What becomes of them

  private func tell(_ change: TwinTransition) {
    let id = ids.withLock { ids -> String? in
      guard change.wish?.source == .cloud else {
        ids[change.device]?[change.property] = nil
        if ids[change.device]?.isEmpty == true { ids[change.device] = nil }
        return nil
      }
      return ids[change.device]?[change.property]
    }
    guard change.wish?.source == .cloud, let settings = state.withLock({ $0?.settings }),
      let state = change.transition.to
    else { return }
    var result: JSONValue = [
      "type": "Transition", "property": .string(change.property), "state": .string(state.rawValue),
      "reason": .string(change.transition.reason), "message": .string(change.transition.message),
    ]
    result["id"] = id.map { .string($0) }
    result["desired"] = change.wish?.value
    send(result, change.device, settings)
  }
}
