public import Documents

/// How a sample's 64-bit payload is to be read.
public enum SampleKind: UInt8, Sendable, Hashable, BitwiseCopyable {
  /// No value: the quality says why.
  case none
  case boolean
  /// `Int64` bit pattern.
  case integer
  /// `UInt64`, above `Int64.max`.
  case unsigned
  /// `Double` bit pattern.
  case number
  /// Index into ``SampleBatch/sideValues``: a string, object or array.
  case side
}

/// Samples in columns, all of one length: what crosses asynchronous boundaries instead of single samples.
///
/// Samples of one point stand in the order in which they were read.
public struct SampleBatch: Sendable {
  public private(set) var points: [PointID] = []
  /// Nanoseconds since 1970, as the source has it.
  public private(set) var sourceTimes: [Int64] = []
  /// Nanoseconds since 1970, arrival at the gateway.
  public private(set) var gatewayTimes: [Int64] = []
  public private(set) var kinds: [SampleKind] = []
  public private(set) var payloads: [UInt64] = []
  public private(set) var qualities: [Quality] = []
  /// Strings, objects and arrays, by index from `payloads`.
  public private(set) var sideValues: [Value] = []
  /// Why a sample's quality is not Good, by sample index; absent where nothing is said.
  public private(set) var causes: [Int: String] = [:]

  public init() {}

  public var count: Int { points.count }
  public var isEmpty: Bool { points.isEmpty }

  public mutating func reserveCapacity(_ count: Int) {
    points.reserveCapacity(count)
    sourceTimes.reserveCapacity(count)
    gatewayTimes.reserveCapacity(count)
    kinds.reserveCapacity(count)
    payloads.reserveCapacity(count)
    qualities.reserveCapacity(count)
  }

  public mutating func removeAll(keepingCapacity: Bool = true) {
    points.removeAll(keepingCapacity: keepingCapacity)
    sourceTimes.removeAll(keepingCapacity: keepingCapacity)
    gatewayTimes.removeAll(keepingCapacity: keepingCapacity)
    kinds.removeAll(keepingCapacity: keepingCapacity)
    payloads.removeAll(keepingCapacity: keepingCapacity)
    qualities.removeAll(keepingCapacity: keepingCapacity)
    sideValues.removeAll(keepingCapacity: keepingCapacity)
    causes.removeAll(keepingCapacity: keepingCapacity)
  }

  /// Appends one sample. A number that is not finite becomes a sample without a value and of quality Bad.
  @inlinable
  public mutating func append(_ point: PointID, _ reading: Reading) {
    append(
      point, reading.value, quality: reading.quality, sourceTime: reading.sourceTime.nanoseconds,
      gatewayTime: reading.gatewayTime.nanoseconds, cause: reading.cause)
  }

  /// Appends one sample; times in nanoseconds since 1970.
  public mutating func append(
    _ point: PointID, _ value: Value?, quality: Quality, sourceTime: Int64, gatewayTime: Int64, cause: String = ""
  ) {
    var kind = SampleKind.none
    var payload: UInt64 = 0
    var quality = quality
    var cause = cause
    switch value {
    case nil: break
    case .boolean(let value): (kind, payload) = (.boolean, value ? 1 : 0)
    case .integer(let value): (kind, payload) = (.integer, UInt64(bitPattern: value))
    case .unsigned(let value): (kind, payload) = (.unsigned, value)
    case .number(let value) where value.isFinite: (kind, payload) = (.number, value.bitPattern)
    case .number:
      quality = .bad
      if cause.isEmpty { cause = "not a finite number" }
    case .string?, .object?:
      (kind, payload) = (.side, UInt64(sideValues.count))
      if let value { sideValues.append(value) }
    }
    if !cause.isEmpty { causes[points.count] = cause }
    append(point, kind: kind, payload: payload, quality: quality, sourceTime: sourceTime, gatewayTime: gatewayTime)
  }

  /// Appends one sample whose payload is already encoded; `kind` is not `.side`. The hot path of drivers.
  @inlinable
  public mutating func append(
    _ point: PointID, kind: SampleKind, payload: UInt64, quality: Quality, sourceTime: Int64, gatewayTime: Int64
  ) {
    appendColumns(point, kind, payload, quality, sourceTime, gatewayTime)
  }

  /// Appends one sample for each of `points`, with the kinds and encoded payloads of the same length beside them, all of
  /// one quality and time. No kind is `.side`. The hot path of drivers that read blocks.
  public mutating func append(
    points: [PointID], kinds: [SampleKind], payloads: [UInt64], quality: Quality, time: Int64
  ) {
    precondition(points.count == kinds.count && points.count == payloads.count)
    if isEmpty, self.points.capacity < points.count {
      // Shared and not copied.
      self.points = points
      self.kinds = kinds
      self.payloads = payloads
    } else {
      self.points.append(contentsOf: points)
      self.kinds.append(contentsOf: kinds)
      self.payloads.append(contentsOf: payloads)
    }
    qualities.append(contentsOf: repeatElement(quality, count: points.count))
    sourceTimes.append(contentsOf: repeatElement(time, count: points.count))
    gatewayTimes.append(contentsOf: repeatElement(time, count: points.count))
  }

  @usableFromInline
  mutating func appendColumns(
    _ point: PointID, _ kind: SampleKind, _ payload: UInt64, _ quality: Quality, _ sourceTime: Int64,
    _ gatewayTime: Int64
  ) {
    points.append(point)
    kinds.append(kind)
    payloads.append(payload)
    qualities.append(quality)
    sourceTimes.append(sourceTime)
    gatewayTimes.append(gatewayTime)
  }

  /// Puts other arrival times in their place; a sample that has no other time than that of its arrival goes along.
  package mutating func moveGatewayTimes(_ moved: (Int64) -> Int64) {
    for index in gatewayTimes.indices {
      let (time, next) = (gatewayTimes[index], moved(gatewayTimes[index]))
      guard next != time else { continue }
      gatewayTimes[index] = next
      if sourceTimes[index] == time { sourceTimes[index] = next }
    }
  }

  /// The value of the sample at `index`; nil where it has none.
  public func value(at index: Int) -> Value? {
    switch kinds[index] {
    case .none: nil
    case .boolean: .boolean(payloads[index] != 0)
    case .integer: .integer(Int64(bitPattern: payloads[index]))
    case .unsigned: .unsigned(payloads[index])
    case .number: .number(Double(bitPattern: payloads[index]))
    case .side: sideValues[Int(payloads[index])]
    }
  }

  /// The sample at `index` as a reading.
  public func reading(at index: Int) -> Reading {
    Reading(
      value(at: index), quality: qualities[index], sourceTime: Timestamp(nanoseconds: sourceTimes[index]),
      gatewayTime: Timestamp(nanoseconds: gatewayTimes[index]), cause: causes[index] ?? "")
  }
}
