import DeviceKit
import Documents
import Synchronization
import Testing
import TwinStore

/// A whole twin under random events, beside a reference that keeps the rules in a few lines.
struct TwinRun {
  enum Step: CustomStringConvertible {
    case spec(String, Int?), policy(DesiredPolicy), local(String, Int?), overwrite(String, Int), report(String)
    case connect, disconnect, serve(fails: Bool), wait(Int), restart, writes(Bool), command(String, Int), interrupt
    var description: String {
      switch self {
      case .spec(let name, let value): "spec \(name)=\(value.map(String.init) ?? "-")"
      case .policy(let policy): policy.rawValue
      case .local(let name, let value): "local \(name)=\(value.map(String.init) ?? "null")"
      case .overwrite(let name, let value): "overwrite \(name)=\(value)"
      case .report(let name): "report \(name)"
      case .connect: "connect"
      case .disconnect: "disconnect"
      case .serve(let fails): fails ? "serve, failing" : "serve"
      case .wait(let seconds): "wait \(seconds) s"
      case .restart: "restart"
      case .writes(let isEnabled): isEnabled ? "enable writes" : "disable writes"
      case .command(let name, let value): "command \(name)=\(value)"
      case .interrupt: "interrupt"
      }
    }
  }

  /// What the rules say that is wished, and what is kept beside it.
  struct Reference {
    struct Wish {
      var value: Int
      var by: String
      var time: Timestamp
    }
    var policy = DesiredPolicy.latestWins
    var spec: [String: Int] = [:]
    /// The spec as the twin saw it last.
    var seen: [String: Int] = [:]
    var wishes: [String: Wish] = [:]
    var drifts: [String: Int] = [:]

    mutating func takeSpec(now: Timestamp) {
      for name in TwinRun.names {
        let wish = wishes[name]
        if spec[name] != seen[name] {
          wishes[name] = spec[name].map { Wish(value: $0, by: "spec", time: now) }
          drifts[name] = nil
        } else if policy == .latestWins {
          drifts[name] = nil
        } else if let value = spec[name], wish?.value != value {
          drifts[name] = wish?.value
          wishes[name] = Wish(value: value, by: "spec", time: now)
        }
      }
      seen = spec
    }

    mutating func takeLocal(_ name: String, _ value: Int?, isGivenUp: Bool, now: Timestamp) {
      if let value, value > 9 { return }
      if policy == .specWins, let spec = seen[name] {
        drifts[name] = value == spec ? nil : value
        if value == spec, isGivenUp { wishes[name] = Wish(value: spec, by: "spec", time: now) }
        return
      }
      guard let value else { return wishes[name] = nil }
      if wishes[name]?.value == value, !isGivenUp { return }
      wishes[name] = Wish(value: value, by: "local/anna", time: now)
    }
  }

  static let names = ["a", "b", "g1", "g2", "x"]
  static let rules: [String: WriteRules] = [
    "a": WriteRules(confirmWithin: .seconds(1), retries: 2),
    "b": WriteRules(confirmWithin: .seconds(1), retries: 2, after: ["a"]),
    "g1": WriteRules(confirmWithin: .seconds(1), retries: 2, onDrift: .hold, group: "g"),
    "g2": WriteRules(confirmWithin: .seconds(1), retries: 2, after: ["a"], group: "g"),
    "x": WriteRules(confirmWithin: .seconds(1), retries: 2, expireAfter: .seconds(120)),
  ]

  let place: TwinRunPlace
  let key: DeviceKey
  var reference = Reference()
  var registers: [String: Int] = [:]
  var isConnected = false
  var writesEnabled = true
  var commandsSent = 0
  var writesSent = 0
  var faults: [String] = []

  init(_ place: TwinRunPlace) {
    self.place = place
    key = place.nextKey()
    attach()
  }

  var now: Timestamp { place.clock.now }

  func attach() {
    place.store.attach(
      key,
      properties: Self.names.map { name in
        (
          PropertyDefinition(name: name, type: .integer, access: .readWrite, minimum: 0, maximum: 9),
          Self.rules[name] ?? WriteRules()
        )
      }, writesEnabled: writesEnabled)
  }

  mutating func check(_ holds: Bool, _ fault: @autoclosure () -> String) { if !holds { faults.append(fault()) } }

  func state(_ name: String) -> DesiredState.Phase? { place.store.snapshot(key)?[name]?.state }

