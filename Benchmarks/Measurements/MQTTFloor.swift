import CMosquitto
import Glibc

/// A libmosquitto subscriber on one thread that counts messages and does nothing else with them.
///
/// It reads until the socket is empty, then rests 2 ms before it looks again, so that a poll() and a read in vain are
/// shared by many messages as on our side: cheaper than `mosquitto_loop`, which calls pselect() before every packet.
final class MQTTFloor {
  private final class Count {
    var messages = 0
    var acknowledged = 0
    var republishes = false
    /// What waits for its turn to be published: libmosquitto looks through all messages in flight at each of them, so that
    /// more than some hundred would be a floor of its own making.
    var waiting: [[UInt8]] = []
    var published = 0
  }
  private static let inFlightLimit = 256
  private let client: OpaquePointer
  private let count = Count()
  private let load: MQTTLoad
  private let broker: BenchBroker

  /// With `republishes` it gives each message on, on a topic of its own, at QoS 1.
  init(_ load: MQTTLoad, at broker: BenchBroker, republishes: Bool = false) throws(BenchError) {
    count.republishes = republishes
    self.load = load
    self.broker = broker
    mosquitto_lib_init()
    guard let client = mosquitto_new(nil, true, Unmanaged.passUnretained(count).toOpaque()) else {
      throw BenchError("libmosquitto makes no client")
    }
    self.client = client
    mosquitto_max_inflight_messages_set(client, 0)
    mosquitto_message_callback_set(client) { client, count, message in
      let count = Unmanaged<Count>.fromOpaque(count!).takeUnretainedValue()
      count.messages += 1
      guard count.republishes, let message = message?.pointee else { return }
      count.waiting.append(Array(UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))))
    }
    mosquitto_publish_callback_set(client) { _, count, _ in
      Unmanaged<Count>.fromOpaque(count!).takeUnretainedValue().acknowledged += 1
    }
    guard mosquitto_connect(client, "127.0.0.1", Int32(broker.port), 60) == MOSQ_ERR_SUCCESS.rawValue else {
      throw BenchError("the counting subscriber cannot connect")
    }
    for index in 0..<MQTTLoad.topics {
      mosquitto_subscribe(client, nil, TopicPublisher.topic(index), Int32(load.qos))
    }
  }

  deinit {
    mosquitto_disconnect(client)
    mosquitto_destroy(client)
  }

  func costOfCounting() throws(BenchError) -> Double {
    try read(MQTTLoad.topics)
    count.messages = 0
    count.acknowledged = 0
    count.published = 0
    let before = processCPUNanoseconds()
    let publisher = try broker.publisher(topics: MQTTLoad.topics, messages: load.messages, qos: load.qos)
    try read(load.messages)
    let spent = processCPUNanoseconds() - before
    try publisher.join()
    return spent / Double(load.messages)
  }

  private func publish() {
    var taken = 0
    while taken < count.waiting.count, count.published - count.acknowledged < Self.inFlightLimit {
      let payload = count.waiting[taken]
      mosquitto_publish(client, nil, "out/room/temperature", Int32(payload.count), payload, 1, false)
      count.published += 1
      taken += 1
    }
    count.waiting.removeFirst(taken)
  }

  private func read(_ messages: Int) throws(BenchError) {
    let deadline = ContinuousClock.now + .seconds(60)
    while count.messages < messages || (count.republishes && count.acknowledged < messages) {
      var polled = pollfd(
        fd: mosquitto_socket(client), events: Int16(POLLIN | (mosquitto_want_write(client) ? POLLOUT : 0)), revents: 0)
      guard poll(&polled, 1, 1_000) >= 0, ContinuousClock.now < deadline else {
        throw BenchError("the counting subscriber heard \(count.messages) of \(messages) messages")
      }
      // No more than our side reads in a round, so that the broker gets its acknowledgements before it runs out of
      // message IDs.
      var (before, packets) = (-1, 0)
      while count.messages + count.acknowledged != before, packets < 4_096 {
        packets += 1
        before = count.messages + count.acknowledged
        let code = mosquitto_loop_read(client, 1)
        guard code == MOSQ_ERR_SUCCESS.rawValue else {
          throw BenchError(
            "the counting subscriber lost the broker: \(String(cString: mosquitto_strerror(code))); \(broker.lastWords)"
          )
        }
      }
      publish()
      if mosquitto_want_write(client) { mosquitto_loop_write(client, 1) }
      mosquitto_loop_misc(client)
      usleep(2_000)
    }
  }
}
