import DeviceKit
import Synchronization

/// What servers have counted since their start. Those of one server count in `total` too.
package final class ServerCounters: Sendable {
  package enum Event: String, Sendable, Hashable, CaseIterable {
    case requests, valuesWritten, connections
    /// The client's address is not among allowFrom.
    case notAllowed
    /// There were as many clients as there may be.
    case tooManyClients
    /// A client asked nothing for idleTimeout, or did not take what it was answered.
    case idle
    /// A client began a request and did not end it in time.
    case slow
    /// What a client sent is no Modbus TCP.
    case malformed
  }
  private struct Counts {
    var events: [Event: UInt64] = [:]
    var exceptions: [UInt8: UInt64] = [:]
  }
  private let counts = Mutex(Counts())
  private let total: ServerCounters?

  package init(total: ServerCounters? = nil) { self.total = total }

  func count(_ event: Event, _ number: UInt64 = 1) {
    counts.withLock { $0.events[event, default: 0] += number }
    total?.count(event, number)
  }

  func count(_ exception: ModbusException) {
    counts.withLock { $0.exceptions[exception.code, default: 0] += 1 }
    total?.count(exception)
  }

  package subscript(event: Event) -> UInt64 { counts.withLock { $0.events[event] ?? 0 } }

  /// By name, for a status.
  var values: [String: Int64] {
    let counts = counts.withLock { $0 }
    var values: [String: Int64] = [:]
    for event in Event.allCases { values[event.rawValue] = Int64(clamping: counts.events[event] ?? 0) }
    values["exceptions"] = Int64(clamping: counts.exceptions.values.reduce(0, +))
    return values
  }

  /// For /metrics.
  var series: [ProtocolCounter] {
    let counts = counts.withLock { $0 }
    func number(_ event: Event) -> UInt64 { counts.events[event] ?? 0 }
    var result = [
      ProtocolCounter("server_requests", "Requests of clients that were answered.", number(.requests)),
      ProtocolCounter("server_values_written", "Values that clients wrote and the twins took.", number(.valuesWritten)),
      ProtocolCounter("server_connections", "Connections of clients that were taken.", number(.connections)),
    ]
    result += [Event.notAllowed, .tooManyClients, .idle, .slow, .malformed].map { cause in
      ProtocolCounter(
        "server_connections_ended", "Connections of clients that the server refused or ended, by cause.",
        label: .init("cause", cause.rawValue), number(cause))
    }
    result += counts.exceptions.sorted { $0.key < $1.key }.map { code, count in
      ProtocolCounter(
        "server_exceptions", "Requests of clients that were answered by an exception, by code.",
        label: .init("code", "\(code)"), count)
    }
    return result
  }
}
