public import Documents

/// The fragments that a protocol adds to the CRDs: YAML texts, each one OpenAPI v3 structural schema
/// (apiextensions.k8s.io/v1).
public struct ProtocolSchema: Sendable {
  /// Under `Device.spec.connection.<protocol>`.
  public var connection: String
  /// Under `DeviceModel.spec.properties[].<protocol>`.
  public var property: String
  /// Under `Discovery.spec.<protocol>`; nil for a protocol that discovers nothing.
  public var discovery: String?
  /// Under `DeviceModel.spec.<protocol>`: what holds for every device of the model; nil for a protocol that asks nothing.
  public var model: String?
  /// Under `Gateway.spec.servers[].<protocol>`; nil for a protocol that serves nobody.
  public var server: String?
  public init(
    connection: String, property: String, discovery: String?, model: String? = nil, server: String? = nil
  ) {
    self.connection = connection
    self.property = property
    self.discovery = discovery
    self.model = model
    self.server = server
  }
}

/// What a protocol folder gives to the gateway: one value of this, registered in `Gateway`.
public protocol ProtocolPlugin: Sendable {
  /// The key under `connection`, in a model's properties and in a Discovery: `modbus`, `mqtt`, `udev`.
  var name: String { get }
  var schema: ProtocolSchema { get }

  /// Makes the session of one device; no I/O yet. Throws ``DeviceError`` for a connection or property binding that
  /// the schema lets pass and the protocol cannot serve (`isPermanent` true, the message names the field).
  func session(for request: SessionRequest, feed: any DeviceFeed) throws(DeviceError) -> any DeviceSession

  /// The discoverer for the protocol's fragment of a Discovery's spec. Nil for a protocol that discovers nothing.
  func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)?

  /// The server for the protocol's fragment of a Gateway's `spec.servers`. Nil for a protocol that serves nobody. Throws a
  /// permanent ``DeviceError`` `InvalidServer` that names the field for what the schema lets pass and cannot be served.
  func server(for request: PropertyServerRequest) throws(DeviceError) -> (any PropertyServer)?

  /// What a device with this connection is reached through, the same text for those that share a link; nil: a port of
  /// the machine's own, which is another one on every machine.
  func endpoint(of connection: JSONValue) -> String?

  /// What is wrong or doubtful in the bindings of a model's properties, which are in the model's order. `model` is the
  /// protocol's fragment of the model's spec.
  func findings(in properties: [PropertyDefinition], model: JSONValue) -> [ModelFinding]

  /// What devices sent and no good sample came of, since the start, by cause: for /metrics.
  var drops: [(cause: String, count: UInt64)] { get }

  /// What else the protocol has counted since the start, for /metrics.
  var counters: [ProtocolCounter] { get }
}

/// One counting series of a protocol: `selvedge_<protocol>_<name>_total`.
public struct ProtocolCounter: Sendable, Hashable {
  /// In snake_case; series of one name stand together and have the same help and label.
  public var name: String
  public var help: String
  /// The series' only label; nil where the name has one series.
  public var label: Label?
  public var count: UInt64

  public struct Label: Sendable, Hashable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(_ name: String, _ help: String, label: Label? = nil, _ count: UInt64) {
    self.name = name
    self.help = help
    self.label = label
    self.count = count
  }
}

extension ProtocolPlugin {
  /// Nobody is served.
  public func server(for request: PropertyServerRequest) throws(DeviceError) -> (any PropertyServer)? { nil }

  /// Each connection by itself.
  public func endpoint(of connection: JSONValue) -> String? { connection.description }

  /// Nothing is looked for.
  public func findings(in properties: [PropertyDefinition], model: JSONValue) -> [ModelFinding] { [] }

  /// Nothing is counted.
  public var drops: [(cause: String, count: UInt64)] { [] }
  public var counters: [ProtocolCounter] { [] }
}

/// Why a device or a discovery could not be served.
public struct DeviceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// CamelCase, fit for a condition's reason: `ConnectionRefused`, `Timeout`, `IllegalDataAddress`, `InvalidBinding`.
  public var reason: String
  /// What happened and what to do; never a secret.
  public var message: String
  /// Whether only a change of the manifest can help; otherwise a retry may.
  public var isPermanent: Bool
  public init(reason: String, message: String, isPermanent: Bool = false) {
    self.reason = reason
    self.message = message
    self.isPermanent = isPermanent
  }
  public var description: String { message }
}
