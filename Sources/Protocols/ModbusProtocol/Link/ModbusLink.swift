package import Documents

/// An answer and the time at which its last byte arrived.
package struct ModbusReply: Sendable {
  package var result: Result<ModbusResponse, ModbusError>
  package var arrival: Timestamp
  package init(result: Result<ModbusResponse, ModbusError>, arrival: Timestamp) {
    self.result = result
    self.arrival = arrival
  }
}

/// A connection or serial line, shared by all units that are reached through it.
package protocol ModbusLink: Sendable {
  /// Sends one request and waits for its answer; always ends, at the latest when all requests queued before it and its
  /// own timeout have passed.
  func execute(_ request: ModbusRequest, unit: UInt8, timeout: Duration) async -> ModbusReply

  /// How the link is called in messages: `plc-1:502`, `/dev/ttyUSB0`.
  var name: String { get }

  /// When `unit` last answered anything, exceptions of a gateway excluded; nil if never.
  func lastAnswer(of unit: UInt8) -> Timestamp?

  var limits: ReadPlanner.Limits { get }
  var counters: LinkCounters { get }
}

/// When each unit of a link last answered.
package struct AnswerLog: Sendable {
  private var times: [UInt8: Timestamp] = [:]
  package init() {}
  package mutating func note(_ reply: ModbusReply, unit: UInt8) {
    switch reply.result {
    case .success: times[unit] = reply.arrival
    case .failure(let error): if error.provesLife { times[unit] = reply.arrival }
    }
  }
  package subscript(unit: UInt8) -> Timestamp? { times[unit] }
}
