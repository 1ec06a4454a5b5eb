public import DeviceKit
public import Documents
public import Logging
public import MQTTClient

/// MQTT as a protocol of devices: sessions by topic and path, discovery by topic pattern and by convention.
public final class MQTTPlugin: ProtocolPlugin {
  public let name = "mqtt"
  /// What did not become a good sample, over all sessions.
  public let counters = DropCounters()
  public var drops: [(cause: String, count: UInt64)] { counters.snapshot.map { ($0.cause.rawValue, $0.count) } }
  private let brokers: BrokerPool
  private let turns = TurnBatches()
  private let clock: WallClock
  private let logger: Logger

  public init(brokers: BrokerPool, clock: WallClock, logger: Logger) {
    self.brokers = brokers
    self.clock = clock
    self.logger = logger
  }

  /// The Broker is looked up in the Device's namespace; it may be configured later.
  public func session(
    for request: SessionRequest, feed: any DeviceFeed
  ) throws(DeviceError) -> any DeviceSession {
    guard let broker = request.connection[path: "brokerRef", "name"]?.string, !broker.isEmpty else {
      throw DeviceError(
        reason: "InvalidConnection", message: "connection.mqtt.brokerRef.name is missing", isPermanent: true)
    }
    let connection = brokers.connection(named: "\(request.device.namespace)/\(broker)")
    return try MQTTDeviceSession(
      request, connection: connection, feed: feed, turn: turns.batch(of: connection, to: feed), clock: clock,
      counters: counters)
  }

  public func endpoint(of connection: JSONValue) -> String? {
    "\(connection[path: "brokerRef", "name"]?.string ?? "") \(connection["base"]?.string ?? "")"
  }

  public func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)? {
    guard let broker = request.specification[path: "brokerRef", "name"]?.string, !broker.isEmpty else {
      throw DeviceError(reason: "InvalidSpec", message: "spec.mqtt.brokerRef.name is missing", isPermanent: true)
    }
    return try MQTTDiscoverer(
      request, broker: broker, connection: brokers.connection(named: "\(request.namespace)/\(broker)"), logger: logger)
  }
}
