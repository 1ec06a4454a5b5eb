import DeviceKit
import Documents
import Foundation
import Testing
import TwinStore

@Suite struct TwinStoreDesiredTests {
  let directory = TemporaryDirectory()
  let operatorsPatch = DesiredSource.local(user: "anna")

  func desired(_ boiler: Boiler) -> [String: JSONValue] {
    var result: [String: JSONValue] = [:]
    for property in boiler.store.snapshot(Boiler.key)?.properties ?? [] {
      result[property.name] = property.desired?.value
    }
    return result
  }

  @Test func `A wish goes all the way to the device and is Confirmed`() async throws {
    let boiler = try Boiler(in: directory)
    var registers: [String: Value] = ["setpoint": .number(50), "pump": .boolean(false)]
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 55.5, "pump": true], of: Boiler.key, from: .spec)
    #expect(boiler["setpoint"].state == .pending)
    boiler.serve(&registers)
    #expect(boiler["setpoint"].state == .confirmed && boiler["pump"].state == .confirmed)
    #expect(registers == ["setpoint": .number(55.5), "pump": .boolean(true)])
    #expect(boiler["setpoint"].reading.value == .number(55.5), "the readback is the newest reading")
  }

  @Test
  func `The spec may wish anything and hears Rejected, a local change is refused with every bound and changes nothing`()
    async throws
  {
    let boiler = try Boiler(in: directory)
    try await boiler.store.setDesired(
      ["setpoint": 60.5, "temperature": 1, "ghost": 1, "pump": true], of: Boiler.key, from: .spec)
    #expect(boiler["setpoint"].state == .rejected && boiler["setpoint"].message == "60.5 is above the maximum 60 degC")
    #expect(boiler["temperature"].state == .rejected && boiler["temperature"].reason == "ReadOnly")
    #expect(boiler["ghost"].state == .rejected && boiler["ghost"].message == "the model has no property ghost")
    #expect(boiler["pump"].state == .pending)
    let before = boiler.version
    let error = await #expect(throws: TwinError.self) {
      try await boiler.store.setDesired(
        ["setpoint": 61, "phantom": 1, "pump": false], of: Boiler.key, from: operatorsPatch)
    }
    #expect(
      error
        == .invalid([
          .init(property: "phantom", message: "the model has no property phantom"),
          .init(property: "setpoint", message: "61 is above the maximum 60 degC"),
        ]))
    #expect(boiler.version == before && desired(boiler)["pump"] == true)
  }

  @Test func `A wish for a device without a model waits for it`() async throws {
    let boiler = try Boiler(in: directory, attaches: false)
    try await boiler.store.setDesired(["setpoint": 30, "ghost": 1], of: Boiler.key, from: .spec)
    #expect(boiler["setpoint"].state == .pending && boiler["setpoint"].reason == "NotServed")
    boiler.store.attach(Boiler.key, properties: Boiler.properties, writesEnabled: false)
    #expect(boiler["setpoint"].state == .held && boiler["setpoint"].reason == "WritesDisabled")
    #expect(boiler["ghost"].state == .rejected)
    boiler.store.attach(Boiler.key, properties: Boiler.properties, writesEnabled: true)
    #expect(boiler["setpoint"].state == .pending && boiler["setpoint"].reason == "NotConnected")
    boiler.store.detach(Boiler.key)
    #expect(boiler["setpoint"].state == .pending && boiler["setpoint"].reason == "NotServed")
  }

  @Test func `A read-only gateway holds every wish`() async throws {
    let boiler = try Boiler(in: directory, options: .init(isReadOnlyGateway: true))
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 30], of: Boiler.key, from: .spec)
    #expect(boiler["setpoint"].state == .held && boiler["setpoint"].reason == "ReadOnlyGateway")
    #expect(boiler.store.takeWork(Boiler.key).isEmpty)
  }

  enum Act: Sendable {
    case spec([String: JSONValue])
    case local([String: JSONValue])
    case restart
  }

  /// The rule of conflicts, as a table: what was done, in order → what is desired then.
  @Test(arguments: [
    ([Act.spec(["setpoint": 30]), .spec(["setpoint": 40])], ["setpoint": 40] as [String: JSONValue]),
    ([.spec(["setpoint": 30]), .spec([:])], [:]),
    ([.spec(["setpoint": 30]), .local(["setpoint": 40])], ["setpoint": 40]),
    (
      [.spec(["setpoint": 30]), .local(["setpoint": 40]), .spec(["setpoint": 30, "pump": true])],
      ["setpoint": 40, "pump": true]
    ),
    ([.spec(["setpoint": 30]), .local(["setpoint": 40]), .spec(["setpoint": 30.0])], ["setpoint": 40]),
    ([.spec(["setpoint": 30]), .local(["setpoint": 40]), .spec(["setpoint": 35])], ["setpoint": 35]),
    ([.spec(["setpoint": 30]), .local(["setpoint": 40]), .spec([:])], [:]),
    ([.spec(["setpoint": 30]), .local(["setpoint": .null]), .spec(["setpoint": 30])], [:]),
    ([.spec(["setpoint": 30]), .local(["setpoint": .null]), .restart, .spec(["setpoint": 30])], [:]),
    ([.spec(["setpoint": 30]), .local(["setpoint": .null]), .spec(["setpoint": 31])], ["setpoint": 31]),
    ([.local(["setpoint": 40]), .spec(["pump": true])], ["setpoint": 40, "pump": true]),
    ([.spec(["setpoint": 30]), .local(["setpoint": 40]), .restart, .spec(["setpoint": 30])], ["setpoint": 40]),
    ([.local(["setpoint": 40]), .restart, .local(["pump": false]), .restart], ["setpoint": 40, "pump": false]),
  ])
  func `The latest change of a property wins, wherever it comes from`(
    acts: [Act], expected: [String: JSONValue]
  ) async throws {
    var boiler = try Boiler(in: directory)
    for act in acts {
      switch act {
      case .spec(let values): try await boiler.store.setDesired(values, of: Boiler.key, from: .spec)
      case .local(let values): try await boiler.store.setDesired(values, of: Boiler.key, from: operatorsPatch)
      case .restart:
        await boiler.store.close()
        boiler = try Boiler(in: directory)
      }
    }
    #expect(desired(boiler) == expected)
  }

  @Test func `An acknowledged wish is there after a kill, and so is who asked and what became of it`() async throws {
    let boiler = try Boiler(in: directory)
    var registers: [String: Value] = ["setpoint": .number(50)]
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 40, "pump": true], of: Boiler.key, from: operatorsPatch)
    let pending = try Boiler(in: directory.copy())
    #expect(pending["setpoint"].desired?.value == 40 && pending["setpoint"].desired?.source == operatorsPatch)
    #expect(pending["setpoint"].state == .pending)
    boiler.serve(&registers)
    try await boiler.store.flush()
    let confirmed = try Boiler(in: directory.copy())
    #expect(confirmed["setpoint"].state == .confirmed)
    confirmed.store.connection(Boiler.key, isConnected: true)
    let work = confirmed.store.takeWork(Boiler.key)
    #expect(work.reads.map(\.property).contains("setpoint") && work.writes.isEmpty)
    confirmed.serve(&registers)
    #expect(confirmed["setpoint"].state == .confirmed && registers["setpoint"] == .number(40))
  }

  @Test func `Five quick wishes to each of many devices end with the last one, acknowledged and stored`() async throws {
    let boiler = try Boiler(in: directory)
    let keys = (0..<50).map { DeviceKey(namespace: "default", name: "device-\($0)") }
    for key in keys { boiler.store.attach(key, properties: Boiler.properties, writesEnabled: true) }
    await withTaskGroup(of: Void.self) { group in
      for key in keys {
        group.addTask {
          for value in 1...5 {
            _ = try? await boiler.store.setDesired(["setpoint": .integer(Int64(20 + value))], of: key, from: .spec)
          }
        }
      }
    }
    let killed = try Boiler(in: directory.copy(), attaches: false)
    for key in keys {
      #expect(boiler.store.snapshot(key)?["setpoint"]?.desired?.value == 25)
      #expect(killed.store.snapshot(key)?["setpoint"]?.desired?.value == 25)
    }
    #expect(boiler.store.statistics.commits < 250, "concurrent changes share commits")
  }

  @Test func `A change made for an older state of the wishes is a conflict, one that only values overtook is not`()
    async throws
  {
    let boiler = try Boiler(in: directory)
    let version = boiler.version
    boiler.report("temperature", .number(1))
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: operatorsPatch, ifVersion: version)
    for stale in [version, boiler.version + 1_000] {
      let error = await #expect(throws: TwinError.self) {
        try await boiler.store.setDesired(["setpoint": 41], of: Boiler.key, from: operatorsPatch, ifVersion: stale)
      }
      guard case .conflict? = error else { Issue.record("\(String(describing: error))"); continue }
    }
    #expect(desired(boiler) == ["setpoint": 40])
  }

  @Test func `Asking again releases what was given up and leaves alone what is on its way`() async throws {
    let boiler = try Boiler(in: directory)
    var registers: [String: Value] = ["setpoint": .number(30)]
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: operatorsPatch)
    boiler.serve(&registers)
    for _ in 0..<3 {
      registers["setpoint"] = .number(30)
      boiler.report("setpoint", .number(30))
      boiler.serve(&registers)
    }
    #expect(boiler["setpoint"].state == .held && boiler["setpoint"].reason == "Overwritten")
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: operatorsPatch)
    boiler.serve(&registers)
    #expect(boiler["setpoint"].state == .confirmed && registers["setpoint"] == .number(40))
    let version = boiler.version
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: operatorsPatch)
    #expect(boiler.version == version)
  }

  @Test func `A damaged file is moved aside and the gateway starts`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(5))
    await boiler.store.close()
    let path = directory.path + "/twin.db"
    for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    try Data(repeating: 0x5A, count: 8_192).write(to: URL(fileURLWithPath: path))
    let again = try Boiler(in: directory)
    #expect(again["counter"].reading.value == nil)
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(names.contains { $0.hasPrefix("twin.db.corrupt-") })
  }

  @Test func `A closed store refuses wishes`() async throws {
    let boiler = try Boiler(in: directory)
    await boiler.store.close()
    let error = await #expect(throws: TwinError.self) {
      try await boiler.store.setDesired(["pump": true], of: Boiler.key, from: .spec)
    }
    #expect(error == .closed)
    #expect(boiler["pump"].desired == nil)
  }

  @Test func `Transitions are told in order, and watchers learn which twins changed and how`() async throws {
    let boiler = try Boiler(in: directory)
    var transitions = boiler.store.transitions().makeAsyncIterator()
    let feed = boiler.store.changes()
    #expect(feed.take().isEmpty)
    boiler.report("temperature", .number(1))
    boiler.report("temperature", .number(2))
    #expect(feed.take() == [Boiler.key: .values])
    var registers: [String: Value] = ["setpoint": .number(30)]
    boiler.store.connection(Boiler.key, isConnected: true)
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec)
    boiler.serve(&registers)
    #expect(feed.take()[Boiler.key]?.contains(.states) == true)
    var phases: [DesiredState.Phase?] = []
    for _ in 0..<3 { phases.append(await transitions.next()?.transition.to) }
    #expect(phases == [.pending, .writing, .confirmed])
    boiler.store.remove(Boiler.key)
    #expect(feed.take()[Boiler.key]?.contains(.removed) == true)
  }

  @Test func `An idle store writes nothing`() async throws {
    let boiler = try Boiler(in: directory, options: .init(reportedInterval: .milliseconds(1)))
    boiler.store.connection(Boiler.key, isConnected: true)
    var registers: [String: Value] = ["setpoint": .number(40)]
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec)
    boiler.serve(&registers)
    try await boiler.store.flush()
    let before = boiler.store.statistics.commits
    for _ in 0..<20 {
      boiler.report("setpoint", .number(40))
      try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec)
      try await boiler.store.flush()
    }
    #expect(boiler.store.statistics.commits == before)
  }
}
