public import DeviceKit
public import NIOCore
public import NIOPosix

/// Modbus over TCP, RTU over TCP and serial lines: sessions, discovery and schema.
public final class ModbusPlugin: ProtocolPlugin {
  public let name = "modbus"
  public let schema = ProtocolSchema(
    connection: ModbusSchema.connection, property: ModbusSchema.property, discovery: ModbusSchema.discovery)
  package let links: LinkDirectory
  private let clock: WallClock

  /// `group` runs all TCP links; the process's own by default.
  public init(group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, clock: WallClock = .system) {
    links = LinkDirectory(group: group, clock: clock)
    self.clock = clock
  }

  public func session(for request: SessionRequest, feed: any DeviceFeed) throws(DeviceError) -> any DeviceSession {
    try ModbusSession(request, feed: feed, links: links, clock: clock)
  }

  public func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)? {
    try ModbusDiscoverer(request, links: links, clock: clock)
  }
}
