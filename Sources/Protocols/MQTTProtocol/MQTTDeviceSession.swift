internal import DeviceKit
internal import Documents
internal import Logging
internal import MQTTClient
internal import Synchronization

/// Serves one device that speaks JSON or text over MQTT: listens to its topics, publishes what is to be set.
///
/// Connected means that the broker is, since MQTT has no link to the device itself; with `silentAfter` it also means
/// that the device was heard within that time.
final class MQTTDeviceSession: DeviceSession, MessageTaker {
  private struct State {
    var decoder: DeviceDecoder
    var isBrokerConnected = false
    var isSilent = false
    var lastHeard = ContinuousClock.now
  }

  private let device: DeviceKey
  private let fence: WriteFence?
  private let connection: MQTTConnection
  private let feed: any DeviceFeed
  /// Has what messages bring; all else goes to the feed by itself.
  private let turn: TurnBatch
  var follower: any TurnFollower { turn }
  private let bindings: [String: (definition: PropertyDefinition, binding: PropertyBinding)]
  private let filters: [TopicFilter]
  private let silentAfter: Duration?
  private let clock: WallClock
  private let counters: DropCounters
  private let state: Mutex<State>

  init(
    _ request: SessionRequest, connection: MQTTConnection, feed: any DeviceFeed, turn: TurnBatch,
    clock: WallClock, counters: DropCounters
  ) throws(DeviceError) {
    device = request.device
    fence = request.fence
    self.connection = connection
    self.feed = feed
    self.turn = turn
    self.clock = clock
    self.counters = counters
    let base = request.connection["base"]?.string
    if let text = request.connection["silentAfter"]?.string {
      guard let duration = Duration(manifest: text), duration > .zero else {
        throw DeviceError(
          reason: "InvalidConnection", message: "connection.mqtt.silentAfter: '\(text)' is no duration such as 5m",
          isPermanent: true)
      }
      silentAfter = duration
    } else {
      silentAfter = nil
    }
    var bindings: [String: (definition: PropertyDefinition, binding: PropertyBinding)] = [:]
    var heard: [PropertyBinding?] = []
    var qosOfTopic: [String: UInt8] = [:]
    for property in request.properties {
      let binding = try PropertyBinding(property, base: base)
      bindings[property.name] = (property, binding)
      heard.append(property.access.canRead ? binding : nil)
      if property.access.canRead { qosOfTopic[binding.topic] = max(qosOfTopic[binding.topic] ?? 0, binding.qos) }
    }
    self.bindings = bindings
    do throws(MQTTError) {
      var filters: [TopicFilter] = []
      for (topic, qos) in qosOfTopic { filters.append(try TopicFilter(topic, qos: qos)) }
      self.filters = filters
    } catch {
      throw DeviceError(reason: "InvalidBinding", message: error.message, isPermanent: true)
    }
    state = Mutex(State(decoder: DeviceDecoder(request.properties, points: request.points, bindings: heard)))
  }

  func run() async {
    feed.connection(of: device, is: .connecting)
    let subscription = connection.subscribe(filters, taker: self) { [self] event in await handle(event) }
    if let silentAfter {
      while !Task.isCancelled {
        try? await Task.sleep(for: silentAfter / 4)
        await watchSilence(silentAfter)
      }
    } else {
      // Ends with the task's cancellation and nothing else.
      for await _ in AsyncStream<Never>.makeStream().stream {}
    }
    subscription.cancel()
  }

  func number(ofTopic topic: String) -> Int? { state.withLock { $0.decoder.number(ofTopic: topic) } }

  func take(_ payload: Span<UInt8>, onTopic number: Int, isRetained: Bool, arrival: Timestamp) {
    if silentAfter != nil, isHeardAgain() { feed.connection(of: device, is: .connected) }
    payload.withUnsafeBufferPointer { bytes in
      let message = DeviceDecoder.Message(topic: number, payload: bytes, isRetained: isRetained, arrival: arrival)
      turn.gather { batch in
        state.withLock { $0.decoder.take(message, into: &batch, counters: counters) }
      }
    }
  }

