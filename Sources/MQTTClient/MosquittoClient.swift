internal import CMosquitto
internal import Documents
internal import Glibc

/// One libmosquitto client: owns the pointer, belongs to one thread, turns return codes into ``MQTTError``.
///
/// It serves one connection: a new attempt takes a new client, so that libmosquitto never repeats a message whose
/// sender was already told of its failure.
final class MosquittoClient {
  /// What the callbacks of one read or write noted; taken by the loop afterwards.
  final class Notes {
    /// Those that ``routes`` has not handed over at once.
    var messages: [MQTTMessage] = []
    /// Takes messages out of the library's buffer.
    var routes: MessageRoutes?
    /// How many messages came since the loop last set it, and the bytes of their payloads.
    var heard = 0
    var heardBytes = 0
    /// Message IDs of publications that are complete, with MQTT 5's reason code (0…255, below 128: taken).
    var acknowledged: [(id: Int32, reason: Int32)] = []
    /// Answers to SUBSCRIBE: its message ID and what each filter was granted (128: refused).
    var granted: [(id: Int32, qos: [Int32])] = []
    /// The return code of CONNACK, and whether the broker knows the session.
    var connectReturnCode: Int32?
    var isSessionPresent = false
    /// MQTT 5's reason code (128…255) of the broker's DISCONNECT.
    var disconnectReason: Int32?
    var lastError = ""
    var arrival = Timestamp(nanoseconds: 0)
    /// Counts callbacks: a read that makes none has emptied the socket.
    var events = 0
  }

  private let handle: OpaquePointer
  private let version: MQTTVersion
  let notes = Notes()

  private static let library: Void = { mosquitto_lib_init() }()

