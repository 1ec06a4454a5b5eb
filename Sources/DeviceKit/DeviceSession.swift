public import Documents

/// One property of a model as a driver needs it.
public struct PropertyDefinition: Sendable, Hashable {
  public enum Access: String, Sendable, Hashable, CaseIterable {
    case read = "Read"
    case readWrite = "ReadWrite"
    case write = "Write"
    public var canRead: Bool { self != .write }
    public var canWrite: Bool { self != .read }
  }
  public var name: String
  public var type: PropertyType
  public var unit: String
  public var access: Access
  public var minimum: Double?
  public var maximum: Double?
  /// Allowed values; empty: any.
  public var allowed: [JSONValue]
  /// The type of an array's elements; nil: any. `object` and `array` are none.
  public var items: PropertyType?
  /// The most elements that an array has; nil: any number.
  public var maximumItems: Int?
  public var isSummary: Bool
  /// What the twin's history keeps of the reported values, where the model says it.
  public var history: ReportedHistory?
  /// How often a polled property is read.
  public var pollEvery: Duration
  /// A reported value is written to disk at most once in this time, zero meaning at every change; nil: the gateway's
  /// default.
  public var persistEvery: Duration?
  /// The protocol's fragment of the model's property, defaults filled in: `modbus: {table: …}`.
  public var binding: JSONValue

  public init(
    name: String, type: PropertyType, unit: String = "", access: Access = .read, minimum: Double? = nil,
    maximum: Double? = nil, allowed: [JSONValue] = [], isSummary: Bool = false, pollEvery: Duration = .seconds(10),
    persistEvery: Duration? = nil, binding: JSONValue = [:], items: PropertyType? = nil, maximumItems: Int? = nil
  ) {
    self.name = name
    self.type = type
    self.unit = unit
    self.access = access
    self.minimum = minimum
    self.maximum = maximum
    self.allowed = allowed
    self.isSummary = isSummary
    self.pollEvery = pollEvery
    self.persistEvery = persistEvery
    self.binding = binding
    self.items = items
    self.maximumItems = maximumItems
  }
}

/// A device to be served.
public struct SessionRequest: Sendable {
  public var device: DeviceKey
  /// The protocol's fragment of `Device.spec.connection`, defaults filled in.
  public var connection: JSONValue
  public var properties: [PropertyDefinition]
  /// The properties' points, in the same order.
  public var points: [PointID]
  /// The protocol's fragment of `DeviceModel.spec`, defaults filled in; empty where the model has none.
  public var model: JSONValue
  /// Asked before each write, at the moment of sending; nil: nobody else writes to the device.
  public var fence: WriteFence?
  /// Who the device is, as far as discovery knows; empty: not at all.
  public var identity: [String: String]
  public init(
    device: DeviceKey, connection: JSONValue, properties: [PropertyDefinition], points: [PointID],
    model: JSONValue = [:], fence: WriteFence? = nil, identity: [String: String] = [:]
  ) {
    self.fence = fence
    self.identity = identity
    self.device = device
    self.model = model
    self.connection = connection
    self.properties = properties
    self.points = points
  }
}

/// What a session tells of its link to the device.
public enum ConnectionState: Sendable, Hashable {
  case connecting
  case connected
  /// The link is lost or the device does not answer; the session goes on trying.
  case disconnected(DeviceError)
}

/// Where a session puts what it learns. Implemented by the gateway; safe from any task or thread.
///
/// An object: sessions with the same one may deliver together.
public protocol DeviceFeed: AnyObject, Sendable {
  /// Takes a batch, of one device or several. Returns once it is taken; suspends while a full queue downstream asks for patience.
  func deliver(_ batch: SampleBatch) async
  /// Says how the link is. Repeating a state is harmless.
  func connection(of device: DeviceKey, is state: ConnectionState)
}

/// One write of a desired value or command.
public struct PropertyWrite: Sendable, Hashable {
  public var property: String
  public var value: Value
  /// Writes of one call with the same name belong together: a session that can make them in one request does, and then
  /// never takes that request apart.
  public var group: String?
  public init(property: String, value: Value, group: String? = nil) {
    self.property = property
    self.value = value
    self.group = group
  }
}

/// A device that is being served: polls or listens, writes, reads back. One session per Device.
///
/// A dead device costs the others nothing: every call ends within the connection's timeout and retries.
public protocol DeviceSession: Sendable {
  /// Serves the device until the task is cancelled: reads every property at its period (or listens), delivers
  /// batches, reports the link's state, reconnects with backoff. Never throws: trouble becomes state and quality.
  func run() async

  /// Reads the named properties from the device now. A protocol that only listens answers what it heard last.
  /// The result has an entry for every name asked for.
  func read(_ properties: [String]) async -> [String: Result<Reading, DeviceError>]

  /// Writes, in this order. The result has one entry per write, in the same order; nil: the device took it.
  func write(_ writes: [PropertyWrite]) async -> [DeviceError?]
}