  private func handle(_ event: MQTTEvent) async {
    switch event {
    // They are taken one by one.
    case .messages: break
    case .state(.connecting): break
    case .state(.connected):
      state.withLock { state in
        state.isBrokerConnected = true
        state.lastHeard = .now
        state.decoder.connectionMade()
      }
      feed.connection(of: device, is: .connected)
    case .state(.disconnected(let error)):
      feed.connection(
        of: device, is: .disconnected(DeviceError(reason: error.reason, message: error.message)))
      let cause = "the connection to the broker is lost: \(error.message)"
      let doubts = state.withLock { state in
        defer { state.isBrokerConnected = false }
        return state.isBrokerConnected ? state.decoder.doubtAll(cause, at: clock.now) : SampleBatch()
      }
      if !doubts.isEmpty { await feed.deliver(doubts) }
    case .refused(let filter):
      let message = "the broker refuses the subscription '\(filter)'; check the rights of the gateway's user"
      feed.connection(of: device, is: .disconnected(DeviceError(reason: "SubscriptionRefused", message: message)))
    }
  }

  /// Notes that the device was heard; true: it had been silent.
  private func isHeardAgain() -> Bool {
    state.withLock { state in
      state.lastHeard = .now
      defer { state.isSilent = false }
      return state.isSilent
    }
  }

  /// Delivers the last values as Uncertain where the device was not heard for `limit`.
  private func watchSilence(_ limit: Duration) async {
    let message = "nothing was heard for \(limit.seconds) s"
    let doubts = state.withLock { state in
      guard state.isBrokerConnected, !state.isSilent, ContinuousClock.now - state.lastHeard >= limit else {
        return SampleBatch()
      }
      state.isSilent = true
      feed.connection(of: device, is: .disconnected(DeviceError(reason: "Silent", message: message)))
      return state.decoder.doubtAll(message, at: clock.now)
    }
    if !doubts.isEmpty { await feed.deliver(doubts) }
  }

  func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>] {
    state.withLock { state in
      var results: [String: Result<Reading, DeviceError>] = [:]
      for name in properties {
        if let reading = state.decoder.lastReading(of: name) {
          results[name] = .success(reading)
        } else if let known = bindings[name] {
          let message =
            known.definition.access.canRead
            ? "nothing was heard on '\(known.binding.topic)' yet" : "property '\(name)' can only be written"
          results[name] = .failure(DeviceError(reason: "NothingHeard", message: message))
        } else {
          results[name] = .failure(
            DeviceError(reason: "UnknownProperty", message: "the model has no property '\(name)'", isPermanent: true))
        }
      }
      return results
    }
  }

  func write(_ writes: [PropertyWrite]) async -> [DeviceError?] {
    var results: [DeviceError?] = []
    for write in writes { results.append(await self.write(write)) }
    return results
  }

  private func write(_ write: PropertyWrite) async -> DeviceError? {
    guard let (_, binding) = bindings[write.property] else {
      return DeviceError(
        reason: "UnknownProperty", message: "the model has no property '\(write.property)'", isPermanent: true)
    }
    guard let topic = binding.setTopic else {
      return DeviceError(
        reason: "NotWritable", message: "property '\(write.property)' has no mqtt.setTopic in its model",
        isPermanent: true)
    }
    // The broker has what is sent from now on; what it does then is out of anybody's hands.
    if let fence, !fence.permits(writeWithin: .zero) { return WriteFence.refusal }
    do throws(MQTTError) {
      try await connection.publish(
        topic: topic, payload: binding.setPayload.bytes(for: write.value), qos: max(binding.qos, 1),
        retain: binding.retain)
      return nil
    } catch {
      return DeviceError(
        reason: error.reason, message: "cannot publish on '\(topic)': \(error.message)",
        isPermanent: error.kind == .invalidMessage)
    }
  }
}
