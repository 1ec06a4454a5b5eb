public import Documents

/// One message as it arrived from the broker.
public struct MQTTMessage: Sendable, Hashable {
  public var topic: String
  public var payload: [UInt8]
  /// 0, 1 or 2: the quality of service at which the broker delivered it.
  public var qos: UInt8
  /// Whether the broker had kept it for new subscribers (MQTT 3.1.1, section 3.3.1.3).
  public var isRetained: Bool
  /// When it was read from the socket.
  public var arrival: Timestamp
  public init(topic: String, payload: [UInt8], qos: UInt8 = 0, isRetained: Bool = false, arrival: Timestamp) {
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.isRetained = isRetained
    self.arrival = arrival
  }
}

/// One message to be published.
public struct MQTTPublication: Sendable, Hashable {
  /// Without wildcards.
  public var topic: String
  public var payload: [UInt8]
  /// 0, 1 or 2.
  public var qos: UInt8
  public var retain: Bool
  public init(topic: String, payload: [UInt8], qos: UInt8 = 1, retain: Bool = false) {
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.retain = retain
  }
}

/// What a subscriber is told, in the order in which it happened.
public enum MQTTEvent: Sendable {
  /// Everything for this subscriber that one read of the socket brought. Those of QoS 1 are acknowledged to the
  /// broker only after every subscriber's handler has returned.
  case messages([MQTTMessage])
  /// The link's state: once at the subscription, then at every change. After `.connected` the broker sends its
  /// retained messages again.
  case state(MQTTState)
  /// The broker refused a filter (an access rule); it is asked again at the next connection.
  case refused(TopicFilter)
}

/// The state of the link to a broker.
public enum MQTTState: Sendable, Hashable {
  case connecting
  case connected
  /// Not connected, and why; a new attempt follows by itself wherever one can help.
  case disconnected(MQTTError)
}
