internal import DeviceKit
public import Documents

/// A value that is to be written once, now, and is no desired state: a reset, a start, a mode for a moment.
public struct TwinCommand: Sendable, Hashable {
  public var property: String
  public var value: JSONValue
  /// The user that the API authenticated.
  public var user: String
  /// How long to wait for the device; what is not sent by then is not sent any more.
  public var timeout: Duration
  /// Commands of one key are carried out once; the later ones are answered with the first one's outcome.
  public var idempotencyKey: String?
  /// Whether the property is read back once.
  public var verifies: Bool

  public init(
    property: String, value: JSONValue, user: String, timeout: Duration = .seconds(10), idempotencyKey: String? = nil,
    verifies: Bool = false
  ) {
    self.property = property
    self.value = value
    self.user = user
    self.timeout = timeout
    self.idempotencyKey = idempotencyKey
    self.verifies = verifies
  }
}

/// What became of a command.
public struct TwinCommandOutcome: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// The device took it.
    case succeeded = "Succeeded"
    /// The device did not take it, or it was not sent.
    case failed = "Failed"
    /// Its time was over before the device answered; the message says whether it was sent.
    case timedOut = "TimedOut"
    /// It was sent, and whether the device took it cannot be known.
    case unknown = "Unknown"
  }
  public var state: State
  public var message: String
  /// Nil: not sent, or not known.
  public var sentTime: Timestamp?
  public var endTime: Timestamp?
  /// What was read back; nil: nothing was, or nothing usable.
  public var reported: JSONValue?

  public init(
    state: State, message: String, sentTime: Timestamp? = nil, endTime: Timestamp? = nil, reported: JSONValue? = nil
  ) {
    self.state = state
    self.message = message
    self.sentTime = sentTime
    self.endTime = endTime
    self.reported = reported
  }

  /// `{state, message, sentTime, endTime, reported}`, as the API answers.
  public var json: JSONValue {
    var json: JSONValue = ["state": .string(state.rawValue), "message": .string(message)]
    if let sentTime { json["sentTime"] = .string(sentTime.description) }
    if let endTime { json["endTime"] = .string(endTime.description) }
    if let reported { json["reported"] = reported }
    return json
  }

  /// Reads what ``json`` wrote.
  init(_ json: JSONValue) {
    self.init(
      state: json["state"]?.string.flatMap(State.init(rawValue:)) ?? .unknown,
      message: json["message"]?.string ?? "", sentTime: json["sentTime"]?.string.flatMap(Timestamp.init),
      endTime: json["endTime"]?.string.flatMap(Timestamp.init), reported: json["reported"])
  }
}

/// Why a command is refused before anything is done about it.
public struct TwinCommandRefusal: Sendable, Hashable {
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    case writesDisabled = "WritesDisabled"
    case leaseLost = "LeaseLost"
    case readOnlyGateway = "ReadOnlyGateway"
    case notServed = "NotServed"
    case notConnected = "NotConnected"
    /// The property has a desired value, and another one than the command's.
    case hasDesiredValue = "HasDesiredValue"
    /// The idempotency key stands for another command.
    case keyReused = "IdempotencyKeyReused"
    case tooMany = "TooManyCommands"
  }
  public var reason: Reason
  public var message: String
  public init(reason: Reason, message: String) {
    self.reason = reason
    self.message = message
  }
}

/// A command on its way, in memory.
struct QueuedCommand {
  var id: UInt64
  var command: TwinCommand
  var value: Value
  /// Nil without an idempotency key.
  var row: CommandRow?
  var sentTime: Timestamp?
  var isTaken = false
  var waiters: [@Sendable (TwinCommandOutcome) -> Void] = []
}
