/// Replies that a line without transaction IDs may still deliver for requests that were given up, unit by unit.
///
/// A unit answers in the order in which it was asked. Hence a reply that can only be the present request's settles all
/// earlier ones; and a request whose reply would look like an owed one must not be sent before that: a probe goes
/// first, a read of another size, whose reply looks different. What is owed is forgotten when `until` is past.
package struct OwedReplies: Sendable, Hashable {
  private struct Owed: Hashable {
    var request: ModbusRequest
    var until: Int64
  }
  private var owed: [UInt8: [Owed]] = [:]
  /// Of one unit; older ones are forgotten, so that a unit that never answers costs no memory.
  package static let limit = 8

  package init() {}

  /// `request` was given up; its reply may come until `until`, in nanoseconds of a monotonic clock.
  package mutating func giveUp(_ request: ModbusRequest, unit: UInt8, until: Int64) {
    var list = owed[unit] ?? []
    if list.count == Self.limit { list.removeFirst() }
    list.append(Owed(request: request, until: until))
    owed[unit] = list
  }

  /// What has to be asked before `request`; nil where its reply cannot be taken for an owed one.
  package mutating func probe(before request: ModbusRequest, unit: UInt8, at now: Int64) -> ModbusRequest? {
    guard var list = owed[unit] else { return nil }
    list.removeAll { $0.until <= now }
    owed[unit] = list.isEmpty ? nil : list
    func isConfusing(_ request: ModbusRequest) -> Bool { list.contains { $0.request.resembles(request) } }
    guard isConfusing(request) else { return nil }
    return request.variants.first { !isConfusing($0) }
  }

  /// The unit has answered `request`, regularly or with an exception.
  package mutating func answered(_ request: ModbusRequest, unit: UInt8, isException: Bool, until: Int64) {
    guard var list = owed[unit] else { return }
    let former = list.firstIndex { $0.request.functionCode == request.functionCode }
    guard isException, let former else {
      owed[unit] = nil
      return
    }
    // The exception may be the owed reply: then that of `request` is still to come.
    list.removeSubrange(...former)
    list.append(Owed(request: request, until: until))
    owed[unit] = list
  }
}

extension ModbusRequest {
  /// Whether a regular reply to `other` would pass for a reply to this request. Writes are told by what they echo.
  fileprivate func resembles(_ other: ModbusRequest) -> Bool {
    guard functionCode == other.functionCode else { return false }
    switch (self, other) {
    case (.read(_, _, let count), .read(let table, _, let others)):
      return table.holdsBits ? (count + 7) / 8 == (others + 7) / 8 : count == others
    case (.readWriteRegisters(_, let count, _, _), .readWriteRegisters(_, let others, _, _)): return count == others
    case (.reportServerID, _), (.readDeviceIdentification, _): return true
    default: return false
    }
  }

  /// Reads of the same place in other sizes, nearest first: their replies have other lengths.
  fileprivate var variants: [ModbusRequest] {
    guard case .read(let table, let address, let count) = self else {
      return (1...OwedReplies.limit + 1).map { ModbusRequest.read(.holding, address: 0, count: UInt16($0)) }
    }
    let step = table.holdsBits ? 8 : 1
    let most = min(table.maximumReadCount, 65_536 - Int(address))
    var variants: [ModbusRequest] = []
    for distance in 1...OwedReplies.limit + 1 {
      for other in [Int(count) - distance * step, Int(count) + distance * step] where (1...most).contains(other) {
        variants.append(.read(table, address: address, count: UInt16(other)))
      }
    }
    return variants
  }
}
