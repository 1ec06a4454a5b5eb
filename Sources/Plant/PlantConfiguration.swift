public import DeviceKit

/// What a simulated factory consists of.
public struct PlantConfiguration: Sendable {
  /// The Modbus servers, in order; see ``ModbusKind``.
  public var modbus: [ModbusKind] = []
  /// The first server's port, the others following; 0 lets the kernel choose each.
  public var modbusPort = 0
  /// The IPv4 address that the Modbus servers listen on.
  public var modbusHost = "127.0.0.1"
  /// The unit identifiers that each Modbus server answers to.
  public var unitIDs: Set<UInt8> = [1]
  /// Threads that share the Modbus servers.
  public var modbusThreads = 1
  /// The most Modbus connections, all servers together, further ones being closed at once. With the servers' own sockets
  /// they have to stay below 1,024 descriptors, the common limit of a process.
  public var maximumConnections = 900
  /// The period at which Modbus devices move; nil: only ``Plant/advance(ticks:)`` moves them, by 100 ms a tick.
  public var tick: Duration? = .milliseconds(100)
  /// The MQTT devices; nil for none.
  public var rooms: RoomConfiguration?
  /// The same seed gives the same curves.
  public var seed: UInt64 = 1
  /// The time that MQTT payloads carry.
  public var clock = WallClock.system

  public init(modbus: [ModbusKind] = [], modbusPort: Int = 0, rooms: RoomConfiguration? = nil, seed: UInt64 = 1) {
    self.modbus = modbus
    self.modbusPort = modbusPort
    self.rooms = rooms
    self.seed = seed
  }

  /// `count` servers: a boiler, a meter, a boiler, an inverter, and so on.
  public static func mixed(_ count: Int) -> [ModbusKind] {
    let cycle: [ModbusKind] = [.boiler, .sdm630, .boiler, .sunspec]
    return (0..<count).map { cycle[$0 % cycle.count] }
  }

  /// The most Modbus servers in one process.
  public static let maximumServers = 900
}

/// The MQTT devices of a plant: `sensors/room-1` and so on.
public struct RoomConfiguration: Sendable {
  public var count: Int
  public var broker: MQTTEndpoint
  /// How often each device publishes, until its `set` topic says otherwise.
  public var interval: Duration = .seconds(10)
  /// The devices' topics are `<prefix>/room-<number>`.
  public var topicPrefix = "sensors"
  /// Whether samples are retained by the broker. A retained sample comes again with every subscription.
  public var retain = false
  /// The most samples that wait for the broker; when there are more, the oldest go and are counted.
  public var queueLimit = 10_000

  public init(count: Int, broker: MQTTEndpoint, interval: Duration = .seconds(10)) {
    self.count = count
    self.broker = broker
    self.interval = interval
  }
}

/// A broker's address.
public struct MQTTEndpoint: Sendable, Equatable, CustomStringConvertible {
  public var host: String
  public var port: Int

  public init(host: String = "127.0.0.1", port: Int = 1_883) {
    self.host = host
    self.port = port
  }

  /// `host`, `host:port` or `mqtt://host:port`; nil for anything else.
  public init?(_ text: String) {
    let rest = text.hasPrefix("mqtt://") ? text.dropFirst(7) : text[...]
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard let host = parts.first, !host.isEmpty, parts.count <= 2 else { return nil }
    self.host = String(host)
    if parts.count == 2 {
      guard let port = Int(parts[1]), (1...65_535).contains(port) else { return nil }
      self.port = port
    } else {
      port = 1_883
    }
  }

  public var description: String { "\(host):\(port)" }
}
