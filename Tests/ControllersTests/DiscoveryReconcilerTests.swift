import Controllers
import DeviceKit
import Documents
import Resources
import Testing

@Suite struct DiscoveryReconcilerTests {
  private let discovery: JSONValue = [
    "metadata": ["name": "plc-net", "namespace": "default"],
    "spec": [
      "modbus": [:], "gracePeriod": "5m",
      "template": ["metadata": ["labels": ["line": "a"]], "spec": ["modelRef": ["name": "generic"]]],
    ],
  ]
  private let boiler = DiscoveredDevice(
    identity: ["vendorName": "Example Works"], stableID: "example|bc-4|1", nameHint: "BC-4",
    connection: ["tcp": ["host": "127.0.0.1", "port": 1502]])

  private func reconciler(_ changes: JSONValue = [:]) -> DiscoveryReconciler {
    DiscoveryReconciler(discovery: discovery.merging(changes), protocolName: "modbus", nodeName: "gw-1")
  }

  private func stored(_ directives: [DiscoveryReconciler.Directive]) -> [ObjectKey: JSONValue] {
    var objects: [ObjectKey: JSONValue] = [:]
    for case .create(let object, _) in directives {
      objects[
        ObjectKey(
          namespace: object[path: "metadata", "namespace"]?.string ?? "",
          name: object[path: "metadata", "name"]?.string ?? "")] = object
    }
    return objects
  }

