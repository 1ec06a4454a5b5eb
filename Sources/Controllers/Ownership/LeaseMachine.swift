internal import DeviceKit

/// Which groups of devices this gateway serves, and until when it may write, as a pure machine: events in, directives
/// out, no clock and no I/O. Times are spans since the machine's start (CLOCK_BOOTTIME).
///
/// A gateway renews one Lease, its own. A group's Lease names the gateway that serves it and is written only when it
/// changes hands, and by a process that goes on under a former one's identity, before it serves the group. Whoever wants the groups of a gateway that renews no more waits for the whole duration from *its own*
/// first sight of the last renewal, then takes that gateway's Lease away by a conditional write: from then on no
/// renewal of it can succeed, and the groups are free. The holder counts from the moment *before* it sent the last
/// renewal that succeeded, and stops ``LeaseTiming/margin`` earlier. So no two gateways may write at the same time,
/// whatever their wall clocks say, as long as their clocks' rates differ by less than the margin.
///
/// Every write is conditional on the version that it replaces. One request is under way for a Lease at a time.
public struct LeaseMachine: Sendable {
  public enum Event: Sendable {
    /// The groups that there are devices of.
    case follows(Set<String>)
    /// All gateways by name, this one among them or not.
    case gateways(Set<String>)
    /// A group's Lease as a watch tells it (nil: it is gone), and the version of that news.
    case told(group: String, LeaseRecord?, version: UInt64)
    /// All Leases of groups that there are have been told.
    case isComplete
    case answered(LeaseKey, Answer)
    /// Nothing of a group that was handed over is served any more.
    case ended(group: String)
    /// No device of the group can be reached from here.
    case unreachable(group: String)
    /// The gateway stops, and serves nothing any more.
    case drain
    /// Time has passed.
    case tick
  }

  public enum Answer: Sendable {
    /// What a look has found, or a write has stored; nil: there is no such Lease.
    case record(LeaseRecord?)
    /// The Lease is no longer at the version that was to be replaced.
    case conflict
    /// It is not known whether the write was made.
    case failed
  }

  public enum Directive: Sendable, Hashable {
    case look(LeaseKey)
    /// Replace the version that the record names; 0: make the Lease.
    case write(LeaseKey, LeaseRecord)
    /// From now on these groups are this gateway's, and no others.
    case serve(Set<String>)
    /// Writes must be over by then; a time that has passed forbids them.
    case writes(until: Duration)
    /// The identity from now on, to be kept for a restart.
    case identified(GatewayIdentity)
    /// All is handed over.
    case drained
  }

  struct Flight {
    var begun: Duration
    /// Nil: a look.
    var record: LeaseRecord?
  }
  /// What is known of a gateway's own Lease.
  struct Sight {
    var record: LeaseRecord?
    /// When this version was first seen.
    var since: Duration
    /// When the last request that showed it was begun.
    var asked: Duration
  }

  /// How many neighbours a gateway looks after.
  static let neighbourCount = 2
  static let longestWalk = 16
  /// Groups that are being written at once, and that are asked for or handed over at once.
  static let requestLimit = 16
  static let moveLimit = 8

  let timing: LeaseTiming
  var jitter: SplitMix64
  var now = Duration.zero
  var directives: [Directive] = []
  var busy: [LeaseKey: Flight] = [:]

  public internal(set) var identity: GatewayIdentity
  /// Whether the identity may be that of an earlier process, which is known to be over.
  var isInherited = true
  /// Until when a write of the process before, whose identity this one has, may be under way.
  var formerWritesEnd = Duration.zero
  /// Nil: not looked at yet.
  var own: Sight?
  var ownDue = Duration.zero
  /// Whether the gateway's own Lease is this identity's, as far as is known.
  public internal(set) var isHeld = false
  /// The end of the time to write, while ``isHeld``.
  public internal(set) var end = Duration.zero

  var follows: Set<String> = []
  var isComplete = false
  var records: [String: LeaseRecord] = [:]
  var versions: [String: UInt64] = [:]
  /// Since when each group's holder is known.
  var seen: [String: (holder: String, at: Duration)] = [:]
  /// When a Lease that had been there was found gone.
  var gone: [String: Duration] = [:]
  var free: [String: (since: Duration, rank: Int)] = [:]
  /// Groups that are this gateway's and are served no more, each with who is to have it next; empty: whoever comes.
  var handingOver: [String: String] = [:]
  var hasEnded: Set<String> = []
  /// When a Lease whose last write failed may be written again.
  var retryDue: [LeaseKey: Duration] = [:]
  /// Groups that cannot be reached from here: until when they are left to others, and the pause after that.
  var abstained: [String: (until: Duration, pause: Duration)] = [:]
  public internal(set) var served: Set<String> = []
  /// Groups whose Lease this very process has written for itself. A request that an earlier process with this identity
  /// has sent to give the group away may still be under way; after such a write it is refused.
  var written: Set<String> = []

  /// All groups, sorted.
  var order: [String]?
  var gateways: Set<String> = []
  /// Gateways that may serve, this one among them.
  var candidateCount = 1
  var ring: [String]?
  var sights: [String: Sight] = [:]
  var lookDue: [String: Duration] = [:]
  var balanceDue: Duration?
  var isDraining = false
  var isDrained = false

