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
  /// What MQTT 5 says beside the payload; left out where MQTT 3.1.1 is spoken.
  public var properties: MQTTProperties?
  public init(
    topic: String, payload: [UInt8], qos: UInt8 = 1, retain: Bool = false, properties: MQTTProperties? = nil
  ) {
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.retain = retain
    self.properties = properties
  }
}

/// The protocol of a connection, by its number in CONNECT.
public enum MQTTVersion: Int, Sendable, Hashable, CaseIterable {
  case v3_1_1 = 4
  case v5 = 5
}

/// Properties of a message (MQTT 5, section 3.3.2.3).
public struct MQTTProperties: Sendable, Hashable {
  public struct UserProperty: Sendable, Hashable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
  /// How long the broker keeps the message for who is away; nil: as long as it likes.
  public var expiry: Duration?
  /// The payload's media type; also says that it is UTF-8 where it is JSON or text.
  public var contentType: String?
  public var user: [UserProperty]
  public init(expiry: Duration? = nil, contentType: String? = nil, user: [UserProperty] = []) {
    self.expiry = expiry
    self.contentType = contentType
    self.user = user
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

/// Takes the messages of a subscription one by one, in their order among its events, without the detour over arrays and
/// tasks that a handler costs. What it cannot finish without waiting it leaves to its follower.
public protocol MessageTaker: AnyObject, Sendable {
  /// The taker's own number for a topic that its filters match, under which it is given that topic's messages; nil where
  /// it wants none of them. Asked before the first message on the topic, and again once subscriptions have changed.
  func number(ofTopic topic: String) -> Int?
  /// Called on the connection's own thread: must not block. The payload is the connection's, for as long as the call
  /// lasts. `isRetained` and `arrival` are those of ``MQTTMessage``.
  func take(_ payload: Span<UInt8>, onTopic number: Int, isRetained: Bool, arrival: Timestamp)
  /// Told when a turn has brought messages: one for many takers, and the same one always.
  var follower: any TurnFollower { get }
}

/// Told when a turn of a connection ends: every subscriber has had what one read of the socket brought, and nothing of
/// it is acknowledged yet. The connection waits for it, as for the handlers, and reads nothing meanwhile.
public protocol TurnFollower: AnyObject, Sendable {
  func turnEnded() async
}

/// The state of the link to a broker.
public enum MQTTState: Sendable, Hashable {
  case connecting
  case connected
  /// Not connected, and why; a new attempt follows by itself wherever one can help.
  case disconnected(MQTTError)
}
