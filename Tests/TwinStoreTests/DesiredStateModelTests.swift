import DeviceKit
import Documents
import Testing
import TwinStore

/// One property of one device, with a plant around it that misbehaves as a seed says. Checks, at every step, what must
/// always hold.
struct Plant {
  enum Step: CustomStringConvertible {
    case wish(Int), clear, forbid, overwrite(Int), report, connect, disconnect, answer(fails: Bool), wait(Int)
    case restart, hold, release, interrupt
    var description: String {
      switch self {
      case .wish(let value): "wish \(value)"
      case .clear: "clear"
      case .forbid: "forbid"
      case .overwrite(let value): "overwrite \(value)"
      case .report: "report"
      case .connect: "connect"
      case .disconnect: "disconnect"
      case .answer(let fails): fails ? "answer with a failure" : "answer"
      case .wait(let seconds): "wait \(seconds) s"
      case .restart: "restart"
      case .hold: "hold"
      case .release: "release"
      case .interrupt: "interrupt"
      }
    }
  }

  var machine = DesiredState()
  var now = Timestamp(seconds: 1_000_000)
  var rules: WriteRules
  var hold: DesiredState.WriteHold?
  /// What the device holds.
  var register = 0
  var isConnected = false
  /// Asked for and not answered.
  var pending: DesiredState.Directive?
  var wish: Int?
  var wishIsForbidden = false
  var wishTime = Timestamp(seconds: 0)
  /// Whether the device was read, and found different, since the wish or the connection began.
  var wasSeenDifferent = false
  /// What `onReconnect` allows, told anew from the rule's own words.
  var mayApply = true
  var wasConfirmed = false
  var hasMet = false
  var writes = 0
  var rewrites: [Timestamp] = []
  var faults: [String] = []

  init(using generator: inout SplitMix64) {
    rules = WriteRules(
      confirmWithin: .seconds(2), retries: Int.random(in: 1...3, using: &generator),
      onReconnect: WriteRules.OnReconnect.allCases.randomElement(using: &generator)!,
      onDrift: Bool.random(using: &generator) ? .reapply : .hold,
      expireAfter: Int.random(in: 0..<4, using: &generator) == 0 ? .seconds(120) : nil)
    send(.served(.init(rules: rules, hold: hold), nil))
  }

  var verdict: Result<Value, DesiredRejection>? {
    guard let wish else { return nil }
    return wishIsForbidden
      ? .failure(.init(reason: "OutOfBounds", message: "no")) : .success(.integer(Int64(wish)))
  }

  mutating func send(_ event: DesiredState.Event) {
    let phaseBefore = machine.phase
    for directive in machine.handle(event, now: now) {
      switch directive {
      case .read: pending = directive
      case .write(_, let value):
        pending = directive
        writes += 1
        check(isConnected, "writes without a link")
        check(hold == nil, "writes although writes are held")
        check(wish.map { value == .integer(Int64($0)) } ?? false, "writes what nobody wishes")
        check(!wishIsForbidden, "writes what is forbidden")
        check(wasSeenDifferent, "writes without having read")
        check(mayApply, "writes against onReconnect")
        check(rules.expireAfter.map { now < wishTime + $0 } ?? true, "writes what has expired")
        check(phaseBefore != .held && phaseBefore != .rejected && phaseBefore != .expired, "writes what was given up")
      case .transition(let transition):
        check(transition.from != transition.to || transition.to != nil, "a transition from nothing to nothing")
      case .wakeAt(let time): check(time == machine.nextWake, "a wake-up that is not the next one")
      }
    }
    check((machine.phase == nil) == (wish == nil), "a state without a wish or a wish without a state")
    if machine.phase == .confirmed, phaseBefore != .confirmed {
      mayApply = true
      wasConfirmed = true
      check(register == wish, "Confirmed although the device holds \(register)")
    }
    if let ticket = machine.awaitedTicket {
      let asked: DesiredState.Ticket? =
        switch pending {
        case .read(let asked)?, .write(let asked, _)?: asked
        default: nil
        }
      check(asked == ticket, "waits for what was not asked")
    }
    check(!wishIsForbidden || wish == nil || machine.phase == .rejected, "a forbidden wish is not Rejected")
  }

  mutating func check(_ holds: Bool, _ fault: String) { if !holds { faults.append(fault) } }

