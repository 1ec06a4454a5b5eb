import DeviceKit
import Documents
import Testing
import TwinStore

@Suite struct TwinStoreReportedTests {
  let directory = TemporaryDirectory()

  @Test func `A twin has its model's properties in order, Bad until they are read`() throws {
    let boiler = try Boiler(in: directory)
    let twin = try #require(boiler.store.snapshot(Boiler.key))
    #expect(twin.properties.map(\.name) == Boiler.properties.map(\.0.name))
    #expect(twin.properties.allSatisfy { $0.reading.quality == .bad && $0.reading.value == nil })
    #expect(boiler.store.devices == [Boiler.key])
  }

  @Test(arguments: [
    ("temperature", Value.number(21.5)), ("pump", .boolean(true)), ("counter", .integer(.min)),
    ("counter", .unsigned(.max)), ("label", .string("Kessel 1 – größer")),
    ("config", .object(["a": [1, 2]])),
  ])
  func `Every type is kept exactly, over a restart too`(property: String, value: Value) async throws {
    let boiler = try Boiler(in: directory)
    boiler.report(property, value)
    #expect(boiler[property].reading.value == value && boiler[property].reading.quality == .good)
    await boiler.store.close()
    let again = try Boiler(in: directory)
    #expect(again[property].reading.value == value)
    #expect(again[property].reading.quality == .uncertain, "not read since the start")
    #expect(again[property].reading.sourceTime == boiler[property].reading.sourceTime)
    again.report(property, value)
    #expect(again[property].reading.quality == .good)
  }

  @Test func `An unchanged value refreshes the times and nothing else`() throws {
    let boiler = try Boiler(in: directory)
    boiler.report("temperature", .number(20))
    let before = boiler.version
    boiler.clock.advance(.seconds(1))
    boiler.report("temperature", .number(20))
    #expect(boiler.version == before)
    #expect(boiler["temperature"].reading.gatewayTime == boiler.clock.now)
    #expect(boiler["temperature"].reading.sourceTime == boiler.clock.now)
  }

  @Test func `Devices in one batch never share a version: a watch is resumed after the last twin that it was told of`()
    throws
  {
    let boiler = try Boiler(in: directory)
    let other = DeviceKey(namespace: "default", name: "boiler-2")
    let pump = boiler.points.id(of: PointName(device: other, property: "pump"))
    boiler.store.attach(other, properties: [Boiler.properties[2]], writesEnabled: false)
    let temperature = boiler.points.id(of: PointName(device: Boiler.key, property: "temperature"))
    let unknown = boiler.points.id(of: PointName(device: other, property: "nothing"))
    let feed = boiler.store.changes()
    var batch = SampleBatch()
    let samples: [(PointID, Value)] = [
      (temperature, .number(1)), (unknown, .number(2)), (pump, .boolean(true)), (pump, .integer(3)),
      (temperature, .number(4)), (pump, .boolean(false)),
    ]
    for (point, value) in samples {
      let now = boiler.clock.now.nanoseconds
      batch.append(point, value, quality: .good, sourceTime: now, gatewayTime: now)
    }
    let statistics = boiler.store.statistics
    boiler.store.ingest(batch)
    let first = try #require(boiler.store.snapshot(Boiler.key))
    let second = try #require(boiler.store.snapshot(other))
    #expect(first.version < second.version && second.version == boiler.store.version)
    #expect(first["temperature"]?.reading.value == .number(4))
    #expect(second["pump"]?.reading.value == .boolean(false) && second["pump"]?.reading.quality == .good)
    #expect(Set(feed.take().keys) == [Boiler.key, other])
    #expect(boiler.store.statistics.samples == statistics.samples + 6)
    #expect(boiler.store.statistics.unknownPoint == statistics.unknownPoint + 1)
    #expect(boiler.store.statistics.wrongType == statistics.wrongType + 1)
  }

