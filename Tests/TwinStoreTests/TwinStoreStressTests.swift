import DeviceKit
import Documents
import Testing
import TwinStore

/// Many tasks at once on one store, each checking what it may rely on.
@Suite struct TwinStoreStressTests {
  private static let devices = 8
  private static let rounds: Int64 = 300

  private func key(_ number: Int) -> DeviceKey { DeviceKey(namespace: "default", name: "device-\(number)") }

  @Test(.timeLimit(.minutes(10)))
  func `Ingesting, patching, watching, snapshots, links and removals at once keep every promise`() async throws {
    let directory = TemporaryDirectory()
    let boiler = try Boiler(in: directory, clock: ManualClock(), options: .init(reportedInterval: .zero))
    let store = boiler.store
    for number in 0..<Self.devices {
      store.attach(key(number), properties: Boiler.properties, writesEnabled: true)
    }
    let acknowledged = try await withThrowingTaskGroup(of: [DeviceKey: JSONValue].self) { group in
      for number in 0..<Self.devices {
        let device = key(number)
        group.addTask { self.ingest(store, boiler.points, device) }
        group.addTask { try await patch(store, device, from: number) }
        group.addTask { await snapshots(store, device) }
      }
      group.addTask { await watch(store) }
      group.addTask { await churn(store) }
      group.addTask { await flap(store) }
      var all: [DeviceKey: JSONValue] = [:]
      for try await part in group { all.merge(part) { $1 } }
      return all
    }
    #expect(acknowledged.count == Self.devices)
    try await store.flush()
    let killed = try Boiler(in: directory.copy(), attaches: false)
    for number in 0..<Self.devices {
      let device = key(number)
      killed.store.attach(device, properties: Boiler.properties, writesEnabled: true)
      let twin = try #require(killed.store.snapshot(device))
      #expect(twin["setpoint"]?.desired?.value == acknowledged[device])
      #expect(twin["counter"]?.reading.value == .integer(Self.rounds))
      #expect(twin.version > (store.snapshot(device)?.version ?? .max))
    }
    #expect(killed.store.snapshot(DeviceKey(namespace: "default", name: "passing")) == nil)
    let statistics = store.statistics
    #expect(statistics.samples == Self.devices * Int(Self.rounds) * 2 && statistics.unknownPoint == 0)
    await store.close()
  }

  private func ingest(_ store: TwinStore, _ points: PointTable, _ device: DeviceKey) -> [DeviceKey: JSONValue] {
    let counter = points.id(of: PointName(device: device, property: "counter"))
    let setpoint = points.id(of: PointName(device: device, property: "setpoint"))
    for value in 1...Self.rounds {
      var batch = SampleBatch()
      batch.append(
        counter, kind: .integer, payload: UInt64(value), quality: .good, sourceTime: value, gatewayTime: value)
      batch.append(
        setpoint, kind: .number, payload: Double(20 + value % 40).bitPattern, quality: .good, sourceTime: value,
        gatewayTime: value)
      store.ingest(batch)
    }
    return [:]
  }

  private func patch(_ store: TwinStore, _ device: DeviceKey, from start: Int) async throws -> [DeviceKey: JSONValue] {
    var last: JSONValue = .null
    for step in 0..<40 {
      let value = JSONValue.integer(Int64(20 + (start + step) % 40))
      let twin = try await store.setDesired(["setpoint": value], of: device, from: .local(user: "operator"))
      #expect(twin["setpoint"]?.desired?.value == value, "the answer has the change")
      last = value
    }
    return [device: last]
  }

  /// Values rise, versions never fall, a property's version is never above its twin's.
  private func snapshots(_ store: TwinStore, _ device: DeviceKey) async -> [DeviceKey: JSONValue] {
    var version: UInt64 = 0
    var counter: Int64 = 0
    while counter < Self.rounds {
      guard let twin = store.snapshot(device) else { continue }
      #expect(twin.version >= version)
      version = twin.version
      if case .integer(let value)? = twin["counter"]?.reading.value {
        #expect(value >= counter)
        counter = value
      }
      #expect(twin.properties.allSatisfy { $0.version <= twin.version })
      await Task.yield()
    }
    return [:]
  }

  /// A feed told of every twin's last version: what it heard last is what there is.
  private func watch(_ store: TwinStore) async -> [DeviceKey: JSONValue] {
    let feed = store.changes()
    var heard: [DeviceKey: UInt64] = [:]
    var seen: UInt64 = 0
    func isDone() -> Bool {
      (0..<Self.devices).allSatisfy { store.snapshot(key($0))?["counter"]?.reading.value == .integer(Self.rounds) }
    }
    while !isDone() {
      let (version, changes) = store.take(feed)
      #expect(version >= seen)
      seen = version
      for entry in changes {
        guard let version = entry.version else { continue }
        #expect(version >= heard[entry.device] ?? 0)
        heard[entry.device] = version
      }
      await Task.yield()
    }
    return [:]
  }

  /// A device that comes and goes, with a wish each time.
  private func churn(_ store: TwinStore) async -> [DeviceKey: JSONValue] {
    let device = DeviceKey(namespace: "default", name: "passing")
    for round in 0..<40 {
      store.attach(device, properties: Boiler.properties, writesEnabled: round % 2 == 0)
      async let wish = try? store.setDesired(["setpoint": 30], of: device, from: .spec)
      store.remove(device)
      _ = await wish
      store.remove(device)
    }
    return [:]
  }

  private func flap(_ store: TwinStore) async -> [DeviceKey: JSONValue] {
    for round in 0..<200 {
      let device = key(round % Self.devices)
      store.connection(device, isConnected: round % 3 != 0)
      let work = store.takeWork(device)
      for read in work.reads { store.complete(read, of: device, .failure(DeviceError(reason: "Timeout", message: ""))) }
      for write in work.writes where store.isWanted(write, of: device) { store.complete(write, of: device, nil) }
      await Task.yield()
    }
    return [:]
  }
}
