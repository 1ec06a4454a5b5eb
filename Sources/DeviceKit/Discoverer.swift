public import Documents

/// A device that discovery found.
public struct DiscoveredDevice: Sendable, Hashable {
  /// What identifies it wherever it moves, best first known: `vendorName`, `productCode`, `serialNumber`, `mac` …;
  /// matched against `DeviceModel.spec.match` and shown in `Device.status.identity`.
  public var identity: [String: String]
  /// Identifies the device within its Discovery, across addresses where the protocol allows it (maker + model +
  /// serial number), else by its address. The Device's name carries a hash of it.
  public var stableID: String
  /// IDs by which it was known before it told as much of itself as now: a Device that has the name of one of them is
  /// this device, as long as it is not known to be another.
  public var formerIDs: [String]
  /// A readable prefix for the Device's name; made a legal one by the gateway. Empty: the Discovery's name.
  public var nameHint: String
  /// Whether `nameHint` is to be the whole name, without a hash (a user's own `name:` template).
  public var isNameExact: Bool
  /// The protocol's fragment for `Device.spec.connection`.
  public var connection: JSONValue
  /// The model's name where the find itself says it (a topic pattern's `modelRef`); else identity decides.
  public var modelName: String?
  /// What the device has by its protocol's own standard: the model to take where no other fits its identity.
  public var standardModel: DiscoveredModel?
  public init(
    identity: [String: String], stableID: String, formerIDs: [String] = [], nameHint: String = "",
    isNameExact: Bool = false, connection: JSONValue, modelName: String? = nil, standardModel: DiscoveredModel? = nil
  ) {
    self.identity = identity
    self.stableID = stableID
    self.formerIDs = formerIDs
    self.nameHint = nameHint
    self.isNameExact = isNameExact
    self.connection = connection
    self.modelName = modelName
    self.standardModel = standardModel
  }
}

/// A DeviceModel that discovery learned from devices themselves. Devices of equal models share one: its name carries a
/// hash of it.
public struct DiscoveredModel: Sendable, Hashable {
  /// A readable prefix for the DeviceModel's name; made a legal one by the gateway.
  public let nameHint: String
  /// `DeviceModel.spec`.
  public let specification: JSONValue
  /// A hash of `nameHint` and `specification`, in 16 digits: the same for equal models, on every machine.
  public let fingerprint: String

  public init(nameHint: String, specification: JSONValue) {
    self.nameHint = nameHint
    self.specification = specification
    var hash = FNV1a()
    hash.add(nameHint)
    hash.add(UInt8(0))
    hash.add(specification.serialised())
    fingerprint = hash.digits
  }

  /// By the fingerprints: a model may have thousands of properties.
  public static func == (left: Self, right: Self) -> Bool { left.fingerprint == right.fingerprint }
  public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}

/// What a DeviceModel says of how its devices tell who they are.
public struct IdentifyingModel: Sendable, Hashable {
  /// Who makes them and how the maker calls them; the model's own name where it does not say.
  public var manufacturer: String
  public var model: String
  /// The property that holds the serial number.
  public var serialNumber: PropertyDefinition
  public init(manufacturer: String, model: String, serialNumber: PropertyDefinition) {
    self.manufacturer = manufacturer
    self.model = model
    self.serialNumber = serialNumber
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

/// How far a look has come. Devices that were found before it is over appear in its report at its end.
public struct DiscoveryProgress: Sendable, Hashable {
  /// Places (hosts; on serial lines, units at a speed) that have been looked at, out of `total`.
  public var done: Int
  public var total: Int
  public var found: Int
  /// Places that answered and could not be understood, or were named and could not be reached.
  public var errors: Int
  public init(done: Int = 0, total: Int, found: Int = 0, errors: Int = 0) {
    self.done = done
    self.total = total
    self.found = found
    self.errors = errors
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
  /// The DeviceModel that a device of this identity is going to have, where that says how its serial number is read.
  public var identifyingModel: @Sendable (_ identity: [String: String]) -> IdentifyingModel?
  /// One line for the audit log of scans.
  public var audit: @Sendable (String) -> Void
  /// Called as a look goes on, as often as there is news.
  public var progress: @Sendable (DiscoveryProgress) -> Void
  public init(
    name: String, namespace: String = "default", specification: JSONValue, every: Duration,
    servedConnections: @escaping @Sendable () -> [JSONValue] = { [] },
    devicesOfDiscovery: @escaping @Sendable (String) -> [DiscoveredDevice]? = { _ in nil },
    identifyingModel: @escaping @Sendable ([String: String]) -> IdentifyingModel? = { _ in nil },
    audit: @escaping @Sendable (String) -> Void = { _ in },
    progress: @escaping @Sendable (DiscoveryProgress) -> Void = { _ in }
  ) {
    self.name = name
    self.namespace = namespace
    self.specification = specification
    self.every = every
    self.servedConnections = servedConnections
    self.devicesOfDiscovery = devicesOfDiscovery
    self.identifyingModel = identifyingModel
    self.audit = audit
    self.progress = progress
  }
}

/// Finds devices. Every report is the *full* current set: what is not in it has vanished.
public protocol Discoverer: Sendable {
  /// Looks until the task is cancelled, calling `report` after each complete look and after each change. Throws only
  /// for what a retry by the caller may mend (a broker that is away); the caller then calls again with backoff.
  func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError)
}