  mutating func take(_ step: Step) async {
    place.clock.advance(.milliseconds(10))
    switch step {
    case .spec(let name, let value):
      reference.spec[name] = value
      await applySpec()
    case .policy(let policy):
      reference.policy = policy
      await applySpec()
    case .local(let name, let value):
      let phase = state(name)
      // A wish on its way or seen to hold is not begun anew.
      let isGivenUp = ![.pending, .writing, .confirmed].contains(phase)
      reference.takeLocal(name, value, isGivenUp: isGivenUp, now: now)
      do {
        try await place.store.setDesired(
          [name: value.map { .integer(Int64($0)) } ?? .null], of: key, from: .local(user: "anna"))
        check(value.map { $0 <= 9 } ?? true, "a forbidden local change is taken")
      } catch {
        check(value.map { $0 > 9 } ?? false, "a local change is refused: \(error)")
      }
    case .overwrite(let name, let value): registers[name] = value
    case .report(let name):
      if isConnected { place.report(key, name, registers[name] ?? 0) }
    case .connect, .disconnect:
      if case .connect = step { isConnected = true } else { isConnected = false }
      place.store.connection(key, isConnected: isConnected)
    case .serve(let fails): _ = serve(fails: fails)
    case .wait(let seconds):
      for _ in 0..<4 {
        place.clock.advance(.seconds(Int64(seconds)) / 4)
        _ = serve(fails: false)
      }
    case .restart:
      isConnected = false
      await place.restart()
      attach()
    case .writes(let isEnabled):
      writesEnabled = isEnabled
      attach()
    case .command(let name, let value): await command(name, value)
    case .interrupt: place.store.beginWork(key)
    }
    compare()
  }

  private mutating func applySpec() async {
    reference.takeSpec(now: now)
    do {
      try await place.store.setDesired(
        reference.spec.mapValues { .integer(Int64($0)) }, of: key, from: .spec, policy: reference.policy)
    } catch {
      check(false, "the spec is refused: \(error)")
    }
  }

  /// What is shown is what the rules say.
  private mutating func compare() {
    guard let twin = place.store.snapshot(key) else { return check(false, "the twin is gone") }
    for name in Self.names {
      let property = twin[name]
      let wish = reference.wishes[name]
      let drift = reference.drifts[name]
      check(
        property?.desired?.value == wish.map { .integer(Int64($0.value)) },
        "\(name) is desired \(String(describing: property?.desired?.value)), not \(String(describing: wish?.value))")
      check(property?.desired?.source.description == wish?.by, "\(name) is desired by another than \(wish?.by ?? "-")")
      check(
        property?.drift?.value == drift.map { .integer(Int64($0)) }, "\(name)'s drift is not \(drift ?? -1)")
      check(
        property?.specDesired == reference.seen[name].map { .integer(Int64($0)) }, "\(name)'s spec is not what it was")
      check((property?.state == nil) == (wish == nil), "\(name): a state without a wish, or a wish without a state")
      if let wish, wish.value > 9 { check(property?.state == .rejected, "a forbidden wish is not Rejected") }
    }
  }

  /// Carries out one batch of work as a device would; false: there was none.
  mutating func serve(fails: Bool) -> Bool {
    let work = place.store.takeWork(key)
    if work.isEmpty { return false }
    if let command = work.command {
      commandsSent += 1
      check(isConnected && writesEnabled, "a command is sent although nothing may be")
      if let wish = reference.wishes[command.property] {
        check(.integer(Int64(wish.value)) == command.value, "a command is sent against a wish")
      }
      if case .integer(let number) = command.value, !fails { registers[command.property] = Int(number) }
      place.store.complete(command, of: key, fails ? timeout : nil)
    }
    let twin = place.store.snapshot(key)
    for write in work.writes {
      writesSent += 1
      let wish = reference.wishes[write.property]
      check(isConnected && writesEnabled, "\(write.property) is written although nothing may be")
      check(wish.map { .integer(Int64($0.value)) } == write.value, "\(write.property) is written as nobody wishes")
      if write.property == "x", let wish { check(now < wish.time + .seconds(120), "what has expired is written") }
      if ["b", "g2"].contains(write.property), reference.wishes["a"] != nil {
        check(twin?["a"]?.state == .confirmed, "\(write.property) is written before a is Confirmed")
      }
      for other in ["g1", "g2"] where write.group == "g" && other != write.property && reference.wishes[other] != nil {
        let goesAlong = work.writes.contains { $0.property == other }
        check(goesAlong || twin?[other]?.state == .confirmed, "\(write.property) is written without \(other)")
      }
    }
    for (place, write) in work.writes.enumerated() {
      // A write without an answer may have arrived or not.
      if case .integer(let number) = write.value, !fails || (writesSent + place) % 2 == 0 {
        registers[write.property] = Int(number)
      }
      self.place.store.complete(write, of: key, fails ? timeout : nil)
    }
    for read in work.reads {
      place.clock.advance(.milliseconds(1))
      let reading = Reading(.integer(Int64(registers[read.property] ?? 0)), sourceTime: now, gatewayTime: now)
      place.store.complete(read, of: key, fails ? .failure(timeout) : .success(reading))
    }
    return true
  }

  private final class End: Sendable {
    let result = Mutex<Result<TwinCommandOutcome, any Error>?>(nil)
  }

