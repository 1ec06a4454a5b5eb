package import DeviceKit
package import Documents

/// What a device bears and lacks: its model's `modbus:` fragment, and over it what its connection says. Checked.
package struct DeviceTraits: Sendable, Hashable {
  package var timing = LinkTiming()
  /// How often a read without a usable answer is sent once more within a poll.
  package var retries = 0
  package var maxRegisters: Int?
  package var maxBits: Int?
  package var maxGap: Int?
  package var forbidden: [RegisterTable: [ClosedRange<Int>]] = [:]
  /// Function codes that the device does not serve.
  package var unsupported: Set<UInt8> = []

  /// Throws a permanent ``DeviceError`` `InvalidConnection` or `InvalidModel` that names the field.
  package init(model: JSONValue = [:], connection: JSONValue = [:]) throws(DeviceError) {
    try read(model, "InvalidModel", "modbus.")
    try read(connection, "InvalidConnection", "connection.modbus.")
  }

  /// `limits` with those of the device in their place.
  package func limits(over limits: ReadPlanner.Limits) -> ReadPlanner.Limits {
    var result = ReadPlanner.Limits(
      registersPerRead: maxRegisters ?? limits.registersPerRead, bitsPerRead: maxBits ?? limits.bitsPerRead,
      registerGap: maxGap ?? limits.registerGap, bitGap: maxGap.map { $0 * 16 } ?? limits.bitGap)
    result.forbidden = forbidden
    return result
  }

  private mutating func read(_ fragment: JSONValue, _ reason: String, _ prefix: String) throws(DeviceError) {
    func error(_ field: String, _ message: String) -> DeviceError {
      DeviceError(reason: reason, message: "\(prefix)\(field) \(message)", isPermanent: true)
    }
    func whole(_ field: String, _ range: ClosedRange<Int>) throws(DeviceError) -> Int? {
      guard let value = fragment[field] else { return nil }
      guard let number = value.int, range.contains(number) else {
        throw error(field, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    func pause(_ field: String) throws(DeviceError) -> Duration? {
      guard let value = fragment[field] else { return nil }
      guard let duration = value.string.flatMap({ Duration(manifest: $0) }), duration <= .seconds(60) else {
        throw error(field, "must be a duration of at most 60s such as 100ms")
      }
      return duration
    }
    timing.maxInFlight = try whole("maxInFlight", 1...16) ?? timing.maxInFlight
    timing.pauseAfterConnect = try pause("pauseAfterConnect") ?? timing.pauseAfterConnect
    timing.pauseBetweenRequests = try pause("pauseBetweenRequests") ?? timing.pauseBetweenRequests
    retries = try whole("retries", 0...5) ?? retries
    maxRegisters = try whole("maxRegisters", 1...125) ?? maxRegisters
    maxBits = try whole("maxBits", 1...2000) ?? maxBits
    maxGap = try whole("maxGap", 0...124) ?? maxGap
    for (index, entry) in (fragment["forbidden"]?.array ?? []).enumerated() {
      guard let table = entry["table"]?.string.flatMap(RegisterTable.init(rawValue:)), let from = entry["from"]?.int,
        let to = entry["to"]?.int, from >= 0, from <= to, to <= 65_535
      else { throw error("forbidden[\(index)]", "needs table, from and to, with from not above to") }
      forbidden[table, default: []].append(from...to)
    }
    for value in fragment["unsupportedFunctions"]?.array ?? [] {
      guard let code = value.int, [5, 6, 15, 16, 22, 23].contains(code) else {
        throw error("unsupportedFunctions", "takes 5, 6, 15, 16, 22 and 23")
      }
      unsupported.insert(UInt8(code))
    }
  }
}
