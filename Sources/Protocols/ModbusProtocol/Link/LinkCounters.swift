/// What happened on links, added up.
public struct LinkCounters: Sendable, Hashable {
  public var requests: UInt64 = 0
  /// Answers that were used, exceptions among them.
  public var answers: UInt64 = 0
  /// Exceptions by code.
  public var exceptions: [UInt8: UInt64] = [:]
  /// Requests that ended without an answer in time.
  public var timeouts: UInt64 = 0
  public var connects: UInt64 = 0
  public var connectFailures: UInt64 = 0
  public var connectionLosses: UInt64 = 0
  /// Connections given up by the gateway: after silence, after a torn frame, after bytes that are not Modbus.
  public var disconnects: UInt64 = 0
  public var refusedByFullQueue: UInt64 = 0
  /// Requests that were sent in addition, to tell late replies from answers on a line without transaction IDs.
  public var probes: UInt64 = 0
  /// Replies that were dropped, by ``DropCause/name``.
  public var dropped: [String: UInt64] = [:]
  public init() {}

  package mutating func drop(_ cause: DropCause) { dropped[cause.name, default: 0] += 1 }

  package static func += (left: inout LinkCounters, right: LinkCounters) {
    left.requests += right.requests
    left.answers += right.answers
    left.timeouts += right.timeouts
    left.connects += right.connects
    left.connectFailures += right.connectFailures
    left.connectionLosses += right.connectionLosses
    left.disconnects += right.disconnects
    left.refusedByFullQueue += right.refusedByFullQueue
    left.probes += right.probes
    left.exceptions.merge(right.exceptions, uniquingKeysWith: +)
    left.dropped.merge(right.dropped, uniquingKeysWith: +)
  }

  /// The trouble in a few words, for a condition's message; empty where there was none.
  package var trouble: String {
    var parts: [String] = []
    if timeouts > 0 { parts.append("\(timeouts) of \(requests) requests without an answer") }
    for (code, count) in exceptions.sorted(by: { $0.key < $1.key }) {
      parts.append("\(count) × \(ModbusException(code: code))")
    }
    for (cause, count) in dropped.sorted(by: { $0.key < $1.key }) { parts.append("\(count) × \(cause)") }
    if connectionLosses + disconnects > 0 { parts.append("\(connectionLosses + disconnects) connections ended") }
    return parts.joined(separator: ", ")
  }
}
