public import DeviceKit

/// Why a reply was dropped instead of being taken for the answer.
public enum DropCause: Sendable, Hashable, CustomStringConvertible {
  /// No request was waiting, or none that was ever sent was meant.
  case wrongTransaction(expected: UInt16?, received: UInt16)
  /// The answer to a request that was over, late or a second time.
  case late(transaction: UInt16)
  case wrongUnit(expected: UInt8, received: UInt8)
  case wrongFunction(expected: UInt8, received: UInt8)
  /// The reply's size or content does not fit the request.
  case malformed(String)
  case badChecksum
  /// Bytes that arrived while nothing was asked for.
  case unsolicited

  /// CamelCase, fit for a condition's reason and a metric's label.
  public var name: String {
    switch self {
    case .wrongTransaction: "WrongTransaction"
    case .late: "Late"
    case .wrongUnit: "WrongUnit"
    case .wrongFunction: "WrongFunction"
    case .malformed: "MalformedReply"
    case .badChecksum: "BadChecksum"
    case .unsolicited: "Unsolicited"
    }
  }

  public var description: String {
    switch self {
    case .wrongTransaction(let expected?, let received): "transaction ID \(received) instead of \(expected)"
    case .wrongTransaction(nil, let received): "transaction ID \(received) that nobody waits for"
    case .late(let transaction): "a late or second answer to request \(transaction)"
    case .wrongUnit(let expected, let received): "unit ID \(received) instead of \(expected)"
    case .wrongFunction(let expected, let received): "function \(received) instead of \(expected)"
    case .malformed(let detail): detail
    case .badChecksum: "bad checksum"
    case .unsolicited: "bytes that nobody asked for"
    }
  }
}

/// Why a request got no usable answer.
public enum ModbusError: Error, Sendable, Hashable {
  case exception(ModbusException)
  /// Nothing usable came in time. `dropped` is the last reply that came and was no answer.
  case timeout(after: Duration, dropped: DropCause?)
  /// There is no connection; `reason` is CamelCase.
  case unreachable(reason: String, message: String)
  /// The connection ended while the answer was awaited.
  case connectionLost
  /// The byte stream is not Modbus; the connection was given up.
  case notModbus(String)
  /// The link's queue is full.
  case queueFull(limit: Int)
  /// The link was closed by its owner.
  case closed
  /// A write was not sent: another gateway may write to the device before it would be over.
  case fenced

  /// CamelCase, fit for a condition's reason.
  public var reason: String {
    switch self {
    case .exception(let exception): exception.name
    case .timeout(_, nil): "Timeout"
    case .timeout(_, let dropped?): dropped.name
    case .unreachable(let reason, _): reason
    case .connectionLost: "ConnectionLost"
    case .notModbus: "NotModbus"
    case .queueFull: "QueueFull"
    case .closed: "Closed"
    case .fenced: WriteFence.refusal.reason
    }
  }

  /// What happened, in a few words.
  public var text: String {
    switch self {
    case .exception(let exception): exception.description
    case .timeout(let limit, nil): "no answer within \(limit.brief)"
    case .timeout(let limit, let dropped?): "no usable answer within \(limit.brief), dropped a reply: \(dropped)"
    case .unreachable(_, let message): message
    case .connectionLost: "the connection ended before the answer"
    case .notModbus(let detail): "the peer does not speak Modbus: \(detail)"
    case .queueFull(let limit): "\(limit) requests are waiting for this link already"
    case .closed: "the link is closed"
    case .fenced: WriteFence.refusal.message
    }
  }

  /// The reason and what happened, as a sample's cause has it.
  public var cause: String {
    if case .exception(let exception) = self { exception.description } else { "\(reason): \(text)" }
  }

  /// Whether the device gave this answer itself, so that it is there.
  public var provesLife: Bool {
    if case .exception(let exception) = self { !exception.isFromGateway } else { false }
  }

  /// Whether something came back, only no answer: a reply with a wrong checksum, cut off, of another request.
  package var isGarbage: Bool {
    switch self {
    case .timeout(_, let dropped): dropped != nil
    case .notModbus: true
    case .exception, .unreachable, .connectionLost, .queueFull, .closed, .fenced: false
    }
  }

  /// The error as the layers above take it; `subject` says what was tried with whom.
  public func deviceError(_ subject: String) -> DeviceError {
    DeviceError(reason: reason, message: subject.isEmpty ? text : "\(subject): \(text)")
  }
}

extension Duration {
  /// The duration in its largest fitting unit: `1s`, `250ms`, `1.5s`.
  package var brief: String {
    let milliseconds = Int64(self / .milliseconds(1))
    if milliseconds % 1000 == 0 { return "\(milliseconds / 1000)s" }
    return milliseconds < 1000 ? "\(milliseconds)ms" : "\(Double(milliseconds) / 1000)s"
  }
}