  private mutating func command(_ name: String, _ value: Int) async {
    let before = commandsSent
    let end = End()
    let command = TwinCommand(property: name, value: .integer(Int64(value)), user: "bert")
    let asking = Task { [place, key] in
      do {
        let outcome = try await place.store.carryOut(command, on: key).outcome
        end.result.withLock { $0 = .success(outcome) }
      } catch {
        end.result.withLock { $0 = .failure(error) }
      }
    }
    while end.result.withLock({ $0 == nil }) {
      if !serve(fails: false) { await Task.yield() }
    }
    await asking.value
    let wish = reference.wishes[name]
    let isAllowed = isConnected && writesEnabled && value <= 9 && (wish == nil || wish?.value == value)
    switch end.result.withLock({ $0 }) {
    case .success(let outcome)?:
      check(isAllowed, "a command is carried out that should be refused")
      check(outcome.state == .succeeded && commandsSent == before + 1, "a command is not sent once: \(outcome)")
    case .failure?: check(!isAllowed && commandsSent == before, "a command is refused that could be carried out")
    case nil: check(false, "a command without an end")
    }
  }

  /// With a healthy device and nobody interfering, every wish ends, or waits for one that has ended otherwise.
  mutating func settle() async {
    await take(.writes(true))
    await take(.connect)
    for _ in 0..<14 {
      var rounds = 0
      while serve(fails: false) {
        rounds += 1
        if rounds > 500 { return check(false, "never stops working") }
      }
      place.clock.advance(.seconds(150))
      for name in Self.names { place.report(key, name, registers[name] ?? 0) }
    }
    while serve(fails: false) {}
    compare()
    let twin = place.store.snapshot(key)
    let hasObstacle = Self.names.contains {
      [.rejected, .held, .expired].contains(twin?[$0]?.state)
    }
    for name in Self.names {
      guard let property = twin?[name], let state = property.state else { continue }
      switch state {
      case .confirmed:
        check(registers[name, default: 0] == reference.wishes[name]?.value, "\(name) ends Confirmed on another value")
      case .rejected, .held, .expired: break
      case .pending:
        check(property.reason.hasPrefix("WaitsFor") && hasObstacle, "\(name) never settles: \(property.message)")
      case .writing, .failed: check(false, "\(name) never settles: \(state) \(property.message)")
      }
    }
  }
}

@Suite struct TwinModelTests {
  static func steps(_ seed: UInt64) -> [TwinRun.Step] {
    var generator = SplitMix64(seed: seed)
    func name() -> String { TwinRun.names[Int.random(in: 0..<5, using: &generator)] }
    func value() -> Int { Int.random(in: 1...3, using: &generator) }
    return (0..<Int.random(in: 5...30, using: &generator)).map { _ in
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<14: .spec(name(), value())
      case 14..<18: .spec(name(), nil)
      case 18..<20: .spec(name(), 99)
      case 20..<24: .policy(Bool.random(using: &generator) ? .specWins : .latestWins)
      case 24..<36: .local(name(), value())
      case 36..<40: .local(name(), nil)
      case 40..<41: .local(name(), 99)
      case 41..<48: .overwrite(name(), value())
      case 48..<55: .report(name())
      case 55..<65: .connect
      case 65..<68: .disconnect
      case 68..<85: .serve(fails: Int.random(in: 0..<4, using: &generator) == 0)
      case 85..<90: .wait(Int.random(in: 1...60, using: &generator))
      case 90..<91: .restart
      case 91..<93: .writes(false)
      case 93..<95: .writes(true)
      case 95..<99: .command(name(), value())
      default: .interrupt
      }
    }
  }

  static func fault(of steps: [TwinRun.Step], in place: TwinRunPlace) async -> String? {
    var run = TwinRun(place)
    for step in steps {
      await run.take(step)
      if let fault = run.faults.first { return fault }
    }
    await run.settle()
    return run.faults.first
  }

  /// Leaves out what the fault does not need: halves first, then ever smaller parts.
  static func shrink(_ steps: [TwinRun.Step], in place: TwinRunPlace) async -> [TwinRun.Step] {
    var steps = steps
    var size = Swift.max(1, steps.count / 2)
    while true {
      var start = 0
      var isShrunk = false
      while start < steps.count {
        var fewer = steps
        fewer.removeSubrange(start..<Swift.min(start + size, steps.count))
        if await fault(of: fewer, in: place) != nil {
          steps = fewer
          isShrunk = true
        } else {
          start += size
        }
      }
      if size == 1, !isShrunk { return steps }
      size = Swift.max(1, size / 2)
    }
  }

  @Test(arguments: [UInt64](0..<4))
  func `Whatever happens to a twin in whatever order, the rules hold`(part: UInt64) async throws {
    let place = try TwinRunPlace()
    for seed in (part * 800)..<(part * 800 + 800) {
      let steps = Self.steps(seed &* 104_729 &+ 17)
      guard await Self.fault(of: steps, in: place) != nil else { continue }
      let fewer = await Self.shrink(steps, in: place)
      let fault = await Self.fault(of: fewer, in: place)
      Issue.record("seed \(seed): \(fault ?? "does not repeat") after \(fewer.map(\.description))")
      return
    }
  }
}
