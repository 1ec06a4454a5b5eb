import Controllers
import DeviceKit
import Documents
import Logging
import Synchronization
import TestSupport
import Testing
import TwinStore

/// The properties of twins, as servers see them and wish of them.
@Suite struct TwinPropertyAccessTests {
  private final class Records: Sendable {
    let list = Mutex<[TwinPropertyAccess.Record]>([])
  }
  private struct Scene {
    let folder: ScratchFolder
    let points = PointTable()
    let twins: TwinStore
    let records = Records()
    let access: TwinPropertyAccess
    static let device = DeviceKey(namespace: "default", name: "boiler-1")
    static let other = DeviceKey(namespace: "default", name: "boiler-2")

    init(isReadOnly: Bool = false) throws {
      folder = try ScratchFolder()
      twins = try TwinStore.open(
        directory: folder("twins"), points: points, logger: Logger(label: "test"),
        options: .init(isReadOnlyGateway: isReadOnly))
      let records = records
      access = TwinPropertyAccess(twins: twins) { record in records.list.withLock { $0.append(record) } }
    }

    func attach(_ device: DeviceKey = Self.device, writesEnabled: Bool = true) {
      twins.attach(
        device,
        properties: [
          (
            PropertyDefinition(name: "setpoint", type: .number, access: .readWrite, minimum: 20, maximum: 85),
            WriteRules()
          ),
          (PropertyDefinition(name: "pump", type: .boolean, access: .readWrite), WriteRules()),
          (PropertyDefinition(name: "temperature", type: .number), WriteRules()),
        ], writesEnabled: writesEnabled)
      twins.connection(device, isConnected: true)
    }

    func name(_ property: String, of device: DeviceKey = Self.device) -> PointName {
      PointName(device: device, property: property)
    }

    func report(_ property: String, _ value: Value) {
      var batch = SampleBatch()
      batch.append(points.id(of: name(property)), value, quality: .good, sourceTime: 1, gatewayTime: 2)
      twins.ingest(batch)
    }

