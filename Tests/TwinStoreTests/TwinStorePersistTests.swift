import DeviceKit
import Documents
import SQLite
import TestSupport
import Testing
import TwinStore

@Suite struct TwinStorePersistTests {
  let directory = TemporaryDirectory()
  private let rarely = TwinStore.Options(reportedInterval: .seconds(86_400))

  private func properties(_ intervals: [String: Duration?]) -> [(PropertyDefinition, WriteRules)] {
    intervals.keys.sorted().map {
      (PropertyDefinition(name: $0, type: .integer, persistEvery: intervals[$0] ?? nil), WriteRules())
    }
  }

  @Test func `A property that is kept at every change is on disk soon, the others in their own time`() async throws {
    let boiler = try Boiler(
      in: directory, options: rarely,
      properties: properties(["counter": .zero, "slow": nil, "hourly": .seconds(3_600)]))
    boiler.report("slow", .integer(1))
    boiler.report("hourly", .integer(2))
    boiler.report("counter", .integer(3))
    try await eventually("the one row is written") { boiler.store.statistics.reportedRowsWritten > 0 }
    #expect(boiler.store.statistics.reportedRowsWritten == 1)
    let killed = try Boiler(in: directory.copy(), attaches: false)
    let twin = try #require(killed.store.snapshot(Boiler.key))
    #expect(twin.properties.isEmpty, "nothing is attached")
    killed.store.attach(Boiler.key, properties: properties(["counter": nil, "slow": nil]), writesEnabled: false)
    #expect(killed["counter"].reading.value == .integer(3) && killed["slow"].reading.value == nil)

    try await boiler.store.persist(every: .seconds(3_600))
    #expect(boiler.store.statistics.reportedRowsWritten == 2)
    try await boiler.store.persist(every: .seconds(86_400))
    #expect(boiler.store.statistics.reportedRowsWritten == 3)
  }

  @Test func `Many changes within an interval are one row for each property, whichever group it is in`() async throws {
    let intervals: [String: Duration?] = ["a": nil, "b": .seconds(600), "c": .seconds(601)]
    let boiler = try Boiler(in: directory, options: rarely, properties: properties(intervals))
    for value in 0..<200 {
      for name in intervals.keys { boiler.report(name, .integer(Int64(value))) }
    }
    try await boiler.store.flush()
    #expect(boiler.store.statistics.reportedRowsWritten == 3)
  }

  @Test func `More intervals than there are groups are served by the nearest shorter one`() async throws {
    let names = Dictionary(uniqueKeysWithValues: (0..<300).map { ("p\($0)", Duration?.some(.seconds(1_000 + $0))) })
    let boiler = try Boiler(in: directory, options: rarely, properties: properties(names))
    for name in names.keys { boiler.report(name, .integer(1)) }
    try await boiler.store.flush()
    #expect(boiler.store.statistics.reportedRowsWritten == 300)
  }

  @Test func `Every lookup of the file goes by an index`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(1))
    await boiler.store.close()
    let connection = try Connection(path: directory.path + "/twin.db")
    for sql in [
      "DELETE FROM device WHERE id = 1", "SELECT 1 FROM property WHERE device = 1",
      "SELECT 1 FROM reported WHERE property = 1", "DELETE FROM desired WHERE property = 1",
      "SELECT value FROM meta WHERE key = 'version'",
    ] {
      let plan = try connection.statement("EXPLAIN QUERY PLAN " + sql)
      #expect(try plan.step())
      #expect(plan.text(3).hasPrefix("SEARCH"), "\(sql): \(plan.text(3))")
      plan.reset()
    }
  }

  @Test func `What removed devices leave is given back in small steps`() async throws {
    let boiler = try Boiler(in: directory, options: .init(reportedInterval: .milliseconds(20)))
    let keys = (0..<400).map { DeviceKey(namespace: "default", name: "device-\($0)") }
    var batch = SampleBatch()
    for key in keys {
      boiler.store.attach(key, properties: Boiler.properties, writesEnabled: false)
      let point = boiler.points.id(of: PointName(device: key, property: "label"))
      batch.append(
        point, .string(String(repeating: "x", count: 3_000)), quality: .good, sourceTime: 1, gatewayTime: 1)
    }
    boiler.store.ingest(batch)
    try await boiler.store.flush()
    func pages() throws -> Int64 {
      let connection = try Connection(path: directory.path + "/twin.db", readOnly: true)
      let statement = try connection.statement("PRAGMA page_count")
      _ = try statement.step()
      defer { statement.reset() }
      return statement.integer(0)
    }
    let full = try pages()
    #expect(full > 400)
    for key in keys { boiler.store.remove(key) }
    try await eventually("the file shrinks", seen: { "\(try pages()) of \(full) pages" }) { try pages() < full / 4 }
  }

  @Test func `Only devices that are long gone are forgotten`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(1))
    let gone = DeviceKey(namespace: "default", name: "gone")
    let recent = DeviceKey(namespace: "default", name: "recent")
    try await boiler.store.setDesired(["setpoint": 1], of: gone, from: .spec)
    boiler.clock.advance(.seconds(86_400 * 5))
    try await boiler.store.setDesired(["setpoint": 1], of: recent, from: .spec)
    boiler.clock.advance(.seconds(86_400 * 3))
    let week = Duration.seconds(86_400 * 7)
    #expect(boiler.store.removeForgotten(besides: [gone], after: week).isEmpty)
    #expect(boiler.store.removeForgotten(besides: [], after: week) == [gone])
    #expect(boiler.store.devices == [Boiler.key, recent], "the one is served, the other was wished for lately")
  }
}