  /// - Parameters:
  ///   - identity: another one than any run before had, unless that run is known to be over.
  ///   - seed: for the moments of renewals.
  public init(identity: GatewayIdentity, timing: LeaseTiming = LeaseTiming(), seed: UInt64) {
    self.identity = identity
    self.timing = timing
    jitter = SplitMix64(seed: seed)
  }

  var name: String { identity.gateway }
  var ownKey: LeaseKey { .gateway(identity.gateway) }
  /// Whether the own Lease runs for sure: only then does anything change hands.
  var isFirm: Bool { isHeld && now < end }

  public mutating func handle(_ event: Event, at time: Duration) -> [Directive] {
    now = max(now, time)
    directives = []
    take(event)
    advanceOwn()
    if isHeld, !isDraining { advanceNeighbours() }
    advanceGroups()
    tellServed()
    return directives
  }

  private mutating func take(_ event: Event) {
    switch event {
    case .follows(let groups):
      follows = groups
      order = nil
    case .gateways(let names):
      gateways = names
      ring = nil
    case .told(let group, let record, let version): note(group, record, version: version)
    case .isComplete: isComplete = true
    case .answered(let key, let answer):
      guard let flight = busy.removeValue(forKey: key) else { return }
      switch key {
      case ownKey: answeredOwn(flight, answer)
      case .gateway(let name): answered(name, flight, answer)
      case .group(let group): answeredGroup(group, flight, answer)
      }
    case .ended(let group): if handingOver[group] != nil { hasEnded.insert(group) }
    case .unreachable(let group): abstain(from: group)
    case .drain:
      isDraining = true
      directives.append(.writes(until: .zero))
    case .tick: break
    }
  }

  mutating func look(_ key: LeaseKey) {
    busy[key] = Flight(begun: now, record: nil)
    directives.append(.look(key))
  }

  mutating func write(_ key: LeaseKey, _ record: LeaseRecord) {
    busy[key] = Flight(begun: now, record: record)
    directives.append(.write(key, record))
  }

  private mutating func tellServed() {
    var mine: Set<String> = []
    if isHeld, !isDraining {
      let holder = identity.description
      mine = follows.filter { written.contains($0) && records[$0]?.holder == holder && handingOver[$0] == nil }
    }
    guard mine != served else { return }
    served = mine
    directives.append(.serve(mine))
  }

  // MARK: The gateway's own Lease

  private mutating func advanceOwn() {
    guard busy[ownKey] == nil, now >= ownDue else { return }
    if isDraining { return }
    guard let own else { return look(ownKey) }
    var record = own.record ?? LeaseRecord(holder: "", duration: timing.duration)
    let mine = identity.description
    if !isHeld, !record.holder.isEmpty, record.holder != mine, !isFormer(record.holder),
      now - own.since < record.duration
    {
      // Another run of this gateway may still be at work.
      ownDue = now + timing.retryAfter
      return look(ownKey)
    }
    record = record.passed(to: mine, for: timing.duration)
    write(ownKey, record)
  }

  /// Whether this very run had that identity before.
  private func isFormer(_ holder: String) -> Bool {
    func origin(_ text: some StringProtocol) -> Substring? { text.split(separator: ".").first.map { Substring($0) } }
    return GatewayIdentity.gateway(of: holder) == name
      && origin(holder.dropFirst(name.count + 1)) == origin(identity.run)
  }

  private mutating func answeredOwn(_ flight: Flight, _ answer: Answer) {
    switch answer {
    case .failed: ownDue = now + jitter.near(timing.retryAfter)
    case .conflict:
      ownDue = now
      look(ownKey)
    case .record(let record):
      if flight.record == nil {
        found(record)
      } else if let record {
        own = Sight(record: record, since: now, asked: flight.begun)
        guard record.holder == identity.description else { return }
        isHeld = true
        isInherited = false
        end = flight.begun + timing.duration - timing.margin
        ownDue = flight.begun + jitter.near(timing.renewEvery)
        directives.append(.writes(until: isDraining ? .zero : end))
      }
    }
  }

  private mutating func found(_ record: LeaseRecord?) {
    if own == nil || own?.record?.version != record?.version {
      own = Sight(record: record, since: now, asked: now)
    }
    guard isHeld else {
      // What is there under this identity is the same run's, before a restart. Where it is no more, it was taken away,
      // and its groups may be others': it must never come back.
      guard isInherited else { return }
      if record?.holder == identity.description {
        formerWritesEnd = now + timing.duration - timing.margin
      } else {
        renew()
      }
      return
    }
    guard record?.holder != identity.description else { return }
    // Somebody has waited in vain for a renewal, and what was held may be others'.
    isHeld = false
    end = .zero
    directives.append(.writes(until: .zero))
    renew()
  }

  private mutating func renew() {
    // An inherited one may have had successors that its file does not know of.
    identity =
      isInherited ? GatewayIdentity(gateway: name, run: String(jitter.next(), radix: 16)) : identity.next()
    isInherited = false
    directives.append(.identified(identity))
    handingOver = [:]
    hasEnded = []
    written = []
  }
}

extension SplitMix64 {
  /// A tenth more or less.
  mutating func near(_ span: Duration) -> Duration { span * Double.random(in: 0.9...1.1, using: &self) }
}
