public import Documents

/// One of the Gateway's `spec.servers`, to be run.
public struct PropertyServerRequest: Sendable {
  /// The entry's name.
  public var name: String
  /// Where the protocol's fragment stands, for messages: `spec.servers[0].modbus`.
  public var path: String
  /// The protocol's fragment.
  public var specification: JSONValue
  /// The version of the gateway's program, for clients that ask who serves.
  public var programVersion: String
  public var access: any PropertyAccess
  public init(
    name: String, path: String, specification: JSONValue, programVersion: String, access: any PropertyAccess
  ) {
    self.name = name
    self.path = path
    self.specification = specification
    self.programVersion = programVersion
    self.access = access
  }
}

/// How a server fares.
public struct PropertyServerStatus: Sendable, Hashable {
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    case starting = "Starting"
    case serving = "Serving"
    /// It does not listen; unless the cause is in its manifest, it goes on trying.
    case failed = "Failed"
  }
  public var phase: Phase
  /// CamelCase.
  public var reason: String
  public var message: String
  /// Where it listens, `host:port`; empty where it does not.
  public var address: String
  /// Counts since its start, and how many clients there are now, by name.
  public var counters: [String: Int64]
  public init(
    _ phase: Phase, reason: String, message: String, address: String = "", counters: [String: Int64] = [:]
  ) {
    self.phase = phase
    self.reason = reason
    self.message = message
    self.address = address
    self.counters = counters
  }
}

/// Shows properties to the clients of a protocol, and takes their wishes.
public protocol PropertyServer: Sendable {
  /// Serves until the task is cancelled, then lets every client go. What keeps it from listening becomes status.
  func run() async
  var status: PropertyServerStatus { get }
}
