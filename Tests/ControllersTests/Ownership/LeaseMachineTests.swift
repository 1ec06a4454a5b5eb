import Controllers
import Documents
import Testing

/// One gateway's machine against answers made by hand. The duration is 30 s: renewals every 10 s, a margin of 3 s.
@Suite struct LeaseMachineTests {
  private static let me = GatewayIdentity(gateway: "gw-1", run: "a")
  private static let own = LeaseKey.gateway("gw-1")
  private static let other = LeaseKey.gateway("gw-2")

  private static func record(_ holder: String, _ version: UInt64, transitions: Int64 = 0) -> LeaseRecord {
    LeaseRecord(holder: holder, duration: .seconds(30), transitions: transitions, version: version)
  }

  private static func looks(_ directives: [LeaseMachine.Directive]) -> [LeaseKey] {
    directives.compactMap { if case .look(let key) = $0 { key } else { nil } }
  }
  private static func writes(_ directives: [LeaseMachine.Directive]) -> [LeaseKey: LeaseRecord] {
    Dictionary(
      directives.compactMap { if case .write(let key, let record) = $0 { (key, record) } else { nil } },
      uniquingKeysWith: { $1 })
  }
  private static func until(_ directives: [LeaseMachine.Directive]) -> Duration? {
    directives.compactMap { if case .writes(let until) = $0 { until } else { nil } }.last
  }

  /// A machine that holds its own Lease since 100 s (sent at 100, answered at 101), of which `groups` are its own.
  private static func holding(_ groups: Set<String>, gateways: Set<String> = ["gw-1"]) -> LeaseMachine {
    var machine = LeaseMachine(identity: me, seed: 1)
    _ = machine.handle(.gateways(gateways), at: .seconds(100))
    _ = machine.handle(.answered(own, .record(nil)), at: .seconds(100))
    _ = machine.handle(.answered(own, .record(record(machine.identity.description, 1))), at: .seconds(101))
    _ = machine.handle(.follows(groups), at: .seconds(101))
    for group in groups.sorted() {
      _ = machine.handle(
        .told(group: group, record(machine.identity.description, 2), version: 2), at: .seconds(101))
    }
    // What is its own it takes down as its own before it serves it.
    var left = writes(machine.handle(.isComplete, at: .seconds(101)))
    while let (key, written) = left.popFirst() {
      guard key != own else { continue }
      left.merge(writes(machine.handle(.answered(key, .record(written)), at: .seconds(101)))) { $1 }
    }
    return machine
  }

  @Test func theTimeToWriteIsCountedFromBeforeTheRenewalWasSent() {
    var machine = LeaseMachine(identity: Self.me, seed: 1)
    #expect(Self.looks(machine.handle(.tick, at: .seconds(90))) == [Self.own])
    let directives = machine.handle(.answered(Self.own, .record(nil)), at: .seconds(100))
    let written = Self.writes(directives)[Self.own]
    #expect(written?.holder == machine.identity.description && written?.version == 0)
    let answered = machine.handle(
      .answered(Self.own, .record(Self.record(machine.identity.description, 1))), at: .seconds(106))
    #expect(Self.until(answered) == .seconds(127), "30 s from 100, less the margin of 3")
    #expect(machine.isHeld)
  }

  @Test func aRenewalThatFailsIsTriedAgainAndLengthensNothing() throws {
    var machine = Self.holding(["1"])
    var due: Duration?
    for second in 102...115 where due == nil {
      if !Self.writes(machine.handle(.tick, at: .seconds(second))).isEmpty { due = .seconds(second) }
    }
    let begun = try #require(due)
    #expect(begun >= .seconds(109) && begun <= .seconds(111))
    #expect(Self.until(machine.handle(.answered(Self.own, .failed), at: begun + .seconds(6))) == nil)
    let again = machine.handle(.tick, at: begun + .seconds(9))
    #expect(Self.writes(again)[Self.own] != nil)
    #expect(machine.end == .seconds(127))
    #expect(machine.served == ["1"], "what is cut off reads on")
  }