    func wish(_ values: [(PointName, Value)]) async -> WishRefusal? {
      do throws(WishRefusal) {
        try await access.wish(values.map { PropertyWish(name: $0.0, value: $0.1) }, by: "modbus:10.1.0.7")
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func aPropertyIsThereWhileItsDeviceIsServed() async throws {
    let scene = try Scene()
    let point = scene.access.point(of: scene.name("temperature"))
    #expect(scene.access.states(of: [point, PointID(index: 9_999)]) == [nil, nil])
    scene.attach()
    let before = scene.access.states(of: [point])[0]
    #expect(before?.type == .number && before?.reading.value == nil && before?.reading.quality == .bad)
    var version = scene.access.version
    func hasRisen() -> Bool {
      defer { version = scene.access.version }
      return scene.access.version > version
    }
    scene.report("temperature", .number(42.5))
    #expect(hasRisen())
    #expect(scene.access.states(of: [point])[0]?.reading.value == .number(42.5))
    scene.twins.connection(Scene.device, isConnected: false)
    #expect(hasRisen())
    #expect(scene.access.states(of: [point])[0]?.reading.quality == .uncertain)
    scene.twins.detach(Scene.device)
    #expect(hasRisen())
    #expect(scene.access.states(of: [point]) == [nil])
    await scene.twins.close()
  }

  @Test func aWishIsTheAuthorsAndSeenOnItsWay() async throws {
    let scene = try Scene()
    scene.attach()
    scene.report("setpoint", .number(30))
    #expect(await scene.wish([(scene.name("setpoint"), .number(60)), (scene.name("pump"), .boolean(true))]) == nil)
    let twin = scene.twins.snapshot(Scene.device)
    #expect(twin?["setpoint"]?.desired?.source == .local(user: "modbus:10.1.0.7"))
    #expect(twin?["pump"]?.desired?.value == true)
    let state = scene.access.states(of: [scene.access.point(of: scene.name("setpoint"))])[0]
    #expect(state?.wished == .number(60) && state?.reading.value == .number(30))
    #expect(scene.records.list.withLock { $0.map(\.author) } == ["modbus:10.1.0.7"])
    await scene.twins.close()
  }

  /// A PLC writes at every cycle.
  @Test func whatIsWishedAgainIsNoNews() async throws {
    let scene = try Scene()
    scene.attach()
    var wishes = [(scene.name("setpoint"), Value.number(60))]
    #expect(await scene.wish(wishes) == nil)
    let version = scene.twins.snapshot(Scene.device)?.version
    for _ in 0..<5 { #expect(await scene.wish(wishes) == nil) }
    #expect(scene.twins.snapshot(Scene.device)?.version == version)
    #expect(scene.records.list.withLock { $0.count } == 1)
    for _ in 0..<5 { #expect(await scene.wish([(scene.name("setpoint"), .number(90))])?.reason == .forbiddenValue) }
    #expect(scene.records.list.withLock { $0.count } == 2)
    wishes.append((scene.name("pump"), .boolean(true)))
    #expect(await scene.wish(wishes) == nil)
    #expect(scene.records.list.withLock { $0.count } == 3)
    await scene.twins.close()
  }

  @Test func whatIsRefusedIsRefusedWhole() async throws {
    let scene = try Scene()
    let (good, pump) = ((scene.name("setpoint"), Value.number(60)), (scene.name("pump"), Value.boolean(true)))
    #expect(await scene.wish([good])?.reason == .notServed)
    scene.attach()
    scene.attach(Scene.other)
    let far = scene.name("setpoint", of: Scene.other)
    let cases: [([(PointName, Value)], WishRefusal.Reason)] = [
      ([good, (scene.name("nothing"), .number(1))], .unknownProperty),
      ([good, (scene.name("temperature"), .number(1))], .readOnly),
      ([pump, (scene.name("setpoint"), .number(90))], .forbiddenValue),
      ([pump, (scene.name("setpoint"), .string("warm"))], .forbiddenValue),
      ([good, (far, .number(90))], .forbiddenValue),
      ([good, (scene.name("setpoint", of: DeviceKey(namespace: "default", name: "none")), .number(30))], .notServed),
    ]
    for (wishes, reason) in cases {
      #expect(await scene.wish(wishes)?.reason == reason)
    }
    #expect(await scene.wish([(far, .number(90))])?.message.contains("85") == true)
    for device in [Scene.device, Scene.other] {
      #expect(scene.twins.snapshot(device)?.properties.allSatisfy { $0.desired == nil } == true)
    }
    #expect(await scene.wish([good, (far, .number(61))]) == nil)
    #expect(scene.twins.snapshot(Scene.other)?["setpoint"]?.desired?.value.number == 61)
    await scene.twins.close()
    #expect(await scene.wish([(scene.name("setpoint"), .number(62))])?.reason == .notStored)
  }

  @Test(arguments: [true, false]) func whoMayNotWriteWishesNothing(isReadOnlyGateway: Bool) async throws {
    let scene = try Scene(isReadOnly: isReadOnlyGateway)
    // As the gateway attaches: read-only, no device has its writes enabled.
    scene.attach(writesEnabled: false)
    #expect(await scene.wish([(scene.name("setpoint"), .number(60))])?.reason == .writesDisabled)
    #expect(scene.twins.snapshot(Scene.device)?["setpoint"]?.desired == nil)
    await scene.twins.close()
  }

  @Test func whereTheSpecWinsItsPropertiesAreNotTheClients() async throws {
    let scene = try Scene()
    scene.attach()
    try await scene.twins.setDesired(["setpoint": 50], of: Scene.device, from: .spec, policy: .specWins)
    #expect(await scene.wish([(scene.name("setpoint"), .number(60))])?.reason == .specWins)
    #expect(scene.twins.snapshot(Scene.device)?["setpoint"]?.drift == nil)
    #expect(await scene.wish([(scene.name("pump"), .boolean(true))]) == nil)
    await scene.twins.close()
  }
}
