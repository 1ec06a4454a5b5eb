package import DeviceKit
package import Documents

/// What devices were seen to refuse to have read, and how long that holds. Pure: ``RefusalFile`` keeps it on disk.
///
/// What was learned of a device holds for as long as nothing changes on which it depends: ``Key/basis`` (where the
/// device is, and what is read of it) and, where both are known, its identity. After ``firstSpan`` it is forgotten, since it
/// may have been a passing fault; where the device then refuses the same again, it holds twice as long as before, up to
/// ``longestSpan``.
package struct RefusalBook: Sendable, Hashable {
  /// The device, and what its refusals depend on.
  package struct Key: Sendable, Hashable {
    package var device: DeviceKey
    /// A hash of the device's place and of the addresses that are read.
    package var basis: String
    /// Who the device is as far as discovery knows: maker, model, revision, serial number; empty: not known.
    package var identity: [String: String]
    package init(device: DeviceKey, basis: String, identity: [String: String] = [:]) {
      self.device = device
      self.basis = basis
      self.identity = identity
    }
  }
  struct Record: Hashable {
    var basis: String
    var identity: [String: String]
    var refusals: ReadRefusals
    var learned: Timestamp
    var span: Duration
    /// What was known before it was forgotten for a new try, and for how long it had held.
    var former: (refusals: ReadRefusals, span: Duration)?

    static func == (left: Self, right: Self) -> Bool {
      left.basis == right.basis && left.identity == right.identity && left.refusals == right.refusals
        && left.learned == right.learned && left.span == right.span
    }
    func hash(into hasher: inout Hasher) { hasher.combine(basis) }

    /// A clock that was set back by more than the span counts as passed.
    func isOver(at now: Timestamp) -> Bool { now - learned >= span || learned - now > span }
  }
  package static let firstSpan = Duration.seconds(3_600)
  package static let longestSpan = Duration.seconds(24 * 3_600)
  /// The most devices, and the most refusals of all of them together, that are kept: those learned last.
  package static let mostDevices = 4_096
  package static let mostRefusals = 32_768

  private(set) var records: [DeviceKey: Record] = [:]

  package init() {}

  /// What the device refuses as far as is known, and when that is to be forgotten; nil: nothing is known that still holds.
  /// What depended on something else is forgotten.
  package mutating func known(of key: Key, at now: Timestamp) -> (refusals: ReadRefusals, until: Timestamp)? {
    guard var record = records[key.device] else { return nil }
    guard record.basis == key.basis, Self.fit(record.identity, key.identity) else {
      records[key.device] = nil
      return nil
    }
    guard !record.isOver(at: now) else { return nil }
    if record.identity.isEmpty, !key.identity.isEmpty {
      record.identity = key.identity
      records[key.device] = record
    }
    return (record.refusals, record.learned + record.span)
  }

  /// Takes down all that the device is now known to refuse; when that is to be forgotten.
  package mutating func keep(_ refusals: ReadRefusals, of key: Key, at now: Timestamp) -> Timestamp {
    var record = Record(
      basis: key.basis, identity: key.identity, refusals: refusals, learned: now, span: Self.firstSpan)
    if let before = records[key.device], before.basis == key.basis, Self.fit(before.identity, key.identity) {
      if record.identity.isEmpty { record.identity = before.identity }
      record.former = before.isOver(at: now) ? (before.refusals, before.span) : before.former
      if let former = record.former, refusals.isSubset(of: former.refusals) {
        record.span = min(former.span * 2, Self.longestSpan)
      }
    }
    records[key.device] = record
    return now + record.span
  }

  private static func fit(_ left: [String: String], _ right: [String: String]) -> Bool {
    left.isEmpty || right.isEmpty || left == right
  }

  /// Leaves out what nobody has renewed for a day after its span, as of devices that are gone, and what is too much.
  package mutating func prune(at now: Timestamp) {
    records = records.filter { _, record in
      now - record.learned < record.span + Self.longestSpan && record.learned - now <= Self.longestSpan
    }
    var sum = 0
    let kept = records.sorted { $0.value.learned > $1.value.learned }.prefix(Self.mostDevices).prefix { _, record in
      sum += record.refusals.count
      return sum <= Self.mostRefusals
    }
    if kept.count < records.count { records = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) }) }
  }
}

extension RefusalBook {
  package var json: JSONValue {
    let devices = records.sorted { $0.key < $1.key }.map { device, record -> JSONValue in
      [
        "namespace": .string(device.namespace), "name": .string(device.name), "basis": .string(record.basis),
        "identity": .object(record.identity.mapValues { .string($0) }),
        "learned": .integer(record.learned.nanoseconds), "span": .integer(record.span.nanoseconds),
        "refusals": record.refusals.json,
      ]
    }
    return ["version": 1, "devices": .array(devices)]
  }

  /// Nil for what no version of this wrote; entries that are none are left out.
  package init?(_ json: JSONValue) {
    guard json["version"]?.int == 1, let devices = json["devices"]?.array else { return nil }
    for entry in devices.prefix(Self.mostDevices) {
      guard let namespace = entry["namespace"]?.string, let name = entry["name"]?.string,
        let basis = entry["basis"]?.string, let learned = entry["learned"]?.integer, let span = entry["span"]?.integer,
        let refusals = entry["refusals"].flatMap(ReadRefusals.init), span > 0
      else { continue }
      records[DeviceKey(namespace: namespace, name: name)] = Record(
        basis: basis, identity: (entry["identity"]?.object ?? [:]).compactMapValues(\.string), refusals: refusals,
        learned: Timestamp(nanoseconds: learned), span: min(.nanoseconds(span), Self.longestSpan))
    }
  }
}

extension ReadRefusals {
  func isSubset(of other: ReadRefusals) -> Bool {
    borders.isSubset(of: other.borders) && alone.isSubset(of: other.alone)
  }

  /// `[[table, border], [table, address, length]]`
  var json: JSONValue {
    .array(
      borders.map { [.string($0.table.rawValue), .integer(Int64($0.address))] }
        + alone.map { [.string($0.table.rawValue), .integer(Int64($0.address)), .integer(Int64($0.length))] })
  }

  init?(_ json: JSONValue) {
    self.init()
    for entry in json.array ?? [] {
      guard let parts = entry.array, let table = parts.first?.string.flatMap(RegisterTable.init(rawValue:)) else {
        return nil
      }
      let numbers = parts.dropFirst().compactMap(\.int)
      guard numbers.count == parts.count - 1, numbers.allSatisfy({ (0...65_535).contains($0) }) else { return nil }
      switch numbers.count {
      case 1: borders.insert(Border(table: table, address: numbers[0]))
      case 2: alone.insert(Place(table: table, address: numbers[0], length: numbers[1]))
      default: return nil
      }
    }
  }
}