  @Test func aFindBecomesADeviceWithTheTemplatesLabelsAndItsModelAsFallback() throws {
    var reconciler = reconciler()
    let directives = reconciler.reconcile(
      [boiler], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0))
    guard case .create(let object, let identity)? = directives.first else {
      Issue.record("no creation: \(directives)")
      return
    }
    #expect(directives.count == 1)
    #expect(identity == ["vendorName": "Example Works"])
    #expect(object[path: "metadata", "labels", "line"] == "a")
    #expect(object[path: "metadata", "labels", DiscoveryReconciler.discoveryLabel] == "plc-net")
    #expect(object[path: "spec", "connection", "modbus", "tcp", "port"] == 1502)
    #expect(object[path: "spec", "modelRef"] == nil)
    #expect(object[path: "metadata", "annotations", DeviceResolver.fallbackModelAnnotation] == "generic")
    let name = try #require(object[path: "metadata", "name"]?.string)
    #expect(name.hasPrefix("bc-4-") && name.count == 5 + 12)
  }

  @Test func writesAreDisabledAndAdmissionIsSetAtCreationAlone() {
    #expect(reconciler().creationFields() == ["writes": "Disabled"])
    let manual = reconciler(["spec": ["admission": "Manual"]])
    #expect(manual.creationFields() == ["writes": "Disabled", "admitted": false])
    var fresh = manual
    let directives = fresh.reconcile([boiler], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0))
    guard case .create(let object, _)? = directives.first else {
      Issue.record("no creation")
      return
    }
    #expect(object[path: "spec", "writes"] == nil && object[path: "spec", "admitted"] == nil)
  }

  @Test func aKnownFindIsAppliedAgainNotCreated() {
    var reconciler = reconciler()
    let now = Timestamp(seconds: 0)
    let existing = stored(reconciler.reconcile([boiler], existing: [:], isConnected: { _ in false }, now: now))
    let again = reconciler.reconcile([boiler], existing: existing, isConnected: { _ in false }, now: now)
    guard case .apply? = again.first else {
      Issue.record("not applied: \(again)")
      return
    }
    #expect(again.count == 1)
  }

  @Test func whatVanishesStaysForItsGracePeriodAndThenGoes() throws {
    var reconciler = reconciler()
    let existing = stored(
      reconciler.reconcile([boiler], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0)))
    let key = try #require(existing.keys.first)
    #expect(
      reconciler.reconcile([], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 299)) == [])
    #expect(
      reconciler.reconcile([], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 300))
        == [.delete(key, uid: "")])
  }

  @Test func aDeviceThatAnswersItsPollingHasNotVanished() {
    var reconciler = reconciler()
    let existing = stored(
      reconciler.reconcile([boiler], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0)))
    #expect(
      reconciler.reconcile([], existing: existing, isConnected: { _ in true }, now: Timestamp(seconds: 900)) == [])
    #expect(
      reconciler.reconcile([], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 1_100)) == [])
  }

  @Test func aVanishedDeviceThatAPersonHasWrittenToIsLetGo() throws {
    var reconciler = reconciler()
    var existing = stored(
      reconciler.reconcile([boiler], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0)))
    let key = try #require(existing.keys.first)
    existing[key]?["metadata"]?["managedFields"] = [
      ["manager": "selvedge-discovery-plc-net", "fieldsV1": ["f:spec": ["f:connection": [:]]]],
      ["manager": "kubectl-patch", "fieldsV1": ["f:spec": ["f:desired": [:]]]],
    ]
    #expect(
      reconciler.reconcile([], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 400))
        == [.letGo(key)])
  }

  /// A device that was found by its address, then tells its serial number, then moves.
  @Test func aDeviceThatComesToTellWhoItIsStaysTheSame() throws {
    func find(_ serial: String?, at port: Int64) -> DiscoveredDevice {
      DiscoveredDevice(
        identity: serial.map { ["serialNumber": $0] } ?? [:],
        stableID: serial.map { "Example Works/PC-2/\($0)" } ?? "10.0.0.1:\(port) unit 1",
        formerIDs: serial == nil ? [] : ["10.0.0.1:\(port) unit 1"], nameHint: "PC-2",
        connection: ["tcp": ["host": "10.0.0.1", "port": .integer(port)]])
    }
    var reconciler = reconciler()
    func look(_ finds: DiscoveredDevice..., existing: [ObjectKey: JSONValue]) -> [ObjectKey: JSONValue] {
      var after = existing
      for directive in reconciler.reconcile(
        finds, existing: existing, isConnected: { _ in true }, now: Timestamp(seconds: 0))
      {
        switch directive {
        case .create(let object, _), .apply(let object, _): after[object.objectKey] = object
        case .delete(let key, _), .letGo(let key): after[key] = nil
        }
      }
      return after
    }
    func ports(_ devices: [ObjectKey: JSONValue]) -> [ObjectKey: Int] {
      devices.compactMapValues { $0[path: "spec", "connection", "modbus", "tcp", "port"]?.int }
    }
    var devices = look(find(nil, at: 1502), existing: [:])
    let key = try #require(devices.keys.first)
    devices = look(find("S-1", at: 1502), existing: devices)
    #expect(ports(devices) == [key: 1502], "no second Device")
    devices = look(find("S-1", at: 1503), existing: devices)
    #expect(ports(devices) == [key: 1503], "the same, elsewhere")
    devices = look(find("S-1", at: 1503), find("S-2", at: 1502), existing: devices)
    #expect(devices.count == 2 && ports(devices)[key] == 1503, "another device at its old address is another")
    let other = try #require(devices.keys.first { $0 != key })
    devices = look(find("S-1", at: 1502), find("S-2", at: 1503), existing: devices)
    #expect(ports(devices) == [key: 1502, other: 1503], "they change places")
  }

  @Test func aDeviceOfTheSameNameThatAPersonMadeIsLeftAlone() {
    var reconciler = reconciler()
    let exact = DiscoveredDevice(
      identity: [:], stableID: "sensors/room-1", nameHint: "room-1", isNameExact: true,
      connection: ["base": "sensors/room-1"])
    let existing = [ObjectKey(namespace: "default", name: "room-1"): JSONValue.object(["metadata": ["name": "room-1"]])]
    #expect(
      reconciler.reconcile([exact], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 0)) == [])
  }

  @Test func aFindThatAPersonsDeviceServesAlreadyMakesNoSecondDevice() {
    var reconciler = reconciler()
    let manual: JSONValue = [
      "metadata": ["name": "boiler-1"],
      "spec": [
        "connection": ["modbus": ["tcp": ["host": "127.0.0.1", "port": 1502, "framing": "TCP"], "timeout": "1s"]]
      ],
    ]
    let existing = [ObjectKey(namespace: "default", name: "boiler-1"): manual]
    #expect(
      reconciler.reconcile([boiler], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 0)) == [])
  }

  @Test(arguments: [
    ("BC-4 (rev. 2)", "bc-4-rev-2"), ("ÄÖ", ""), ("--x--", "x"),
    (String(repeating: "a", count: 80), String(repeating: "a", count: 63)),
  ]) func namesAreMadeLegal(_ text: String, _ expected: String) {
    #expect(DeviceNaming.legal(text) == expected)
  }

  @Test func namesDifferByIdentityAndNotByHint() {
    let names = Set((0..<10_000).map { DeviceNaming.name(hint: "meter", discovery: "d", stableID: "serial-\($0)") })
    #expect(names.count == 10_000)
    #expect(names.allSatisfy { $0.count <= 63 })
  }

  /// An inverter that brings the model of its protocol's standard along.
  private func inverter(_ serial: String, port: Int64, properties: JSONValue = []) -> DiscoveredDevice {
    DiscoveredDevice(
      identity: ["vendorName": "Sunny Works", "serialNumber": serial], stableID: "Sunny Works/SW-10K/\(serial)",
      nameHint: "Sunny Works-SW-10K", connection: ["tcp": ["host": "127.0.0.1", "port": .integer(port)]],
      standardModel: DiscoveredModel(
        nameHint: "sunspec-103", specification: ["protocol": "modbus", "properties": properties]))
  }

  @Test func devicesOfOneStandardModelShareIt() throws {
    let plain = discovery.merging(["spec": ["template": ["spec": ["modelRef": nil]]]])
    var reconciler = DiscoveryReconciler(discovery: plain, protocolName: "modbus", nodeName: "gw-1")
    let finds = [inverter("1", port: 1), inverter("2", port: 2), inverter("3", port: 3, properties: [["name": "w"]])]
    let models = reconciler.standardModels(of: finds)
    #expect(models.count == 2)
    let name = try #require(models.first?[path: "metadata", "name"]?.string)
    #expect(name.hasPrefix("sunspec-103-") && name.count <= 63)
    #expect(models.first?[path: "metadata", "labels", DiscoveryReconciler.standardModelLabel] == "modbus")
    #expect(models.first?["spec"] == ["protocol": "modbus", "properties": []])
    let directives = reconciler.reconcile(
      finds, existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0))
    let fallbacks = stored(directives).values.compactMap {
      $0[path: "metadata", "annotations", DeviceResolver.fallbackModelAnnotation]?.string
    }
    #expect(fallbacks.count == 3 && fallbacks.filter { $0 == name }.count == 2)
    #expect(
      stored(directives).values.allSatisfy { $0[path: "spec", "modelRef"] == nil }, "a model that matches goes first")
  }

  @Test func theTemplatesModelGoesBeforeTheStandards() {
    var reconciler = reconciler()
    #expect(reconciler.standardModels(of: [inverter("1", port: 1)]).isEmpty)
    let directives = reconciler.reconcile(
      [inverter("1", port: 1)], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0))
    let fallbacks = stored(directives).values.compactMap {
      $0[path: "metadata", "annotations", DeviceResolver.fallbackModelAnnotation]?.string
    }
    #expect(fallbacks == ["generic"])
  }

  @Test func aDeviceThatMovedKeepsItsNameAndGetsItsNewConnection() throws {
    var reconciler = reconciler()
    let first = reconciler.reconcile(
      [inverter("1", port: 1)], existing: [:], isConnected: { _ in false }, now: Timestamp(seconds: 0))
    let existing = stored(first)
    let second = reconciler.reconcile(
      [inverter("1", port: 2)], existing: existing, isConnected: { _ in false }, now: Timestamp(seconds: 900))
    guard case .apply(let object, _)? = second.first else {
      Issue.record("no apply: \(second)")
      return
    }
    #expect(second.count == 1 && existing.keys.first?.name == object[path: "metadata", "name"]?.string)
    #expect(object[path: "spec", "connection", "modbus", "tcp", "port"] == 2)
  }
}
