package import Documents
package import Resources

/// The twins of many gateways as one collection, with versions of its own: one log, in the order in which changes were
/// heard. Pure: times are told.
///
/// Of two gateways that have a twin of one name the one that serves the device is shown (``elect(_:)``). What a gateway
/// said last stays while it is away.
package struct MergedTwins: Sendable {
  package struct Bounds: Sendable, Hashable {
    /// Gateways that are asked; of further ones nothing is known but that they are there.
    package var gateways = 1_024
    /// What all twins may take, as JSON text.
    package var bytes = 64 << 20
    /// Changes that a watch can go on from.
    package var log = 8_192
    package init() {}
  }

  /// How it stands with a gateway.
  package enum State: Sendable, Hashable {
    /// Its Gateway object names no address to ask it at.
    case withoutAddress
    /// There were as many as the bound allows before it.
    case beyondBound
    /// Not reached, since then.
    case away(Timestamp)
    case live
  }

  /// A twin as one gateway has it.
  struct Held: Sendable {
    var text: [UInt8]
    var labels: [String: String]
    var uid: String
    /// The gateway's own.
    var version: UInt64
    var isServed: Bool
    var isConnected: Bool
  }

  struct Source: Sendable {
    var state: State
    var twins: [ObjectKey: Held] = [:]
    /// Twins that there was no room for.
    var omitted: Set<ObjectKey> = []
  }

  /// What is shown under a name.
  struct Shown: Sendable, Hashable {
    var gateway: String
    /// The gateway's own version of it.
    var origin: UInt64
    var uid: String
    var labels: [String: String]
    /// Since when the gateway is away.
    var staleSince: Timestamp?
    var version: UInt64
    var createdVersion: UInt64
  }

  /// One entry of the log. What is shown is read when the entry's turn comes: one that a later entry has overtaken says
  /// nothing.
  struct Change: Sendable {
    var version: UInt64
    var key: ObjectKey
    /// Of a twin that is gone.
    var removed: Removal?
    let renderings = SharedRenderings()
  }

  struct Removal: Sendable {
    var uid: String
    var labels: [String: String]
    var createdVersion: UInt64
  }

  let bounds: Bounds
  package private(set) var version: UInt64
  /// The oldest version that a watch can go on from.
  package private(set) var oldest: UInt64
  private(set) var sources: [String: Source] = [:]
  private(set) var shown: [ObjectKey: Shown] = [:]
  private(set) var bytes = 0
  /// Twins that came and were not kept, since there was no room.
  package private(set) var refused: UInt64 = 0
  private var holders: [ObjectKey: [String]] = [:]
  private var log: [Change] = []

  /// Versions begin at the wall clock, so that those of a later run are greater than those of an earlier one, which
  /// nobody can go on from: 65,536 to the millisecond.
  package init(startingAt now: Timestamp, bounds: Bounds = Bounds()) {
    self.bounds = bounds
    version = UInt64(clamping: now.nanoseconds / 1_000_000) << 16
    oldest = version
  }

  // MARK: What gateways say

  /// A gateway is there, or stands otherwise than before. One beyond the bound is noted as such.
  package mutating func set(_ gateway: String, _ state: State) {
    var state = state
    if sources[gateway] == nil || sources[gateway]?.state == .beyondBound {
      let count = sources.count { $0.key != gateway && $0.value.state != .beyondBound }
      if count >= bounds.gateways { state = .beyondBound }
    }
    // Away since it was first missed.
    if case .away = state, case .away? = sources[gateway]?.state { return }
    guard sources[gateway]?.state != state else { return }
    sources[gateway, default: Source(state: state)].state = state
    for key in (sources[gateway]?.twins ?? [:]).keys.sorted() { settle(key) }
  }

  /// The gateway is no more, and with it what it alone had.
  package mutating func drop(_ gateway: String) {
    guard let source = sources.removeValue(forKey: gateway) else { return }
    for (key, held) in source.twins.sorted(by: { $0.key < $1.key }) {
      bytes -= held.text.count
      holders[key]?.removeAll { $0 == gateway }
      settle(key)
    }
  }

  /// A gateway shows a twin. What is older than what it said before does not count, unless it is read whole anew.
  /// - Parameter isWhole: whether it is part of a list that replaces what was known.
  package mutating func put(_ twin: JSONValue, from gateway: String, isWhole: Bool = false) {
    let metadata = twin.metadata
    let key = twin.objectKey
    guard let source = sources[gateway], let version = UInt64(metadata.resourceVersion) else { return }
    let before = source.twins[key]
    if let before, !isWhole, before.version >= version, before.uid == metadata.uid { return }
    let text = twin.serialised()
    guard bytes + text.count - (before?.text.count ?? 0) <= bounds.bytes else {
      refused += 1
      remove(key, from: gateway)
      sources[gateway]?.omitted.insert(key)
      return
    }
    bytes += text.count - (before?.text.count ?? 0)
    sources[gateway]?.omitted.remove(key)
    sources[gateway]?.twins[key] = Held(
      text: text, labels: metadata.labels, uid: metadata.uid, version: version,
      isServed: twin[path: "status", "served"]?.bool ?? false,
      isConnected: twin[path: "status", "connected"]?.bool ?? false)
    if before == nil { holders[key, default: []].append(gateway) }
    settle(key)
  }

  package mutating func remove(_ key: ObjectKey, from gateway: String) {
    sources[gateway]?.omitted.remove(key)
    guard let held = sources[gateway]?.twins.removeValue(forKey: key) else { return }
    bytes -= held.text.count
    holders[key]?.removeAll { $0 == gateway }
    settle(key)
  }

  /// Which twins the gateway has, as far as is known.
  package func keys(of gateway: String) -> Set<ObjectKey> {
    guard let source = sources[gateway] else { return [] }
    return Set(source.twins.keys).union(source.omitted)
  }

  // MARK: What is shown

  /// The gateway whose twin is shown: one that serves the device, be it away, since of the others none has read it; of
  /// these one that is there, then one that is connected to the device, then the one that was shown before.
  private func elect(_ key: ObjectKey) -> String? {
    func rank(_ gateway: String) -> Int {
      guard let source = sources[gateway], let held = source.twins[key] else { return -1 }
      return (held.isServed ? 8 : 0) + (source.state == .live ? 4 : 0) + (held.isConnected ? 2 : 0)
        + (shown[key]?.gateway == gateway ? 1 : 0)
    }
    return holders[key]?.map { (rank: rank($0), name: $0) }
      .min { ($1.rank, $0.name) < ($0.rank, $1.name) }?.name
  }

  private mutating func settle(_ key: ObjectKey) {
    if holders[key]?.isEmpty ?? false { holders[key] = nil }
    let before = shown[key]
    guard let gateway = elect(key), let source = sources[gateway], let held = source.twins[key] else {
      if let before { remove(before, key) }
      return
    }
    var staleSince: Timestamp?
    if case .away(let since) = source.state { staleSince = since }
    var next = Shown(
      gateway: gateway, origin: held.version, uid: held.uid, labels: held.labels, staleSince: staleSince,
      version: before?.version ?? 0, createdVersion: before?.createdVersion ?? 0)
    guard next != before else { return }
    if let before, before.uid != next.uid { remove(before, key) }
    next.version = append(key, nil)
    if before?.uid != next.uid { next.createdVersion = next.version }
    shown[key] = next
  }

  private mutating func remove(_ before: Shown, _ key: ObjectKey) {
    shown[key] = nil
    append(key, Removal(uid: before.uid, labels: before.labels, createdVersion: before.createdVersion))
  }

  @discardableResult
  private mutating func append(_ key: ObjectKey, _ removed: Removal?) -> UInt64 {
    version += 1
    log.append(Change(version: version, key: key, removed: removed))
    if log.count > bounds.log + bounds.log / 4 {
      let surplus = log.count - bounds.log
      oldest = log[surplus - 1].version
      log.removeFirst(surplus)
    }
    return version
  }

  /// What came after a version, in order; nil where that cannot be told any more, or never came to be.
  func changes(after version: UInt64) -> ArraySlice<Change>? {
    guard version >= oldest, version <= self.version else { return nil }
    var (low, high) = (0, log.count)
    while low < high {
      let middle = (low + high) / 2
      if log[middle].version <= version { low = middle + 1 } else { high = middle }
    }
    return log[low...]
  }
}
