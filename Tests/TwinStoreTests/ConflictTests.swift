import DeviceKit
import Documents
import Testing
import TwinStore

/// The rule of conflicts as a table: what was done to `setpoint`, in order, and what is desired then.
@Suite struct ConflictTests {
  enum Act: Sendable {
    case spec(Int?), local(Int?), policy(DesiredPolicy), restart
    /// A message without a base version, and one whose sender knew what stood before the last act.
    case cloud(Int?), lateCloud(Int?)
    /// The spec changes, but not this property.
    case elsewhere
  }
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var acts: [Act]
    var desired: Int?
    var by: String?
    var drift: Int?
    var driftBy: String
    var spec: Int?
    init(
      _ name: String, _ acts: [Act], _ desired: Int?, _ by: String? = nil, drift: Int? = nil,
      driftBy: String = "local/anna", spec: Int? = nil
    ) {
      self.name = name
      self.acts = acts
      self.desired = desired
      self.by = by
      self.drift = drift
      self.driftBy = driftBy
      self.spec = spec
    }
    var testDescription: String { name }
  }

  static let git = Act.policy(.specWins)
  static let cases: [Case] = [
    // LatestWins
    Case("nobody wishes", [], nil),
    Case("the spec alone", [.spec(50)], 50, "spec", spec: 50),
    Case("a local change alone", [.local(40)], 40, "local/anna"),
    Case("local after spec", [.spec(50), .local(40)], 40, "local/anna", spec: 50),
    Case("spec after local", [.local(40), .spec(50)], 50, "spec", spec: 50),
    Case("an unrelated edit of the spec", [.spec(50), .local(40), .elsewhere], 40, "local/anna", spec: 50),
    Case("the same spec again", [.spec(50), .local(40), .spec(50)], 40, "local/anna", spec: 50),
    Case("the spec changes again", [.spec(50), .local(40), .spec(55)], 55, "spec", spec: 55),
    Case("the spec takes it away", [.spec(50), .spec(nil)], nil),
    Case("the spec takes it away after a local change", [.spec(50), .local(40), .spec(nil)], nil),
    Case("a local null", [.spec(50), .local(nil)], nil, spec: 50),
    Case("a local null outlives an unrelated edit", [.spec(50), .local(nil), .elsewhere], nil, spec: 50),
    Case("a local null, then the spec changes", [.spec(50), .local(nil), .spec(55)], 55, "spec", spec: 55),
    Case("local, restart, the same spec", [.spec(50), .local(40), .restart, .spec(50)], 40, "local/anna", spec: 50),
    Case("local, restart, another spec", [.spec(50), .local(40), .restart, .spec(55)], 55, "spec", spec: 55),
    Case("a local value equal to the spec's", [.spec(50), .local(50)], 50, "spec", spec: 50),
    // SpecWins
    Case("the spec wins over a local change", [git, .spec(50), .local(40)], 50, "spec", drift: 40, spec: 50),
    Case(
      "the latest local change is the drift", [git, .spec(50), .local(40), .local(41)], 50, "spec", drift: 41, spec: 50),
    Case("a drift is withdrawn by null", [git, .spec(50), .local(40), .local(nil)], 50, "spec", spec: 50),
    Case(
      "a drift is withdrawn by the spec's own value", [git, .spec(50), .local(40), .local(50)], 50, "spec", spec: 50),
    Case("the spec's change clears a drift", [git, .spec(50), .local(40), .spec(55)], 55, "spec", spec: 55),
    Case("the spec takes over the drift's value", [git, .spec(50), .local(40), .spec(40)], 40, "spec", spec: 40),
    Case("an unrelated edit keeps a drift", [git, .spec(50), .local(40), .elsewhere], 50, "spec", drift: 40, spec: 50),
    Case("a drift outlives a restart", [git, .spec(50), .local(40), .restart], 50, "spec", drift: 40, spec: 50),
    Case(
      "the policy outlives a restart", [git, .spec(50), .restart, .local(40)], 50, "spec", drift: 40, spec: 50),
    Case("null without a drift changes nothing", [git, .spec(50), .local(nil)], 50, "spec", spec: 50),
    Case("what the spec does not name is local", [git, .elsewhere, .local(40)], 40, "local/anna"),
    Case(
      "what the spec no longer names is local", [git, .spec(50), .local(40), .spec(nil), .local(41)], 41, "local/anna"),
    Case("the spec names what was local", [git, .local(40), .spec(50)], 50, "spec", spec: 50),
    Case("the spec takes it away, drift and all", [git, .spec(50), .local(40), .spec(nil)], nil),
    // The cloud
    Case("the cloud alone", [.cloud(30)], 30, "cloud"),
    Case("cloud after spec", [.spec(50), .cloud(30)], 30, "cloud", spec: 50),
    Case("cloud after local", [.local(40), .cloud(30)], 30, "cloud"),
    Case("local after cloud", [.cloud(30), .local(40)], 40, "local/anna"),
    Case("spec after cloud", [.cloud(30), .spec(50)], 50, "spec", spec: 50),
    Case("the same spec again after cloud", [.spec(50), .cloud(30), .spec(50)], 30, "cloud", spec: 50),
    Case("the cloud takes it away", [.spec(50), .cloud(nil)], nil, spec: 50),
    Case("cloud, restart, the same spec", [.spec(50), .cloud(30), .restart, .spec(50)], 30, "cloud", spec: 50),
    Case("a cloud that knew what stood", [.local(40), .elsewhere, .lateCloud(30)], 30, "cloud"),
    Case("a cloud that did not know of a local change", [.elsewhere, .local(40), .lateCloud(30)], 40, "local/anna"),
    Case("a cloud that did not know of the spec", [.elsewhere, .spec(50), .lateCloud(30)], 50, "spec", spec: 50),
    Case(
      "a cloud that did not know of a local null", [.spec(50), .local(nil), .lateCloud(30)], nil, spec: 50),
    Case(
      "a cloud that did not know, across a restart", [.elsewhere, .local(40), .restart, .lateCloud(30)], 40,
      "local/anna"),
    Case("a cloud that wishes the same", [.elsewhere, .local(40), .lateCloud(40)], 40, "local/anna"),
    Case(
      "the spec wins over the cloud", [git, .spec(50), .cloud(30)], 50, "spec", drift: 30, driftBy: "cloud", spec: 50),
    Case(
      "the latest of cloud and local is the drift", [git, .spec(50), .local(40), .cloud(30)], 50, "spec", drift: 30,
      driftBy: "cloud", spec: 50),
    Case("a drift of the cloud is withdrawn by null", [git, .spec(50), .cloud(30), .cloud(nil)], 50, "spec", spec: 50),
    Case("what the spec does not name is the cloud's", [git, .elsewhere, .cloud(30)], 30, "cloud"),
    Case(
      "to SpecWins with a wish of the cloud", [.spec(50), .cloud(30), git], 50, "spec", drift: 30, driftBy: "cloud",
      spec: 50),
    // The policy changes
    Case("to SpecWins with a local wish", [.spec(50), .local(40), git], 50, "spec", drift: 40, spec: 50),
    Case("to SpecWins after a local null", [.spec(50), .local(nil), git], 50, "spec", spec: 50),
    Case("to SpecWins with a wish that the spec does not name", [.elsewhere, .local(40), git], 40, "local/anna"),
    Case(
      "to LatestWins with a drift writes nothing", [git, .spec(50), .local(40), .policy(.latestWins)], 50, "spec",
      spec: 50),
    Case(
      "to LatestWins, then local", [git, .spec(50), .policy(.latestWins), .local(40)], 40, "local/anna", spec: 50),
  ]

  @Test(arguments: cases)
  func `Of the spec and a local change, the policy says which is desired`(conflict: Case) async throws {
    let directory = TemporaryDirectory()
    let clock = ManualClock()
    var boiler = try Boiler(in: directory, clock: clock)
    var spec: [String: JSONValue] = [:]
    var policy = DesiredPolicy.latestWins
    var versions: [UInt64] = [0]
    for (index, act) in conflict.acts.enumerated() {
      clock.advance(.seconds(1))
      // A restart is no act of anybody's: what was known before it is known after it.
      if case .restart = act {} else { versions.append(boiler.version) }
      switch act {
      case .local(let value):
        try await boiler.store.setDesired(
          ["setpoint": value.map { .integer(Int64($0)) } ?? .null], of: Boiler.key, from: .local(user: "anna"))
        continue
      case .cloud(let value), .lateCloud(let value):
        var wish = RemoteWish(
          id: "\(index)", values: ["setpoint": value.map { .integer(Int64($0)) } ?? .null])
        if case .lateCloud = act { wish.baseVersion = versions[versions.count - 2] }
        _ = try await boiler.store.take(wish, of: Boiler.key)
        continue
      case .restart:
        await boiler.store.close()
        boiler = try Boiler(in: directory, clock: clock)
        continue
      case .spec(let value): spec["setpoint"] = value.map { .integer(Int64($0)) }
      case .policy(let next): policy = next
      case .elsewhere: spec["pump"] = spec["pump"] == true ? false : true
      }
      try await boiler.store.setDesired(spec, of: Boiler.key, from: .spec, policy: policy)
    }
    // What is not on disk is not kept: everything is looked at after a restart too.
    for isRestarted in [false, true] {
      if isRestarted {
        await boiler.store.close()
        boiler = try Boiler(in: directory, clock: clock)
      }
      let setpoint = boiler["setpoint"]
      #expect(setpoint.desired?.value == conflict.desired.map { .integer(Int64($0)) })
      #expect(setpoint.desired?.source.description == conflict.by)
      #expect(setpoint.drift?.value == conflict.drift.map { .integer(Int64($0)) })
      #expect(setpoint.drift.map { $0.by.description == conflict.driftBy } ?? true)
      #expect(setpoint.specDesired == conflict.spec.map { .integer(Int64($0)) })
    }
    await boiler.store.close()
  }

  @Test func `A drift is told of, and never written`() async throws {
    let directory = TemporaryDirectory()
    let boiler = try Boiler(in: directory)
    let transitions = boiler.store.transitions()
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 50], of: Boiler.key, from: .spec, policy: .specWins)
    var registers: [String: Value] = ["setpoint": .number(20)]
    boiler.serve(&registers)
    let before = boiler.version
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .local(user: "anna"))
    boiler.serve(&registers)
    #expect(registers["setpoint"] == .number(50) && boiler.version > before)
    await boiler.store.close()
    var told: [String] = []
    for await transition in transitions where transition.transition.reason == DesiredState.localDrift {
      told.append(transition.transition.message)
    }
    #expect(told == ["local/anna wished 40; the Device's spec wishes 50 and wins"])
  }
}