  mutating func take(_ step: Step) {
    now = now + .milliseconds(10)
    switch step {
    case .wish(let value):
      wish = value
      wishIsForbidden = false
      wishTime = now
      wasSeenDifferent = false
      mayApply = true
      wasConfirmed = false
      send(.desired(DesiredWish(value: .integer(Int64(value)), source: .spec, time: now), verdict))
    case .forbid:
      wish = 99
      wishIsForbidden = true
      wishTime = now
      send(.desired(DesiredWish(value: 99, source: .spec, time: now), verdict))
    case .clear:
      wish = nil
      wishIsForbidden = false
      send(.cleared)
    case .overwrite(let value): register = value
    case .report:
      if isConnected {
        noteMatch()
        send(.reported(reading))
      }
    case .connect:
      if !isConnected, wish != nil, !wishIsForbidden {
        switch rules.onReconnect {
        case .reapply: mayApply = true
        case .reapplyIfNewer: mayApply = !wasConfirmed
        case .hold: mayApply = !hasMet
        }
      }
      hasMet = true
      isConnected = true
      wasSeenDifferent = false
      send(.connected)
    case .disconnect:
      isConnected = false
      pending = nil
      send(.disconnected)
    case .answer(let fails): answer(fails: fails)
    case .wait(let seconds):
      let end = now + .seconds(Int64(seconds))
      while let next = machine.nextWake, next <= end, faults.isEmpty {
        now = Swift.max(now, next)
        let before = machine
        send(.tick)
        if machine == before { check(false, "a due tick changes nothing") }
        while pending != nil { answer(fails: false) }
      }
      now = end
    case .restart:
      machine = DesiredState(wish: machine.wish, record: machine.record)
      isConnected = false
      pending = nil
      send(.served(.init(rules: rules, hold: hold), verdict))
    case .hold:
      hold = .writesDisabled
      send(.served(.init(rules: rules, hold: hold), verdict))
    case .release:
      if machine.phase == .held { mayApply = true }
      hold = nil
      send(.served(.init(rules: rules, hold: hold), verdict))
    case .interrupt:
      pending = nil
      send(.interrupted)
    }
  }

  /// A Confirmed value that is seen to hold after a reconnection is past that rule.
  mutating func noteMatch() { if machine.phase == .confirmed, register == wish { mayApply = true } }

  var reading: Reading { Reading(.integer(Int64(register)), sourceTime: now, gatewayTime: now) }

  mutating func answer(fails: Bool) {
    guard let directive = pending else { return }
    pending = nil
    switch directive {
    case .read(let ticket):
      if fails {
        send(.read(ticket, .failure(timeout)))
      } else {
        if machine.awaitedTicket == ticket {
          if register != wish { wasSeenDifferent = true }
          noteMatch()
        }
        send(.read(ticket, .success(reading)))
      }
    case .write(let ticket, let value):
      // A failing write may have arrived or not.
      if machine.awaitedTicket == ticket, case .integer(let number) = value, !fails || writes % 2 == 0 {
        register = Int(number)
      }
      send(.written(ticket, fails ? timeout : nil))
    case .wakeAt, .transition: break
    }
  }

  /// With a healthy link and nobody interfering, a wish ends: it holds, or the reason why not is final.
  mutating func settle() {
    take(.release)
    take(.connect)
    while pending != nil { answer(fails: false) }
    take(.wait(900))
    while pending != nil { answer(fails: false) }
    switch machine.phase {
    case .confirmed, .rejected, .expired, .held, nil: break
    case .pending, .writing, .failed: check(false, "never settles: \(machine.phase!) \(machine.reason)")
    }
    if machine.phase == .confirmed {
      take(.report)
      while pending != nil { answer(fails: false) }
      check(machine.phase != .confirmed || register == wish, "settles Confirmed on another value")
    }
  }
}

@Suite struct DesiredStateModelTests {
  static func steps(using generator: inout SplitMix64) -> [Plant.Step] {
    (0..<Int.random(in: 5...60, using: &generator)).map { _ in
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<12: .wish(Int.random(in: 1...4, using: &generator))
      case 12..<15: .clear
      case 15..<17: .forbid
      case 17..<27: .overwrite(Int.random(in: 1...4, using: &generator))
      case 27..<40: .report
      case 40..<50: .connect
      case 50..<55: .disconnect
      case 55..<80: .answer(fails: Int.random(in: 0..<4, using: &generator) == 0)
      case 80..<90: .wait(Int.random(in: 0...60, using: &generator))
      case 90..<93: .restart
      case 93..<95: .hold
      case 95..<98: .release
      default: .interrupt
      }
    }
  }

  /// The first fault of a run, or nil.
  static func fault(of steps: [Plant.Step], seed: UInt64) -> String? {
    var generator = SplitMix64(seed: seed)
    var plant = Plant(using: &generator)
    if let fault = plant.faults.first { return fault }
    for step in steps {
      plant.take(step)
      if let fault = plant.faults.first { return fault }
    }
    plant.settle()
    return plant.faults.first
  }

  @Test func `Whatever happens in whatever order, nothing is written that should not be and every wish settles`() {
    for seed in UInt64(0)..<5_000 {
      var generator = SplitMix64(seed: seed &* 7_919)
      var steps = Self.steps(using: &generator)
      guard let fault = Self.fault(of: steps, seed: seed) else { continue }
      // Shrinks: leaves out what the fault does not need.
      var index = 0
      while index < steps.count {
        var fewer = steps
        fewer.remove(at: index)
        if Self.fault(of: fewer, seed: seed) == fault { steps = fewer } else { index += 1 }
      }
      var seeded = SplitMix64(seed: seed)
      let rules = Plant(using: &seeded).rules
      Issue.record("seed \(seed): \(fault) after \(steps.map(\.description)) with \(rules)")
      return
    }
  }
}