  @Test func `A failed reading keeps the last value and its time, and says why it is Bad`() throws {
    let boiler = try Boiler(in: directory)
    boiler.report("temperature", .number(20))
    let readAt = boiler.clock.now
    boiler.clock.advance(.seconds(5))
    boiler.report("temperature", nil, quality: .bad, cause: "Timeout")
    let reading = boiler["temperature"].reading
    #expect(reading.value == .number(20) && reading.quality == .bad && reading.cause == "Timeout")
    #expect(reading.sourceTime == readAt && reading.gatewayTime == boiler.clock.now)
    boiler.report("temperature", .number(20))
    #expect(boiler["temperature"].reading.quality == .good && boiler["temperature"].reading.cause == "")
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `A number that is not finite is Bad and no error, on the encoded path too`(number: Double) throws {
    let boiler = try Boiler(in: directory)
    boiler.report("temperature", .number(20))
    var batch = SampleBatch()
    batch.append(
      boiler.points.id(of: PointName(device: Boiler.key, property: "temperature")), kind: .number,
      payload: number.bitPattern, quality: .good, sourceTime: 1, gatewayTime: 1)
    boiler.store.ingest(batch)
    #expect(boiler["temperature"].reading.quality == .bad && boiler["temperature"].reading.value == .number(20))
  }

  @Test(arguments: [
    ("temperature", Value.integer(20), Value?.some(.number(20))), ("counter", .number(3), .integer(3)),
    ("counter", .number(3.5), nil), ("pump", .integer(1), nil), ("label", .number(1), nil),
    ("label", .object([:]), nil), ("temperature", .string("20"), nil),
  ])
  func `A value of another type is converted where nothing is lost, else Bad and counted`(
    property: String, value: Value, kept: Value?
  ) throws {
    let boiler = try Boiler(in: directory)
    boiler.report(property, value)
    #expect(boiler[property].reading.value == kept)
    #expect(boiler[property].reading.quality == (kept == nil ? .bad : .good))
    #expect(boiler.store.statistics.wrongType == (kept == nil ? 1 : 0))
  }

  @Test func `Samples of points that nobody serves are counted`() throws {
    let boiler = try Boiler(in: directory)
    var batch = SampleBatch()
    batch.append(
      boiler.points.id(of: PointName(device: Boiler.key, property: "ghost")), .number(1), quality: .good, sourceTime: 1,
      gatewayTime: 1)
    boiler.store.ingest(batch)
    boiler.store.detach(Boiler.key)
    boiler.report("temperature", .number(1))
    #expect(boiler.store.statistics.samples == 2 && boiler.store.statistics.unknownPoint == 2)
  }

  @Test func `Rising values are never seen to fall`() async throws {
    let boiler = try Boiler(in: directory)
    let reader = Task {
      var inversions = 0
      var last: Int64 = 0
      while last < 2_000 {
        if case .integer(let value)? = boiler["counter"].reading.value {
          if value < last { inversions += 1 }
          last = value
        }
        await Task.yield()
      }
      return inversions
    }
    for value in Int64(1)...2_000 {
      boiler.report("counter", .integer(value))
      if value % 50 == 0 { await Task.yield() }
    }
    #expect(await reader.value == 0)
    #expect(boiler["counter"].reading.value == .integer(2_000))
  }

  @Test func `Losing the link makes Good values Uncertain without wearing the disk`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.store.connection(Boiler.key, isConnected: true)
    boiler.report("temperature", .number(20))
    try await boiler.store.flush()
    let rows = boiler.store.statistics.reportedRowsWritten
    boiler.store.connection(Boiler.key, isConnected: false)
    #expect(boiler["temperature"].reading.quality == .uncertain)
    boiler.store.connection(Boiler.key, isConnected: true)
    boiler.report("temperature", .number(20))
    #expect(boiler["temperature"].reading.quality == .good)
    try await boiler.store.flush()
    #expect(boiler.store.statistics.reportedRowsWritten == rows)
  }

  @Test func `Many changes of one property are one row, and unchanged values none`() async throws {
    let boiler = try Boiler(in: directory)
    for value in 0..<1_000 { boiler.report("counter", .integer(Int64(value))) }
    try await boiler.store.flush()
    #expect(boiler.store.statistics.reportedRowsWritten == 1)
    let commits = boiler.store.statistics.commits
    for _ in 0..<1_000 { boiler.report("counter", .integer(999)) }
    try await boiler.store.flush()
    #expect(boiler.store.statistics.reportedRowsWritten == 1 && boiler.store.statistics.commits == commits)
  }

  @Test func `After a kill a reported value is at most the interval old`() async throws {
    let boiler = try Boiler(in: directory, options: .init(reportedInterval: .milliseconds(50)))
    boiler.report("counter", .integer(7))
    let deadline = ContinuousClock.now + .seconds(20)
    while boiler.store.statistics.reportedRowsWritten == 0, .now < deadline { await Task.yield() }
    let killed = try Boiler(in: directory.copy())
    #expect(killed["counter"].reading.value == .integer(7))
  }

  @Test func `Versions never go back, over a kill and over a clean stop`() async throws {
    var place = directory
    var last: UInt64 = 0
    for round in 0..<6 {
      let boiler = try Boiler(in: place)
      #expect(boiler.version > last)
      for value in 0..<500 { boiler.report("counter", .integer(Int64(value + round))) }
      #expect(boiler.version > last)
      last = boiler.version
      if round % 2 == 0 { place = place.copy() } else { await boiler.store.close() }
    }
  }

  @Test func `Each property carries the version of its own last change`() throws {
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(1))
    let counted = boiler["counter"].version
    boiler.report("temperature", .number(1))
    #expect(boiler["counter"].version == counted && boiler["temperature"].version > counted)
    #expect(boiler.version >= boiler["temperature"].version)
  }

  @Test func `A changed model keeps what is of the same type and forgets the rest`() throws {
    let boiler = try Boiler(in: directory)
    boiler.report("temperature", .number(20))
    boiler.report("counter", .integer(5))
    var properties = Boiler.properties
    properties[3].0.type = .string
    properties[0].0.unit = "K"
    properties.remove(at: 4)
    boiler.store.attach(Boiler.key, properties: properties, writesEnabled: true)
    #expect(boiler["temperature"].reading.value == .number(20) && boiler["temperature"].definition?.unit == "K")
    #expect(boiler["counter"].reading.value == nil && boiler["counter"].reading.quality == .bad)
    #expect(boiler.store.snapshot(Boiler.key)?["label"] == nil)
    let version = boiler.version
    boiler.store.attach(Boiler.key, properties: properties, writesEnabled: true)
    #expect(boiler.version == version, "attaching again changes nothing")
  }

  @Test func `A removed twin is gone for good and its name can come back`() async throws {
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(5))
    try await boiler.store.flush()
    let uid = boiler.store.snapshot(Boiler.key)?.uid
    let version = boiler.version
    boiler.store.remove(Boiler.key)
    #expect(boiler.store.snapshot(Boiler.key) == nil && boiler.store.devices.isEmpty)
    boiler.store.attach(Boiler.key, properties: Boiler.properties, writesEnabled: true)
    #expect(boiler["counter"].reading.value == nil && boiler.version > version)
    boiler.report("counter", .integer(6))
    await boiler.store.close()
    let again = try Boiler(in: directory)
    #expect(again["counter"].reading.value == .integer(6) && again.store.snapshot(Boiler.key)?.uid != uid)
  }
}
