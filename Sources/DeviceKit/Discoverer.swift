public import Documents

/// A device that discovery found.
public struct DiscoveredDevice: Sendable, Hashable {
  /// What identifies it wherever it moves, best first known: `vendorName`, `productCode`, `serialNumber`, `mac` …;
  /// matched against `DeviceModel.spec.match` and shown in `Device.status.identity`.
  public var identity: [String: String]
  /// Identifies the device within its Discovery, across addresses where the protocol allows it (maker + model +
  /// serial number), else by its address. The Device's name carries a hash of it.
  public var stableID: String
  /// A readable prefix for the Device's name; made a legal one by the gateway. Empty: the Discovery's name.
  public var nameHint: String
  /// Whether `nameHint` is to be the whole name, without a hash (a user's own `name:` template).
  public var isNameExact: Bool
  /// The protocol's fragment for `Device.spec.connection`.
  public var connection: JSONValue
  /// The model's name where the find itself says it (a topic pattern's `modelRef`); else identity decides.
  public var modelName: String?
  public init(
    identity: [String: String], stableID: String, nameHint: String = "", isNameExact: Bool = false,
    connection: JSONValue, modelName: String? = nil
  ) {
    self.identity = identity
    self.stableID = stableID
    self.nameHint = nameHint
    self.isNameExact = isNameExact
    self.connection = connection
    self.modelName = modelName
  }
}

/// The full current set, as one look or one change showed it.
public struct DiscoveryReport: Sendable {
  public var devices: [DiscoveredDevice]
  /// Targets that could not be looked at, conventions not served …: shown in the Discovery's status.
  public var warnings: [String]
  public init(devices: [DiscoveredDevice], warnings: [String] = []) {
    self.devices = devices
    self.warnings = warnings
  }
}

/// What a Discovery asks of a protocol.
public struct DiscoveryRequest: Sendable {
  public var name: String
  /// The Discovery's namespace: where its references are looked up.
  public var namespace: String
  /// The protocol's fragment of `Discovery.spec`, defaults filled in.
  public var specification: JSONValue
  /// How often the full set is looked for anew.
  public var every: Duration
  /// Connections that are already served (the protocol's fragments): a scan leaves them alone.
  public var servedConnections: @Sendable () -> [JSONValue]
  /// What another Discovery (`discoveryRef`) found: its devices' connections and identities. Nil where it is unknown.
  public var devicesOfDiscovery: @Sendable (String) -> [DiscoveredDevice]?
  /// One line for the audit log of scans.
  public var audit: @Sendable (String) -> Void
  public init(
    name: String, namespace: String = "default", specification: JSONValue, every: Duration,
    servedConnections: @escaping @Sendable () -> [JSONValue] = { [] },
    devicesOfDiscovery: @escaping @Sendable (String) -> [DiscoveredDevice]? = { _ in nil },
    audit: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.name = name
    self.namespace = namespace
    self.specification = specification
    self.every = every
    self.servedConnections = servedConnections
    self.devicesOfDiscovery = devicesOfDiscovery
    self.audit = audit
  }
}

/// Finds devices. Every report is the *full* current set: what is not in it has vanished.
public protocol Discoverer: Sendable {
  /// Looks until the task is cancelled, calling `report` after each complete look and after each change. Throws only
  /// for what a retry by the caller may mend (a broker that is away); the caller then calls again with backoff.
  func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError)
}
