/// How a broker is reached.
public struct BrokerConfiguration: Sendable, Hashable {
  public private(set) var host: String
  public private(set) var port: UInt16
  public private(set) var usesTLS: Bool
  public var username: String?
  public var password: String?
  /// PEM file with the authorities to trust; nil: the system's.
  public var caFile: String?
  /// PEM files of the client's own certificate and key, both or neither.
  public var certificateFile: String?
  public var keyFile: String?
  /// False takes any certificate of the broker.
  public var verifiesBroker = true
  /// Files in memory that the paths above name; they live as long as the configuration.
  public var heldFiles: [MemoryFile] = []
  /// Absent: a random one for the life of the process.
  public var clientID: String?
  /// Seconds between two signs of life, 5…65535.
  public var keepAlive: Duration
  /// Whether the broker forgets subscriptions and undelivered messages at a disconnection. False needs a `clientID`
  /// of its own; then QoS 1 messages that were not acknowledged are delivered again after a reconnection, at once:
  /// to those subscribers that are there before the connection is configured.
  public var cleanSession: Bool
  /// Whether a session that the broker kept from another client of this ID, such as the gateway before its restart, is
  /// ended first; for those who publish only. Messages of QoS 2 that the other left half sent count against the broker's
  /// limit for as long as the session lasts. Means something where the session is not clean.
  public var endsFormerSession = false
  /// The protocol that is spoken.
  public var protocolVersion = MQTTVersion.v3_1_1
  /// How long the broker keeps a session that is not `cleanSession` after a disconnection. MQTT 5 only: MQTT 3.1.1 leaves
  /// it to the broker.
  public var sessionExpiry = Duration.seconds(86_400)
  /// Published by the broker when this client vanishes.
  public var will: MQTTPublication?
  /// Delays between attempts to connect.
  public var reconnectDelay: ClosedRange<Duration>

  /// Throws an error that names what is wrong with `url` or with the combination of the parts.
  public init(
    url: String, username: String? = nil, password: String? = nil, caFile: String? = nil,
    certificateFile: String? = nil, keyFile: String? = nil, serverName: String? = nil, clientID: String? = nil,
    keepAlive: Duration = .seconds(30), cleanSession: Bool = true, will: MQTTPublication? = nil,
    reconnectDelay: ClosedRange<Duration> = .seconds(1) ... .seconds(60)
  ) throws(MQTTError) {
    (usesTLS, host, port) = try BrokerConfiguration.parse(url)
    self.username = username
    self.password = password
    self.caFile = caFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.clientID = clientID
    self.keepAlive = min(max(keepAlive, .seconds(5)), .seconds(65_535))
    self.cleanSession = cleanSession
    self.will = will
    self.reconnectDelay = reconnectDelay
    func invalid(_ message: String) -> MQTTError { MQTTError(.invalidConfiguration, message) }
    if (certificateFile == nil) != (keyFile == nil) {
      throw invalid("a client certificate needs both its certificate and its key")
    }
    if !usesTLS, caFile != nil || certificateFile != nil || serverName != nil {
      throw invalid("TLS settings need a url that begins with mqtts://")
    }
    if let serverName, serverName != host {
      throw invalid(
        "serverName '\(serverName)' differs from the url's host '\(host)': the certificate is checked against the host, so put the certificate's name into the url"
      )
    }
    if password != nil, username == nil { throw invalid("a password needs a username (MQTT 3.1.1, section 3.1.2.9)") }
    if !cleanSession, clientID == nil { throw invalid("a persistent session needs a clientID") }
  }

  private static func parse(_ url: String) throws(MQTTError) -> (tls: Bool, host: String, port: UInt16) {
    func invalid(_ message: String) -> MQTTError {
      MQTTError(.invalidConfiguration, "url '\(url)': \(message); expected mqtt://host[:port] or mqtts://host[:port]")
    }
    if url.contains("@") {
      // The url itself may hold a password here, hence is not repeated.
      throw MQTTError(.invalidConfiguration, "the broker's url must not contain credentials; use credentialsSecretRef")
    }
    let isTLS: Bool
    var rest: Substring
    if url.hasPrefix("mqtt://") {
      (isTLS, rest) = (false, url.dropFirst(7))
    } else if url.hasPrefix("mqtts://") {
      (isTLS, rest) = (true, url.dropFirst(8))
    } else {
      throw invalid("unknown scheme")
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    if rest.contains(where: { "/?# ".contains($0) }) { throw invalid("nothing may follow the port") }
    var port: UInt16 = isTLS ? 8883 : 1883
    var portText: Substring?
    let host: Substring
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { throw invalid("'[' without ']'") }
      host = rest[rest.index(after: rest.startIndex)..<end]
      let tail = rest[rest.index(after: end)...]
      if !tail.isEmpty {
        guard tail.hasPrefix(":") else { throw invalid("unexpected text after ']'") }
        portText = tail.dropFirst()
      }
    } else if let colon = rest.firstIndex(of: ":") {
      host = rest[..<colon]
      portText = rest[rest.index(after: colon)...]
    } else {
      host = rest
    }
    if host.isEmpty { throw invalid("the host is missing") }
    if let portText {
      guard let number = UInt16(portText), number > 0 else { throw invalid("the port must be 1…65535") }
      port = number
    }
    return (isTLS, String(host), port)
  }
}

extension BrokerConfiguration: CustomStringConvertible {
  /// The address, without credentials.
  public var description: String {
    "\(usesTLS ? "mqtts" : "mqtt")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}