  @Test func whatWasTakenAwayIsServedNoLongerAndTheIdentityNeverComesBack() {
    var machine = Self.holding(["1"])
    let before = machine.identity
    _ = machine.handle(.tick, at: .seconds(112))
    #expect(Self.looks(machine.handle(.answered(Self.own, .conflict), at: .seconds(112))) == [Self.own])
    let found = machine.handle(.answered(Self.own, .record(Self.record("", 9, transitions: 1))), at: .seconds(113))
    #expect(Self.until(found) == .zero && machine.served == [] && machine.identity != before)
    #expect(Self.writes(found)[Self.own]?.holder == machine.identity.description)
  }

  @Test func aRenewalWhoseAnswerWasLostIsNoLoss() {
    var machine = Self.holding(["1"])
    let mine = machine.identity.description
    _ = machine.handle(.tick, at: .seconds(112))
    _ = machine.handle(.answered(Self.own, .conflict), at: .seconds(112))
    let found = machine.handle(.answered(Self.own, .record(Self.record(mine, 8))), at: .seconds(113))
    #expect(Self.writes(found)[Self.own]?.version == 8, "renewed from the version that is there")
    #expect(machine.served == ["1"] && machine.identity.description == mine)
  }

  @Test func anotherRunOfTheSameGatewayIsWaitedForTheWholeDuration() {
    var machine = LeaseMachine(identity: Self.me, seed: 1)
    var written: [Int: LeaseRecord] = [:]
    for second in 100...135 {
      Self.tick(&machine, second, finding: [Self.own: Self.record("gw-1_former", 4)]) { key, record in
        if key == Self.own, written.isEmpty { written[second] = record }
        return nil
      }
    }
    #expect(written.first.map { $0.key >= 130 && $0.value.version == 4 } ?? false, "\(written)")
  }

  @Test func aNeighboursLeaseIsTakenAwayAfterTheDurationSinceTheFirstSight() {
    var machine = LeaseMachine(identity: Self.me, seed: 1)
    var buried: [Int: LeaseRecord] = [:]
    var version: UInt64 = 100
    for second in 100...145 {
      let event: LeaseMachine.Event = second == 100 ? .gateways(["gw-1", "gw-2"]) : .tick
      Self.take(event, &machine, second, finding: [Self.other: Self.record("gw-2_b", 5)]) { key, record in
        guard key == Self.own else {
          buried[second] = record
          return nil
        }
        version += 1
        return Self.record(record.holder, version)
      }
    }
    let first = buried.min { $0.key < $1.key }
    #expect(first.map { $0.key >= 130 && $0.value.holder == "" && $0.value.version == 5 } ?? false, "\(buried)")
  }

  private static func tick(
    _ machine: inout LeaseMachine, _ second: Int, finding: [LeaseKey: LeaseRecord],
    _ store: (LeaseKey, LeaseRecord) -> LeaseRecord?
  ) { take(.tick, &machine, second, finding: finding, store) }

  /// An event; looks find what is said, or nothing, and writes are stored as `store` says or not answered.
  private static func take(
    _ event: LeaseMachine.Event, _ machine: inout LeaseMachine, _ second: Int, finding: [LeaseKey: LeaseRecord],
    _ store: (LeaseKey, LeaseRecord) -> LeaseRecord?
  ) {
    var left = machine.handle(event, at: .seconds(second))
    while !left.isEmpty {
      switch left.removeFirst() {
      case .look(let key):
        left += machine.handle(.answered(key, .record(finding[key])), at: .seconds(second))
      case .write(let key, let record):
        guard let stored = store(key, record) else { continue }
        left += machine.handle(.answered(key, .record(stored)), at: .seconds(second))
      case .serve, .writes, .identified, .drained: break
      }
    }
  }

  @Test func nothingChangesHandsOnceTheOwnLeaseMayHaveEnded() {
    var machine = Self.holding(["1"])
    _ = machine.handle(.tick, at: .seconds(112))
    let late = machine.handle(.follows(["1", "2"]), at: .seconds(128))
    #expect(Self.writes(late).isEmpty, "2 is free, and nobody knows whether this gateway still is one")
    #expect(machine.served == ["1"])
  }

