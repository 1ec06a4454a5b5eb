public import DeviceKit
public import Documents
public import NIOCore
public import NIOPosix

/// Modbus over TCP, RTU over TCP and serial lines: sessions, discovery and schema.
public final class ModbusPlugin: ProtocolPlugin {
  public let name = "modbus"
  public let schema = ProtocolSchema(
    connection: ModbusSchema.connection, property: ModbusSchema.property, discovery: ModbusSchema.discovery,
    model: ModbusSchema.model, server: ModbusSchema.server)
  package let links: LinkDirectory
  private let clock: WallClock
  private let group: any EventLoopGroup
  private let serverCounters = ServerCounters()

  /// - Parameters:
  ///   - group: runs all TCP links; the process's own by default.
  ///   - stateFolder: where it is kept over restarts which reads devices refuse; nil: it is not.
  public init(
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, stateFolder: String? = nil,
    clock: WallClock = .system
  ) {
    links = LinkDirectory(
      group: group, clock: clock, refusalPath: stateFolder.map { "\($0)/modbus-refusals.json" })
    self.clock = clock
    self.group = group
  }

  public func session(for request: SessionRequest, feed: any DeviceFeed) throws(DeviceError) -> any DeviceSession {
    try ModbusSession(request, feed: feed, links: links, clock: clock)
  }

  public func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)? {
    try ModbusDiscoverer(request, links: links, clock: clock)
  }

  public func server(for request: PropertyServerRequest) throws(DeviceError) -> (any PropertyServer)? {
    try ModbusServer(request, on: group.next(), total: serverCounters)
  }

  public func endpoint(of connection: JSONValue) -> String? {
    guard let tcp = connection["tcp"] else { return nil }
    return TCPEndpoint(
      host: (tcp["host"]?.string ?? "").lowercased(), port: Int(tcp["port"]?.integer ?? 502)
    ).description
  }

  public func findings(in properties: [PropertyDefinition], model: JSONValue) -> [ModelFinding] {
    RegisterLint.findings(in: properties, model: model)
  }
}

extension ModbusPlugin {
  /// Replies that were dropped, by ``DropCause/name``.
  public var drops: [(cause: String, count: UInt64)] {
    links.counters.dropped.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  public var counters: [ProtocolCounter] {
    let links = self.links.counters
    let sessions = self.links.sessionCounters
    var result = [
      ProtocolCounter("requests", "Requests sent.", links.requests),
      ProtocolCounter("answers", "Answers used, exceptions among them.", links.answers),
      ProtocolCounter("timeouts", "Requests that ended without an answer in time.", links.timeouts),
      ProtocolCounter("probes", "Reads sent to tell late replies from answers.", links.probes),
      ProtocolCounter(
        "refused_by_full_queue", "Requests that a link's full queue did not take.", links.refusedByFullQueue),
      ProtocolCounter("poll_overruns", "Polling periods that passed unread.", sessions.overruns),
      ProtocolCounter(
        "polls_skipped", "Polls of silent units left out for the others of their link.", sessions.skipped),
      ProtocolCounter("values_stale", "Values told to be stale.", sessions.stale),
    ]
    let connections: [(String, UInt64)] = [
      ("made", links.connects), ("failed", links.connectFailures), ("lost", links.connectionLosses),
      ("givenUp", links.disconnects),
    ]
    result += connections.map { event, count in
      ProtocolCounter(
        "connections", "Connections and ports, by what became of them.", label: .init("event", event), count)
    }
    result += links.exceptions.sorted { $0.key < $1.key }.map { code, count in
      ProtocolCounter("exceptions", "Exceptions answered, by code.", label: .init("code", "\(code)"), count)
    }
    result += sessions.retries.sorted { $0.key < $1.key }.map { cause, count in
      ProtocolCounter(
        "retries", "Requests sent once more, by the first one's end.", label: .init("cause", cause), count)
    }
    return result + serverCounters.series
  }
}
