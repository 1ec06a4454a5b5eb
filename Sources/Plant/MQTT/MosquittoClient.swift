internal import CMosquitto
internal import Glibc

/// One libmosquitto client without a thread of its own. Every call, and every callback, is on its owner's thread.
final class MosquittoClient {
  /// What the broker told since it was last asked.
  enum Event: Equatable {
    case connected
    /// The broker refused the connection, with the MQTT 3.1.1 return code.
    case refused(Int32)
    case disconnected
    case acknowledged(Int32)
    case message(topic: String, payload: [UInt8])
  }

  private let client: OpaquePointer
  private var events: [Event] = []
  private var hasConnectedBefore = false
  private static let library: Void = { _ = mosquitto_lib_init() }()

  init(identifier: String) {
    Self.library
    guard let made = mosquitto_new(identifier, true, nil) else { preconditionFailure("mosquitto_new: \(errno)") }
    client = made
    mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_connect_callback_set(client) { _, owner, code in
      MosquittoClient.from(owner)?.events.append(code == 0 ? .connected : .refused(code))
    }
    mosquitto_disconnect_callback_set(client) { _, owner, _ in MosquittoClient.from(owner)?.events.append(.disconnected)
    }
    mosquitto_publish_callback_set(client) { _, owner, identifier in
      MosquittoClient.from(owner)?.events.append(.acknowledged(identifier))
    }
    mosquitto_message_callback_set(client) { _, owner, message in
      guard let message = message?.pointee, let topic = message.topic else { return }
      let bytes = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
      MosquittoClient.from(owner)?.events.append(.message(topic: String(cString: topic), payload: Array(bytes)))
    }
  }

  deinit { mosquitto_destroy(client) }

  private static func from(_ owner: UnsafeMutableRawPointer?) -> MosquittoClient? {
    owner.map { Unmanaged<MosquittoClient>.fromOpaque($0).takeUnretainedValue() }
  }

  /// The events so far, which are then forgotten.
  func takeEvents() -> [Event] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  /// Opens the connection, blocking for as long as the broker's host takes to answer; nil, or why not.
  func connect(to broker: MQTTEndpoint) -> String? {
    let code =
      hasConnectedBefore
      ? mosquitto_reconnect(client) : mosquitto_connect(client, broker.host, Int32(broker.port), 30)
    guard code == MOSQ_ERR_SUCCESS.rawValue else {
      return code == MOSQ_ERR_ERRNO.rawValue ? String(cString: strerror(errno)) : Self.text(code)
    }
    hasConnectedBefore = true
    return nil
  }

  /// The socket to wait for; nil while there is none.
  var socket: Int32? {
    let descriptor = mosquitto_socket(client)
    return descriptor < 0 ? nil : descriptor
  }

  var wantsWrite: Bool { mosquitto_want_write(client) }

  /// Reads, writes and keeps the connection alive, as far as that does not block; a lost connection becomes an event.
  func serve(readable: Bool) {
    if readable { _ = mosquitto_loop_read(client, 1_000) }
    if socket != nil, wantsWrite { _ = mosquitto_loop_write(client, 1_000) }
    if socket != nil { _ = mosquitto_loop_misc(client) }
  }

  /// Hands a message over at QoS 1; its identifier is acknowledged later. Nil where libmosquitto does not take it.
  func publish(topic: String, payload: String, retain: Bool) -> Int32? {
    var identifier: Int32 = 0
    let code = mosquitto_publish(client, &identifier, topic, Int32(payload.utf8.count), payload, 1, retain)
    // Without a connection the message stays with libmosquitto, which sends it once there is one.
    return code == MOSQ_ERR_SUCCESS.rawValue || code == MOSQ_ERR_NO_CONN.rawValue ? identifier : nil
  }

  func subscribe(_ filter: String) { _ = mosquitto_subscribe(client, nil, filter, 1) }

  func disconnect() { _ = mosquitto_disconnect(client) }

  private static func text(_ code: Int32) -> String { String(cString: mosquitto_strerror(code)) }
}