  /// A request of the process before may still be under way, by which the group goes to another gateway.
  @Test func aRestartedGatewayServesAGroupOnceItHasWrittenItsLease() {
    var machine = LeaseMachine(identity: Self.me, seed: 1)
    let mine = machine.identity.description
    var former = Self.record(mine, 7)
    _ = machine.handle(.gateways(["gw-1", "gw-2"]), at: .seconds(100))
    _ = machine.handle(.follows(["1"]), at: .seconds(100))
    _ = machine.handle(.told(group: "1", former, version: 7), at: .seconds(100))
    _ = machine.handle(.isComplete, at: .seconds(100))
    _ = machine.handle(.answered(Self.own, .record(Self.record(mine, 5))), at: .seconds(100))
    let begun = machine.handle(.answered(Self.own, .record(Self.record(mine, 6))), at: .seconds(101))
    #expect(machine.isHeld && machine.served == [])
    #expect(Self.writes(begun)[.group("1")] == former, "the same once more, so that its version is another one")
    former.version = 8
    _ = machine.handle(.answered(.group("1"), .record(former)), at: .seconds(102))
    #expect(machine.served == ["1"])
    // Nor is it given back as long as the process before may have sent its device a write.
    for second in stride(from: 102, through: 126, by: 2) {
      #expect(Self.writes(machine.handle(.drain, at: .seconds(second))).isEmpty, "at \(second) s")
    }
    #expect(Self.writes(machine.handle(.tick, at: .seconds(128)))[.group("1")]?.holder == "")
  }

  @Test func drainingGivesGroupsBackAndThenTheOwnLease() {
    var machine = Self.holding(["1", "2"])
    let drain = machine.handle(.drain, at: .seconds(105))
    #expect(Self.until(drain) == .zero && machine.served == [])
    let released = Self.writes(drain)
    #expect(Set(released.keys) == [.group("1"), .group("2")] && released.values.allSatisfy { $0.holder.isEmpty })
    _ = machine.handle(.answered(.group("1"), .record(Self.record("", 10))), at: .seconds(105))
    let last = machine.handle(.answered(.group("2"), .record(Self.record("", 11))), at: .seconds(105))
    #expect(Self.writes(last)[Self.own]?.holder == "")
    let end = machine.handle(.answered(Self.own, .record(Self.record("", 12))), at: .seconds(106))
    #expect(end.contains(.drained))
  }

  @Test func aLeaseThatSomebodyRemovesIsLeftAloneForTheDuration() {
    var machine = Self.holding([], gateways: ["gw-1"])
    _ = machine.handle(.told(group: "9", Self.record("gw-2_b", 5), version: 5), at: .seconds(102))
    _ = machine.handle(.follows(["9"]), at: .seconds(102))
    let gone = machine.handle(.told(group: "9", nil, version: 6), at: .seconds(103))
    #expect(Self.writes(gone)[.group("9")] == nil)
  }

  @Test func aGroupWithoutADeviceInReachIsLeftToOthersForLongerEachTime() throws {
    var machine = Self.holding(["1"], gateways: ["gw-1", "gw-2"])
    var version: UInt64 = 100
    /// The group's holders as they are written, by the second; the neighbour renews its Lease every second.
    func writes(_ seconds: ClosedRange<Int>, _ event: LeaseMachine.Event = .tick) -> [(second: Int, holder: String)] {
      var found: [(second: Int, holder: String)] = []
      for second in seconds {
        let alive = [Self.other: Self.record("gw-2_b", UInt64(second))]
        Self.take(event, &machine, second, finding: alive) { key, record in
          if key == .group("1") { found.append((second, record.holder)) }
          version += 1
          return Self.record(record.holder, version)
        }
      }
      return found
    }
    #expect(writes(102...109).isEmpty && machine.served == ["1"])
    for (start, pause) in [(110, 60), (200, 120)] {
      #expect(writes(start...start, .unreachable(group: "1")).isEmpty, "first what is served there must end")
      #expect(machine.served == [])
      #expect(writes(start...start, .ended(group: "1")).map(\.holder) == [""])
      #expect(writes(start + 1...start + pause - 1).isEmpty)
      let taken = try #require(writes(start + pause...start + pause + 12).first, "nobody else took it")
      #expect(taken.holder == machine.identity.description && machine.served == ["1"])
    }
  }

  @Test func aGatewayAloneKeepsWhatItDoesNotReach() {
    var machine = Self.holding(["1"])
    #expect(Self.writes(machine.handle(.unreachable(group: "1"), at: .seconds(105))).isEmpty)
    #expect(machine.served == ["1"])
  }
}
