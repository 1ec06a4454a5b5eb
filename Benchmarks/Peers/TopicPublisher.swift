import CMosquitto
import Glibc

/// Publishes JSON on `bench/0`, `bench/1`, … in turn, as fast as the broker takes it. Runs as a peer.
struct TopicPublisher {
  static let command = "publish"
  /// QoS number that publishes one retained message on each topic instead.
  static let retained = 9
  private static let window = 1_000

  var port: Int
  var topics: Int
  var messages: Int
  var qos: Int

  static func topic(_ index: Int) -> String { "bench/\(index)" }

  /// One message, 107 bytes long.
  static func payload(_ number: Int) -> String {
    let temperature = "\(10 + number % 20).\(number / 7 % 10)\(1 + number % 9)"
    let humidity = "\(30 + number % 50).\(number / 3 % 10)\(1 + number % 9)"
    let numbers = "\"temperature\":\(temperature),\"humidity\":\(humidity),\"battery\":\(10 + number % 90)"
    let text = "{\(numbers),\"site\":\"hall 4\",\"note\":\""
    return text + String(repeating: "x", count: 107 - 2 - text.utf8.count) + "\"}"
  }

  private final class Progress { var published = 0 }

  /// Returns when the broker has taken the last message: at QoS 0 its socket, at QoS 1 with a PUBACK.
  func publish() throws(BenchError) {
    mosquitto_lib_init()
    let progress = Progress()
    guard let client = mosquitto_new(nil, true, Unmanaged.passUnretained(progress).toOpaque()) else {
      throw BenchError("libmosquitto makes no client")
    }
    mosquitto_max_inflight_messages_set(client, 0)
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
    mosquitto_publish_callback_set(client) { _, progress, _ in
      Unmanaged<Progress>.fromOpaque(progress!).takeUnretainedValue().published += 1
    }
    guard mosquitto_connect(client, "127.0.0.1", Int32(port), 60) == MOSQ_ERR_SUCCESS.rawValue else {
      throw BenchError("the publisher cannot connect")
    }
    let names = (0..<topics).map { Self.topic($0) }
    let payloads = (0..<1_000).map { Array(Self.payload($0).utf8) }
    let isRetained = qos == Self.retained
    for number in 0..<messages {
      let payload = payloads[number / topics % payloads.count]
      guard
        mosquitto_publish(
          client, nil, names[number % topics], Int32(payload.count), payload, isRetained ? 1 : Int32(qos), isRetained)
          == MOSQ_ERR_SUCCESS.rawValue
      else { throw BenchError("the broker refuses a message") }
      while number - progress.published >= Self.window { try turn(client) }
    }
    while progress.published < messages || mosquitto_want_write(client) { try turn(client) }
    mosquitto_disconnect(client)
    mosquitto_destroy(client)
  }

  private func turn(_ client: OpaquePointer) throws(BenchError) {
    guard mosquitto_loop(client, 100, 1) == MOSQ_ERR_SUCCESS.rawValue else {
      throw BenchError("the publisher lost the broker")
    }
  }
}
