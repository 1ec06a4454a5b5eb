package import DeviceKit
package import Documents

/// How frames lie on a TCP connection.
public enum LinkFraming: String, Sendable, Hashable, CaseIterable {
  /// MBAP header with a transaction ID.
  case tcp = "TCP"
  /// Unit, data unit and CRC, as on a serial line: what serial-to-Ethernet converters pass through.
  case rtu = "RTU"
}

/// How gently a link is to be used. The devices of one link may ask for different things: the gentlest holds.
package struct LinkTiming: Sendable, Hashable {
  /// Requests that may wait for their answers at once; nil: nobody asked, which is 1. Only for MBAP framing.
  package var maxInFlight: Int?
  /// From the connection's being made to the first request.
  package var pauseAfterConnect: Duration
  /// From an answer, or a request's end without one, to the next request.
  package var pauseBetweenRequests: Duration
  /// The shortest period at which a device of the link is polled; nil: none is.
  package var shortestPeriod: Duration?

  package init(
    maxInFlight: Int? = nil, pauseAfterConnect: Duration = .zero, pauseBetweenRequests: Duration = .zero,
    shortestPeriod: Duration? = nil
  ) {
    self.shortestPeriod = shortestPeriod
    self.maxInFlight = maxInFlight
    self.pauseAfterConnect = pauseAfterConnect
    self.pauseBetweenRequests = pauseBetweenRequests
  }

  /// The gentler of both, field by field.
  package func joined(with other: LinkTiming) -> LinkTiming {
    LinkTiming(
      maxInFlight: [maxInFlight, other.maxInFlight].compactMap { $0 }.min(),
      pauseAfterConnect: max(pauseAfterConnect, other.pauseAfterConnect),
      pauseBetweenRequests: max(pauseBetweenRequests, other.pauseBetweenRequests),
      shortestPeriod: [shortestPeriod, other.shortestPeriod].compactMap { $0 }.min())
  }

  /// The longest wait between two attempts to connect: a period, so that a device that is back is read within two; at
  /// least 250 ms and at most 10 s.
  package var reconnectLimit: Duration {
    min(max(shortestPeriod ?? .seconds(10), .milliseconds(250)), .seconds(10))
  }
}

/// One request on its way through a link.
package struct LinkJob: Sendable {
  package var id: UInt64
  package var request: ModbusRequest
  package var unit: UInt8
  package var timeout: Duration
  /// Whether a connection that ended under the request has been replaced once for it already.
  package var isRetry = false
  /// Asked when a write is to be sent.
  package var fence: WriteFence?
  package init(id: UInt64, request: ModbusRequest, unit: UInt8, timeout: Duration, fence: WriteFence? = nil) {
    self.fence = request.isReadOnly ? nil : fence
    self.id = id
    self.request = request
    self.unit = unit
    self.timeout = timeout
  }
}

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
  /// own timeout have passed. A write that `fence` does not permit when its turn has come is not sent.
  func execute(_ request: ModbusRequest, unit: UInt8, timeout: Duration, fence: WriteFence?) async -> ModbusReply

  /// How the link is called in messages: `plc-1:502`, `/dev/ttyUSB0`.
  var name: String { get }

  /// When `unit` last answered anything, exceptions of a gateway excluded; nil if never.
  func lastAnswer(of unit: UInt8) -> Timestamp?

  /// Whether a unit other than `unit` has answered since `time`: whether waiting for `unit` is at somebody's cost.
  func servesOthers(than unit: UInt8, since time: Timestamp) -> Bool

  var limits: ReadPlanner.Limits { get }
  var counters: LinkCounters { get }

  /// How many requests of one device may be under way at once.
  var window: Int { get }

  /// Held while a register is read, changed and written back, so that no other session of the link writes between.
  var modification: AsyncLock { get }

  /// Where polling is best done: on the link's own event loop. Nil for a link that has none.
  var pollClock: LoopClock? { get }

  /// Makes the link at least as gentle as `timing`, for the rest of its life.
  func adapt(to timing: LinkTiming)
}

extension ModbusLink {
  /// Nanoseconds of the monotonic clock by which devices of the link are polled.
  var now: Int64 { pollClock?.now ?? PoolClock().now }

  package func execute(_ request: ModbusRequest, unit: UInt8, timeout: Duration) async -> ModbusReply {
    await execute(request, unit: unit, timeout: timeout, fence: nil)
  }
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
  package func hasOthers(than unit: UInt8, since time: Timestamp) -> Bool {
    times.contains { $0.key != unit && $0.value >= time }
  }
}