  init(_ configuration: BrokerConfiguration, clientID: String) throws(MQTTError) {
    _ = MosquittoClient.library
    guard
      let handle = mosquitto_new(clientID, configuration.cleanSession, Unmanaged.passUnretained(notes).toOpaque())
    else { throw MQTTError(.invalidConfiguration, "libmosquitto refused the client ID '\(clientID)'") }
    self.handle = handle
    version = configuration.protocolVersion
    // The packets that a read makes necessary (PUBACK) are then only queued, and written by `write()`.
    mosquitto_threaded_set(handle, true)
    mosquitto_max_inflight_messages_set(handle, 0)
    mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
    mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, Int32(configuration.protocolVersion.rawValue))
    // A batch that waits for its commit is bounded by what one read takes in, not by the library's 20 messages.
    if version == .v5 { mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, 65_535) }
    setCallbacks()
    if let username = configuration.username {
      try check(mosquitto_username_pw_set(handle, username, configuration.password), "set the credentials")
    }
    if let will = configuration.will {
      try check(
        mosquitto_will_set(
          handle, will.topic, Int32(will.payload.count), will.payload, Int32(will.qos), will.retain), "set the will")
    }
    if configuration.usesTLS { try setTLS(configuration) }
  }

  deinit { mosquitto_destroy(handle) }

  private func setTLS(_ configuration: BrokerConfiguration) throws(MQTTError) {
    let systemBundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
    guard let authorities = configuration.caFile ?? systemBundles.first(where: { access($0, R_OK) == 0 }) else {
      throw MQTTError(.invalidConfiguration, "the system has no bundle of certificate authorities; give a CA file")
    }
    for path in [authorities, configuration.certificateFile, configuration.keyFile].compactMap({ $0 })
    where access(path, R_OK) != 0 {
      throw MQTTError(.invalidConfiguration, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
    try check(
      mosquitto_tls_set(handle, authorities, nil, configuration.certificateFile, configuration.keyFile, nil),
      "use the TLS files")
    if !configuration.verifiesBroker {
      // 0 is OpenSSL's SSL_VERIFY_NONE.
      try check(mosquitto_tls_opts_set(handle, 0, nil, nil), "leave the broker's certificate unverified")
      try check(mosquitto_tls_insecure_set(handle, true), "leave the broker's name unverified")
    }
  }

  private func setCallbacks() {
    mosquitto_connect_with_flags_callback_set(handle) { _, notes, code, flags in
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      notes.connectReturnCode = code
      notes.isSessionPresent = flags & 1 != 0
    }
    mosquitto_disconnect_callback_set(handle) { _, notes, code in
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      // Below 128 it is one of the library's own errors.
      if code >= 128 { notes.disconnectReason = code }
    }
    mosquitto_publish_v5_callback_set(handle) { _, notes, id, reason, _ in
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      notes.acknowledged.append((id, reason))
    }
    mosquitto_subscribe_callback_set(handle) { _, notes, id, count, granted in
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      notes.granted.append((id, (0..<Int(count)).map { granted?[$0] ?? 128 }))
    }
    mosquitto_unsubscribe_callback_set(handle) { _, notes, id in
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      notes.acknowledged.append((id, 0))
    }
    listenToLog()
    mosquitto_message_callback_set(handle) { _, notes, message in
      guard let message = message?.pointee, let topic = message.topic else { return }
      let notes = MosquittoClient.notes(notes)
      notes.events += 1
      notes.heard += 1
      notes.heardBytes += Int(message.payloadlen)
      let bytes = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
      let payload = bytes.assumingMemoryBound(to: UInt8.self)
      // A refusal that waits comes before the messages after it.
      if notes.granted.isEmpty, let routes = notes.routes,
        routes.take(topic, payload, isRetained: message.retain, arrival: notes.arrival)
      {
        return
      }
      notes.messages.append(
        MQTTMessage(
          topic: String(cString: topic), payload: Array(payload), qos: UInt8(truncatingIfNeeded: message.qos),
          isRetained: message.retain, arrival: notes.arrival))
    }
  }

  /// Hears what the library says of a connection in the making: OpenSSL's own words are told nowhere else.
  private func listenToLog() {
    mosquitto_log_callback_set(handle) { _, notes, level, text in
      guard level == MOSQ_LOG_ERR, let text else { return }
      MosquittoClient.notes(notes).lastError = String(cString: text)
    }
  }

  /// Says that the connection is made. With a listener the library writes a line for every packet in and out, which costs
  /// more than the rest of its work on a small message.
  func ignoreLog() { mosquitto_log_callback_set(handle, nil) }

  private static func notes(_ pointer: UnsafeMutableRawPointer?) -> Notes {
    Unmanaged<Notes>.fromOpaque(pointer!).takeUnretainedValue()
  }

  /// The socket; -1 where there is none.
  var socket: Int32 { mosquitto_socket(handle) }
  var wantsWrite: Bool { mosquitto_want_write(handle) }

  /// Begins to connect, without waiting but for the name's resolution.
  func connect(_ configuration: BrokerConfiguration) throws(MQTTError) {
    if version == .v5, !configuration.cleanSession {
      var properties = PropertyList()
      properties.add(MQTT_PROP_SESSION_EXPIRY_INTERVAL, seconds: configuration.sessionExpiry)
      // Libmosquitto takes CONNECT's properties from its blocking call only, which keeps them before it looks at the
      // host and refuses to go on without one; the call below sends them.
      mosquitto_connect_bind_v5(handle, nil, 0, 0, nil, properties.head)
    }
    try check(
      mosquitto_connect_async(
        handle, configuration.host, Int32(configuration.port),
        Int32(configuration.keepAlive.components.seconds)), "connect")
  }

  /// Begins to connect again: messages that the broker has not answered are repeated (MQTT 3.1.1, section 4.4).
  func reconnect() throws(MQTTError) {
    notes.connectReturnCode = nil
    notes.disconnectReason = nil
    listenToLog()
    try check(mosquitto_reconnect_async(handle), "connect")
  }

  /// Reads one packet, as far as it has arrived.
  func read() throws(MQTTError) { try check(mosquitto_loop_read(handle, 1), "read") }

  /// Writes what is queued, as few and full segments: without the cork each acknowledgement of four bytes would be a
  /// segment of its own, since the socket sends without delay.
  func write() throws(MQTTError) {
    let socket = socket
    cork(socket, true)
    let code = mosquitto_loop_write(handle, 1)
    let systemError = errno
    // Where writing has failed the library has closed it, and its number may be another file's by now.
    if self.socket == socket { cork(socket, false) }
    errno = systemError
    try check(code, "write")
  }

  private func cork(_ socket: Int32, _ isCorked: Bool) {
    var option: Int32 = isCorked ? 1 : 0
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &option, socklen_t(MemoryLayout<Int32>.size))
  }
  /// Keeps the connection alive; to be called about every second.
  func upkeep() throws(MQTTError) { try check(mosquitto_loop_misc(handle), "keep the connection") }

  func disconnect() {
    mosquitto_disconnect(handle)
    _ = mosquitto_loop_write(handle, 1)
  }

  /// Queues a message and returns its ID.
  func publish(_ publication: MQTTPublication) throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    var properties = PropertyList()
    if version == .v5, let wanted = publication.properties { properties.add(wanted) }
    let code = mosquitto_publish_v5(
      handle, &id, publication.topic, Int32(publication.payload.count), publication.payload, Int32(publication.qos),
      publication.retain, properties.head)
    try check(code, "publish on '\(publication.topic)'")
    return id
  }

  /// Queues a packet that changes nothing and that the broker answers after it has read all before it; its ID.
  func fence() throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    try check(mosquitto_unsubscribe(handle, &id, "selvedge/fence"), "ask for an answer")
    return id
  }

  /// Queues one SUBSCRIBE for filters of one quality of service and returns its ID.
  func subscribe(_ filters: [String], qos: UInt8) throws(MQTTError) -> Int32 {
    var id: Int32 = 0
    var texts: [UnsafeMutablePointer<CChar>?] = filters.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    let code = mosquitto_subscribe_multiple(handle, &id, Int32(texts.count), &texts, Int32(qos), 0, nil)
    try check(code, "subscribe")
    return id
  }

  func unsubscribe(_ filters: [String]) throws(MQTTError) {
    var texts: [UnsafeMutablePointer<CChar>?] = filters.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    try check(mosquitto_unsubscribe_multiple(handle, nil, Int32(texts.count), &texts, nil), "unsubscribe")
  }

  private func check(_ code: Int32, _ action: String) throws(MQTTError) {
    let systemError = errno
    let value = mosq_err_t(code)
    guard value != MOSQ_ERR_SUCCESS, value != MOSQ_ERR_CONN_PENDING else { return }
    let kind: MQTTError.Kind
    var detail = String(cString: mosquitto_strerror(code))
    switch value {
    case MOSQ_ERR_ERRNO:
      kind = .unreachable
      detail = String(cString: strerror(systemError))
    case MOSQ_ERR_EAI, MOSQ_ERR_LOOKUP:
      kind = .unreachable
      detail = "the host's name cannot be resolved"
    case MOSQ_ERR_TLS, MOSQ_ERR_TLS_HANDSHAKE:
      kind = .tlsFailed
      if !notes.lastError.isEmpty { detail = notes.lastError }
    case MOSQ_ERR_INVAL, MOSQ_ERR_MALFORMED_UTF8, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_OVERSIZE_PACKET:
      kind = .invalidMessage
    default: kind = .connectionLost
    }
    throw MQTTError(kind, "cannot \(action): \(detail)")
  }
}
