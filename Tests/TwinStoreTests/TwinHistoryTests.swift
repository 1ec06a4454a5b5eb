import DeviceKit
import Documents
import Foundation
import Testing
import TwinStore

@Suite struct TwinHistoryTests {
  typealias Kind = TwinHistoryEntry.Kind
  let directory = TemporaryDirectory()

  static func model(_ changes: (inout PropertyDefinition) -> Void = { _ in }) -> [(PropertyDefinition, WriteRules)] {
    Boiler.properties.map { definition, rules in
      var definition = definition
      changes(&definition)
      return (definition, rules)
    }
  }

  private func kinds(_ boiler: Boiler, _ query: TwinHistoryQuery = .init()) async throws -> [String] {
    try await boiler.store.history(query, of: Boiler.key).entries.map { entry in
      "\(entry.property) \(entry.kind.name) \(entry.details["from"]?.description ?? "-")>\(entry.details["to"]?.description ?? "-")"
    }
  }

  @Test func `A wish's way is told in order, with who asked, and is the same after a restart`() async throws {
    let clock = ManualClock()
    let told: [TwinHistoryEntry]
    do {
      let boiler = try Boiler(in: directory, clock: clock)
      boiler.store.connection(Boiler.key, isConnected: true)
      try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .local(user: "ann"))
      var registers: [String: Value] = ["setpoint": .number(20)]
      boiler.serve(&registers)
      clock.advance(.seconds(1))
      try await boiler.store.setDesired(["setpoint": .null], of: Boiler.key, from: .local(user: "bob"))
      told = try await boiler.store.history(.init(), of: Boiler.key).entries
      await boiler.store.close()
    }
    #expect(
      told.map { "\($0.kind.name) \($0.details["to"]?.description ?? "-")" } == [
        "Desired 40", #"Transition "Pending""#, #"Transition "Writing""#, #"Transition "Confirmed""#, "Desired -",
        "Transition -",
      ])
    #expect(told[0].details["by"] == "local/ann" && told[4].details["by"] == "local/bob")
    #expect(told[3].details["desired"] == 40 && told[4].details["from"] == 40)
    #expect(zip(told, told.dropFirst()).allSatisfy { $0.id < $1.id && $0.version <= $1.version })
    let again = try Boiler(in: directory, clock: clock)
    #expect(try await again.store.history(.init(), of: Boiler.key).entries == told)
    try await again.store.setDesired(["setpoint": 41], of: Boiler.key, from: .spec)
    let later = try await again.store.history(.init(), of: Boiler.key).entries
    #expect(later.count > told.count && later.prefix(told.count) == told[...])
    #expect(later.last!.id > told.last!.id && later.last!.version > told.last!.version)
  }

  @Test func `A wish and its history are on disk together once it is acknowledged`() async throws {
    let clock = ManualClock()
    let boiler = try Boiler(in: directory, clock: clock, options: .init(reportedInterval: .seconds(3_600)))
    try await boiler.store.setDesired(["setpoint": 90], of: Boiler.key, from: .spec)
    // As a kill at this moment leaves the file.
    let copy = directory.copy()
    let left = try Boiler(in: copy, clock: clock, attaches: false)
    #expect(left["setpoint"].state == .rejected)
    let entries = try await left.store.history(.init(), of: Boiler.key).entries
    #expect(entries.map(\.kind) == [.desired, .transition])
    #expect(entries[1].details["to"] == "Rejected" && entries[1].details["message"] != nil)
    // And nothing of it is told twice.
    #expect(try await boiler.store.history(.init(), of: Boiler.key).entries == entries)
  }

  @Test func `A wish that the disk refuses has no history`() async throws {
    let boiler = try Boiler(in: directory)
    await boiler.store.close()
    await #expect(throws: TwinError.self) {
      try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec)
    }
    let again = try Boiler(in: directory)
    #expect(try await again.store.history(.init(), of: Boiler.key).entries.isEmpty)
  }

  @Test func `Booleans and strings tell every change, other values only what the model asks for`() async throws {
    let boiler = try Boiler(in: directory)
    for (property, value) in [
      ("pump", Value.boolean(false)), ("pump", .boolean(false)), ("pump", .boolean(true)), ("label", .string("a")),
      ("label", .string("b")), ("temperature", .number(1)), ("temperature", .number(99)), ("counter", .integer(1)),
      ("config", .object(["a": 1])),
    ] { boiler.report(property, value) }
    #expect(
      try await kinds(boiler) == [
        "pump Reported ->false", "pump Reported false>true", #"label Reported ->"a""#, #"label Reported "a">"b""#,
      ])
  }

  static let rules: [(ReportedHistory?, isSummary: Bool, tolerance: Double, kept: [Double])] = [
    (nil, false, 0, []),
    (.init(reported: .off), true, 0, []),
    (.init(deadband: 2), false, 0, [100, 103, 98]),
    (.init(reported: .changes, deadband: 0), false, 0, [100, 100.5, 101, 101.5, 103, 103.5, 98]),
    (nil, true, 0, [100, 101.5, 103, 98]),
    (nil, true, 2.5, [100, 103, 98]),
    (.init(reported: .changes), false, 0, [100, 101.5, 103, 98]),
  ]

  @Test(arguments: rules)
  func `Numbers tell what is beyond the deadband of the last one told`(
    rule: ReportedHistory?, isSummary: Bool, tolerance: Double, kept: [Double]
  ) async throws {
    var definition = PropertyDefinition(name: "temperature", type: .number, isSummary: isSummary)
    definition.history = rule
    let boiler = try Boiler(in: directory, properties: [(definition, WriteRules(tolerance: tolerance))])
    for value in [100, 100.5, 101, 101.5, 103, 103.5, 98] { boiler.report("temperature", .number(value)) }
    let entries = try await boiler.store.history(.init(), of: Boiler.key).entries
    #expect(entries.compactMap { $0.details["to"]?.number } == kept)
  }

  @Test func `A value that becomes Bad and good again is told with the cause`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.report("pump", .boolean(true))
    boiler.report("pump", nil, quality: .bad, cause: "Timeout")
    boiler.report("pump", nil, quality: .bad, cause: "Timeout")
    boiler.report("pump", .boolean(true))
    let entries = try await boiler.store.history(.init(), of: Boiler.key).entries
    #expect(entries.map { $0.details["quality"] } == ["Good", "Bad", "Good"])
    #expect(entries.map { $0.details["cause"] } == [nil, "Timeout", nil])
  }

  @Test func `A property that changes all the time tells so many a minute and counts the rest`() async throws {
    let boiler = try Boiler(in: directory)
    for index in 0..<50 { boiler.report("pump", .boolean(index % 2 == 1)) }
    #expect(try await boiler.store.history(.init(), of: Boiler.key).entries.count == 10)
    // What is as the last one told is no change.
    #expect(boiler.store.statistics.historySkipped == 20)
    boiler.clock.advance(.seconds(60))
    boiler.report("pump", .boolean(false))
    let last = try #require(try await boiler.store.history(.init(), of: Boiler.key).entries.last)
    #expect(last.details["skipped"] == 20)
  }

  @Test func `Reported changes are written with the group commit and asked for before it`() async throws {
    let boiler = try Boiler(in: directory, options: .init(reportedInterval: .seconds(3_600)))
    try await boiler.store.flush()
    let commits = boiler.store.statistics.commits
    for index in 0..<8 { boiler.report("pump", .boolean(index % 2 == 1)) }
    #expect(try await kinds(boiler).count == 8)
    #expect(boiler.store.statistics.commits == commits && boiler.store.statistics.historyRowsWritten == 0)
    try await boiler.store.flush()
    #expect(boiler.store.statistics.commits == commits + 1 && boiler.store.statistics.historyRowsWritten == 8)
    #expect(try await kinds(boiler).count == 8)
  }

  @Test func `Local drift and commands are told`() async throws {
    let boiler = try Boiler(in: directory)
    try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec, policy: .specWins)
    try await boiler.store.setDesired(["setpoint": 41], of: Boiler.key, from: .local(user: "ann"))
    boiler.store.record(
      TwinCommand(property: "pump", value: true, user: "bob"),
      TwinCommandOutcome(state: .failed, message: "illegal data value"), of: Boiler.key)
    let drift = try #require(try await boiler.store.history(.init(kinds: [.drift]), of: Boiler.key).entries.first)
    #expect(drift.details["value"] == 41 && drift.details["by"] == "local/ann")
    let command = try #require(try await boiler.store.history(.init(kinds: [.command]), of: Boiler.key).entries.first)
    #expect(command.details["by"] == "command/bob" && command.details["state"] == "Failed")
    #expect(command.details["message"] == "illegal data value" && command.details["value"] == true)
  }

  // MARK: Questions

  @Test func `Questions are answered by property, kind and time, the newest page first`() async throws {
    let boiler = try Boiler(in: directory)
    let start = boiler.clock.now
    for index in 0..<30 {
      boiler.report(index % 2 == 0 ? "pump" : "label", index % 2 == 0 ? .boolean(index % 4 == 0) : .string("\(index)"))
      if index == 14 { try await boiler.store.flush() }
      boiler.clock.advance(.seconds(60))
    }
    func times(_ query: TwinHistoryQuery) async throws -> [Int] {
      try await boiler.store.history(query, of: Boiler.key).entries.map {
        Int(($0.time - start).nanoseconds / 60_000_000_000)
      }
    }
    #expect(try await times(.init()) == Array(0..<30))
    #expect(try await times(.init(property: "label")) == stride(from: 1, to: 30, by: 2).map { $0 })
    #expect(try await times(.init(since: start + .seconds(600), until: start + .seconds(1_200))) == Array(10..<20))
    #expect(try await times(.init(kinds: [.desired])).isEmpty)
    #expect(try await times(.init(kinds: [.desired, .reported], limit: 3)) == [27, 28, 29])
    var query = TwinHistoryQuery(limit: 7)
    var pages: [[TwinHistoryEntry]] = []
    repeat {
      let page = try await boiler.store.history(query, of: Boiler.key)
      pages.insert(page.entries, at: 0)
      query.before = page.older
    } while query.before != nil
    #expect(pages.map(\.count) == [2, 7, 7, 7, 7])
    let all = try await boiler.store.history(.init(), of: Boiler.key).entries
    #expect(pages.flatMap { $0 } == all)
    await #expect(throws: TwinError.self) { try await boiler.store.history(.init(property: "ghost"), of: Boiler.key) }
    let ghost = DeviceKey(namespace: "default", name: "ghost")
    await #expect(throws: TwinError.notFound(ghost)) { try await boiler.store.history(.init(), of: ghost) }
  }

  // MARK: Bounds

  @Test func `What is too old goes, a little at a time`() async throws {
    let boiler = try Boiler(in: directory, options: .init(history: .init(age: .seconds(3_600))))
    for index in 0..<300 {
      boiler.report("pump", .boolean(index % 2 == 1))
      boiler.clock.advance(.seconds(60))
    }
    try await boiler.store.flush()
    await boiler.store.pruneHistory()
    let left = try await boiler.store.history(.init(limit: 5_000), of: Boiler.key).entries
    #expect(left.count == 60)
    #expect(left.allSatisfy { boiler.clock.now - $0.time <= .seconds(3_600) })
    #expect(boiler.store.statistics.historyRowsPruned == 240)
  }

  @Test func `One property has so many entries, and one that is noisy does not push the others out`() async throws {
    let boiler = try Boiler(in: directory, options: .init(history: .init(entriesPerProperty: 50)))
    boiler.report("label", .string("kept"))
    for index in 0..<200 {
      boiler.report("pump", .boolean(index % 2 == 1))
      boiler.clock.advance(.seconds(10))
    }
    try await boiler.store.flush()
    await boiler.store.pruneHistory()
    let pump = try await boiler.store.history(.init(property: "pump"), of: Boiler.key).entries
    #expect((45...50).contains(pump.count) && pump.last?.details["to"] == true)
    #expect(try await boiler.store.history(.init(property: "label"), of: Boiler.key).entries.count == 1)
  }

  @Test func `Two thousand properties that all say much stay within the bytes, on the disk too`() async throws {
    let limits = TwinHistoryLimits(bytes: 1 << 20)
    let names = (0..<2_000).map { "p\($0)" }
    let boiler = try Boiler(
      in: directory, options: .init(history: limits),
      properties: names.map { (PropertyDefinition(name: $0, type: .boolean), WriteRules()) })
    let points = names.map { boiler.points.id(of: PointName(device: Boiler.key, property: $0)) }
    for round in 0..<20 {
      var batch = SampleBatch()
      for point in points {
        batch.append(
          point, .boolean(round % 2 == 1), quality: .good, sourceTime: boiler.clock.now.nanoseconds,
          gatewayTime: boiler.clock.now.nanoseconds)
      }
      boiler.store.ingest(batch)
      try await boiler.store.flush()
      await boiler.store.pruneHistory()
      boiler.clock.advance(.seconds(60))
    }
    #expect(boiler.store.statistics.historyRowsWritten == 40_000 && boiler.store.statistics.historyDropped == 0)
    let kept = boiler.store.statistics.historyRowsWritten - boiler.store.statistics.historyRowsPruned
    #expect(kept > 4_000 && kept < 12_000, "\(kept) entries in a megabyte")
    await boiler.store.close()
    let size = try FileManager.default.attributesOfItem(atPath: directory.path + "/twin.db")[.size] as? Int ?? .max
    // Rows of reported values, the pages that are free for the next entries, and a megabyte of history.
    #expect(size < 3 << 20, "\(size) bytes")
  }

  @Test func `Wishes are taken while much is being pruned`() async throws {
    let boiler = try Boiler(in: directory, options: .init(history: .init(entriesPerProperty: 100)))
    await withTaskGroup { group in
      group.addTask {
        for index in 0..<2_000 {
          boiler.report("pump", .boolean(index % 2 == 1))
          boiler.clock.advance(.seconds(10))
          if index % 100 == 0 { try? await boiler.store.flush() }
        }
      }
      group.addTask { for _ in 0..<20 { await boiler.store.pruneHistory() } }
      for index in 0..<100 {
        let value = JSONValue.integer(Int64(20 + index % 40))
        _ = try? await boiler.store.setDesired(["setpoint": value], of: Boiler.key, from: .spec)
      }
    }
    try await boiler.store.flush()
    await boiler.store.pruneHistory()
    #expect(boiler["setpoint"].desired?.value == 39)
    let entries = try await boiler.store.history(.init(limit: 5_000), of: Boiler.key).entries
    #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.id < $1.id })
    #expect(entries.last { $0.kind == .desired }?.details["to"] == 39)
    #expect(Dictionary(grouping: entries, by: \.property).values.allSatisfy { $0.count <= 100 })
  }

  @Test func `A device that is gone takes its history along, and its successor has none of it`() async throws {
    let clock = ManualClock()
    let version: UInt64
    do {
      let boiler = try Boiler(in: directory, clock: clock)
      boiler.report("pump", .boolean(true))
      try await boiler.store.setDesired(["setpoint": 40], of: Boiler.key, from: .spec)
      try await boiler.store.flush()
      version = boiler.version
      boiler.store.remove(Boiler.key)
      try await boiler.store.flush()
      await boiler.store.close()
    }
    let boiler = try Boiler(in: directory, clock: clock)
    #expect(boiler.version > version, "versions go on where a Device comes back")
    #expect(try await boiler.store.history(.init(), of: Boiler.key).entries.isEmpty)
    boiler.report("pump", .boolean(false))
    try await boiler.store.flush()
    await boiler.store.pruneHistory()
    #expect(try await kinds(boiler) == ["pump Reported ->false"])
  }
}
