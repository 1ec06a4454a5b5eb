internal import DeviceKit
internal import Documents
internal import Glibc
internal import Synchronization

/// The state of the MQTT devices' connection.
public struct RoomStatistics: Sendable, Equatable {
  public var isConnected = false
  /// Connections that the broker accepted.
  public var connections = 0
  /// Why the last attempt to connect failed; nil while connected.
  public var lastError: String?
  /// Samples that wait to be sent.
  public var waiting = 0
  /// Samples sent and not acknowledged.
  public var inFlight = 0
  /// Samples given up because the queue was full.
  public var dropped = 0
}

/// The thread that publishes for all MQTT devices over one connection, on a poll loop of its own.
///
/// A sample stays in the queue until the broker acknowledges it (QoS 1); the devices go on numbering while it is away.
final class RoomLoop: @unchecked Sendable {
  // Proof: `outbox`, `due`, `retryAt` and `backoff` are touched by the thread's body alone; the rest is Sendable.
  private let devices: [RoomDevice]
  private let configuration: RoomConfiguration
  private let clock: WallClock
  private let waker = LoopWaker()
  private let stopping = Atomic(false)
  private let shared = Mutex(RoomStatistics())
  private let thread = Mutex<LoopThread?>(nil)
  private var outbox: RoomOutbox
  private var due: [Int64]
  private var retryAt: Int64 = 0
  private var backoff = RoomLoop.shortestBackoff
  private static let shortestBackoff: Int64 = 100_000_000
  private static let longestBackoff: Int64 = 2_000_000_000
  private static let farewell: Int64 = 300_000_000

  init(devices: [RoomDevice], configuration: RoomConfiguration, clock: WallClock) {
    self.devices = devices
    self.configuration = configuration
    self.clock = clock
    outbox = RoomOutbox(limit: configuration.queueLimit)
    due = Array(repeating: 0, count: devices.count)
  }

  var statistics: RoomStatistics { shared.withLock { $0 } }

  func start() {
    let loop = LoopThread { self.run() }
    thread.withLock { $0 = loop }
    loop.start()
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    waker.wake()
  }

  func ended() async {
    let loop = thread.withLock { $0 }
    await loop?.ended()
  }

  var hasEnded: Bool { thread.withLock { $0?.hasEnded ?? true } }

  // MARK: The loop

  private func run() {
    let client = MosquittoClient(identifier: "selvedge-plant-\(getpid())-\(monotonicNanoseconds() % 1_000_000)")
    spreadFirstSamples(monotonicNanoseconds())
    while !stopping.load(ordering: .acquiring) {
      let now = monotonicNanoseconds()
      connectIfDue(client, now)
      sampleDue(now)
      send(client)
      let readable = wait(client, until: nextEvent(client, now))
      client.serve(readable: readable)
      for event in client.takeEvents() { handle(event, client) }
      report()
    }
    sayFarewell(client)
    report()
  }

  /// The devices take turns within the first second, as devices that were not switched on together.
  private func spreadFirstSamples(_ now: Int64) {
    for index in devices.indices {
      let span = min(devices[index].interval.nanoseconds, 1_000_000_000)
      due[index] = now + span * Int64(index) / Int64(devices.count)
    }
  }

  private func connectIfDue(_ client: MosquittoClient, _ now: Int64) {
    guard client.socket == nil, now >= retryAt else { return }
    if let reason = client.connect(to: configuration.broker) {
      shared.withLock { $0.lastError = reason }
      postpone()
    }
  }

  private func postpone() {
    retryAt = monotonicNanoseconds() + backoff
    backoff = min(backoff * 2, Self.longestBackoff)
  }

  private func sampleDue(_ now: Int64) {
    for index in devices.indices where due[index] <= now {
      publish(index)
      due[index] += devices[index].interval.nanoseconds
      if due[index] < now { due[index] = now + devices[index].interval.nanoseconds }
    }
  }

  private func publish(_ index: Int) {
    let device = devices[index]
    guard let sample = device.sample(at: clock.now) else { return }
    let message = RoomOutbox.Message(
      room: index, sequence: sample.sequence, topic: device.topic, payload: sample.payload)
    if let victim = outbox.offer(message) { devices[victim.room].countDropped() }
  }

  private func send(_ client: MosquittoClient) {
    guard shared.withLock({ $0.isConnected }) else { return }
    while let message = outbox.next {
      let sent = client.publish(topic: message.topic, payload: message.payload, retain: configuration.retain)
      guard let sent else { return }
      outbox.sent(sent)
    }
  }

  private func nextEvent(_ client: MosquittoClient, _ now: Int64) -> Int64 {
    // libmosquitto wants its keep-alive looked after about once a second.
    var next = now + 1_000_000_000
    for time in due { next = min(next, time) }
    if client.socket == nil { next = min(next, retryAt) }
    return next
  }

  /// Waits for the socket, a wake or the time; true where the socket has something to read.
  private func wait(_ client: MosquittoClient, until time: Int64) -> Bool {
    var polled = [pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)]
    if let socket = client.socket {
      polled.append(pollfd(fd: socket, events: Int16(POLLIN | (client.wantsWrite ? POLLOUT : 0)), revents: 0))
    }
    let milliseconds = max(0, (time - monotonicNanoseconds() + 999_999) / 1_000_000)
    _ = poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds))
    if polled[0].revents != 0 { waker.drain() }
    return polled.count > 1 && polled[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0
  }

  private func handle(_ event: MosquittoClient.Event, _ client: MosquittoClient) {
    switch event {
    case .connected:
      backoff = Self.shortestBackoff
      shared.withLock {
        $0.isConnected = true
        $0.connections += 1
        $0.lastError = nil
      }
      client.subscribe(configuration.topicPrefix + "/+/set")
    case .refused(let code): shared.withLock { $0.lastError = "the broker refused the connection, code \(code)" }
    case .disconnected:
      shared.withLock { $0.isConnected = false }
      postpone()
    case .acknowledged(let identifier):
      if let message = outbox.acknowledged(identifier) { devices[message.room].countAcknowledged() }
    case .message(let topic, let payload):
      guard let index = devices.firstIndex(where: { $0.setTopic == topic }) else { return }
      if devices[index].apply(setting: payload) {
        publish(index)
        due[index] = monotonicNanoseconds() + devices[index].interval.nanoseconds
      }
    }
  }

  /// Gives the broker a moment to acknowledge what is on its way, then leaves.
  private func sayFarewell(_ client: MosquittoClient) {
    let deadline = monotonicNanoseconds() + Self.farewell
    while client.socket != nil, shared.withLock({ $0.isConnected }), outbox.waitingCount + outbox.inFlightCount > 0,
      monotonicNanoseconds() < deadline
    {
      send(client)
      let readable = wait(client, until: deadline)
      client.serve(readable: readable)
      for event in client.takeEvents() { handle(event, client) }
    }
    client.disconnect()
    client.serve(readable: false)
  }

  private func report() {
    shared.withLock {
      $0.waiting = outbox.waitingCount
      $0.inFlight = outbox.inFlightCount
      $0.dropped = outbox.dropped
    }
  }
}
