import DeviceKit
import Documents
import ModbusProtocol
import Plant
import Synchronization
import Testing

@Suite(.serialized) struct DiscoveryTests {
  private final class Notes: Sendable {
    private let state = Mutex((reports: [DiscoveryReport](), audit: [String]()))
    func take(_ report: DiscoveryReport) { state.withLock { $0.reports.append(report) } }
    func audit(_ line: String) { state.withLock { $0.audit.append(line) } }
    var reports: [DiscoveryReport] { state.withLock { $0.reports } }
    var audit: [String] { state.withLock { $0.audit } }
  }

  /// The first `count` reports of a discovery, looking every 100 ms.
  private func reports(
    _ specification: JSONValue, plugin: ModbusPlugin = ModbusPlugin(), count: Int = 1, served: [JSONValue] = [],
    others: @escaping @Sendable (String) -> [DiscoveredDevice]? = { _ in nil }, limit: Duration = .seconds(20),
    every: Duration = .milliseconds(100)
  ) async throws -> (reports: [DiscoveryReport], audit: [String]) {
    let notes = Notes()
    let request = DiscoveryRequest(
      name: "plc-net", specification: specification, every: every, servedConnections: { served },
      devicesOfDiscovery: others, audit: { notes.audit($0) })
    let discoverer = try #require(try plugin.discoverer(for: request))
    let task = Task { try await discoverer.run { notes.take($0) } }
    let arrived = await eventually(within: limit) { notes.reports.count >= count }
    task.cancel()
    _ = try? await task.value
    #expect(arrived)
    return (notes.reports, notes.audit)
  }

  private func scan(_ targets: [JSONValue], units: [JSONValue] = [1], rate: Int64 = 1000, timeout: String = "2s")
    -> JSONValue
  {
    [
      "tcp": [
        "targets": .array(targets), "unitIDs": .array(units), "probesPerSecond": .integer(rate),
        "probesPerSecondPerHost": 100,
        "timeout": .string(timeout),
      ]
    ]
  }

  @Test func aPymodbusServerTellsItsIdentity() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let (reports, audit) = try await reports(scan([.string("127.0.0.1:\(server.port)")], units: ["1-2"]), count: 2)
    for report in reports {
      #expect(report.devices.count == 2, "every report is the full set")
      #expect(
        report.devices.first?.identity == [
          "vendorName": "Example Works", "productCode": "BC-4", "revision": "2.1", "productName": "Boiler",
          "modelName": "BC-4 large",
        ])
      #expect(
        report.devices.first?.connection == [
          "tcp": ["host": "127.0.0.1", "port": .integer(Int64(server.port))], "unitID": 1,
        ])
      #expect(Set(report.devices.map(\.stableID)).count == 2)
      #expect(report.warnings.isEmpty)
    }
    #expect(audit.contains { $0.contains("unit 1 ") && $0.contains("43/14") })
  }

  /// A device without FC 43/14, SunSpec at 40000.
  private let inverter = SunSpecImage(models: [
    (1, SunSpecImage.common("Sunny Works", "SW-10K", "1.4", "S-0815")), (103, [UInt16](repeating: 0, count: 50)),
  ])

  @Test func aSunSpecInverterIsKnownByItsSerialNumber() async throws {
    let peer = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { peer.stop() }
    let (reports, _) = try await reports(scan([.string("127.0.0.1:\(peer.port)")]))
    let device = try #require(reports.first?.devices.first)
    #expect(device.stableID == "Sunny Works/SW-10K/S-0815")
    #expect(device.identity["serialNumber"] == "S-0815" && device.identity["revision"] == "1.4")
    let model = try #require(device.standardModel)
    #expect(model.nameHint == "sunspec-103")
    #expect(model.specification["properties"]?.array?.contains { $0["name"] == "inverter-w" } == true)
    #expect(Set(peer.requests.map { $0[7] }).isSubset(of: [43, 3, 17]), "only reading functions are sent")
  }

  @Test func anExceptionProvesALiveUnitAndAGatewaysDoesNot() async throws {
    let peer = try ScriptedPeer { request, _ in
      Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, request[6] == 1 ? 1 : 11]
    }
    defer { peer.stop() }
    let (reports, _) = try await reports(scan([.string("127.0.0.1:\(peer.port)")], units: ["1-3"]))
    #expect(reports.first?.devices.map(\.stableID) == ["127.0.0.1:\(peer.port) unit 1"])
    #expect(reports.first?.devices.first?.identity == [:])
    #expect(peer.requests.filter { $0[6] == 2 }.count == 1, "a gateway's word is taken at once")
  }

  @Test func anIdentificationWithoutEndIsGivenUp() async throws {
    let peer = try ScriptedPeer { request, _ in
      guard request[7] == 43 else { return Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 1] }
      // Always more, from object 1 on.
      return Array(request[0..<4]) + [0, 11, request[6], 43, 14, 1, 1, 0xFF, 1, 1, 0, 1, 0x41]
    }
    defer { peer.stop() }
    let (reports, _) = try await reports(scan([.string("127.0.0.1:\(peer.port)")]))
    #expect(reports.first?.devices.first?.identity == ["vendorName": "A"])
    #expect(peer.requests.count < 12)
  }

  @Test func theRateIsHeld() async throws {
    let peer = try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 11] }
    defer { peer.stop() }
    let start = ContinuousClock.now
    _ = try await reports(scan([.string("127.0.0.1:\(peer.port)")], units: ["1-6"], rate: 5))
    #expect(ContinuousClock.now - start >= .milliseconds(990), "six probes at five a second take a second")
  }

  @Test func aHostsOwnRateIsHeld() async throws {
    let peers = try (0..<2).map { _ in
      try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 11] }
    }
    defer { peers.forEach { $0.stop() } }
    var specification = scan(peers.map { .string("127.0.0.1:\($0.port)") }, units: ["1-4"])
    specification["tcp"]?["probesPerSecondPerHost"] = 5
    let start = ContinuousClock.now
    _ = try await reports(specification)
    // Two ports of one host are one host.
    #expect(ContinuousClock.now - start >= .milliseconds(1_390), "eight probes at five a second")
  }

  @Test func aLookTellsHowFarItIs() async throws {
    let peer = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { peer.stop() }
    let steps = Mutex<[DiscoveryProgress]>([])
    let request = DiscoveryRequest(
      name: "d", specification: scan([.string("127.0.0.1:\(peer.port)"), "127.0.0.2:1", "127.0.0.3-4"]),
      every: .seconds(900), progress: { step in steps.withLock { $0.append(step) } })
    let discoverer = try #require(try ModbusPlugin().discoverer(for: request))
    let (looks, look) = AsyncStream.makeStream(of: DiscoveryReport.self)
    let task = Task { try await discoverer.run { look.yield($0) } }
    for await _ in looks { break }
    task.cancel()
    _ = try? await task.value
    let told = steps.withLock { $0 }
    #expect(told.first == DiscoveryProgress(total: 4))
    #expect(told.map(\.done) == Array(0...4))
    #expect(told.last == DiscoveryProgress(done: 4, total: 4, found: 1, errors: 1), "the named host is an error")
  }

  @Test func theAuditLogSumsUpEachHostAndThoseWithoutModbus() async throws {
    let peer = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { peer.stop() }
    let (_, audit) = try await reports(scan([.string("127.0.0.1:\(peer.port)"), "127.0.0.2-4:1"]))
    let look = Array(audit.prefix { !$0.hasPrefix("scan ends") }) + [audit.first { $0.hasPrefix("scan ends") } ?? ""]
    #expect(look.count == 3, "\(audit)")
    #expect(
      look.first
        == "scan starts: 4 hosts, units 1, at most 1000 probes/s and 100 at one host, functions 43/14, 3 and 17, for the serial number that a model names 3 or 4"
    )
    #expect(
      look.dropFirst().first
        == "127.0.0.1:\(peer.port): 1 connections, 5 of function 3, 1 of function 43/14; unit 1 Sunny Works/SW-10K/S-0815"
    )
    #expect(look.last?.hasPrefix("scan ends: 1 devices; no Modbus at 3 ") == true, "\(audit)")
  }

  @Test func aNameIsNoWayRoundAnExclusion() async throws {
    let peer = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { peer.stop() }
    var specification = scan([.string("localhost:\(peer.port)")])
    specification["tcp"]?["exclude"] = ["127.0.0.0/8", "::1"]
    let (reports, _) = try await reports(specification)
    #expect(reports.first?.devices.isEmpty == true && peer.connections == 0)
    #expect(reports.first?.warnings.first?.contains("which is excluded, and is not contacted") == true)
  }

  @Test func oneMachineWithTwoNamesGetsOneConnection() async throws {
    let peer = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { peer.stop() }
    let (reports, _) = try await reports(
      scan([.string("127.0.0.1:\(peer.port)"), .string("localhost:\(peer.port)")]), every: .seconds(900))
    #expect(reports.first?.devices.count == 1)
    #expect(peer.connections == 1)
  }

  @Test func aCancelledLookEndsAndReportsNothing() async throws {
    let peer = try ScriptedPeer { _, _ in [] }
    defer { peer.stop() }
    let notes = Notes()
    let request = DiscoveryRequest(
      name: "d", specification: scan([.string("127.0.0.1:\(peer.port)")], units: ["1-200"], timeout: "2s"),
      every: .seconds(900), audit: { notes.audit($0) })
    let discoverer = try #require(try ModbusPlugin().discoverer(for: request))
    let task = Task { try await discoverer.run { notes.take($0) } }
    #expect(await eventually { !peer.requests.isEmpty })
    task.cancel()
    _ = try? await task.value
    #expect(notes.reports.isEmpty && peer.requests.count == 1)
    #expect(notes.audit.last?.hasPrefix("scan cancelled") == true)
  }

  /// The same inverter at another address: a plant that was moved.
  @Test func aDeviceThatMovesStaysTheSame() async throws {
    var ports: [Int] = []
    var identities: [String] = []
    for _ in 0..<2 {
      try await withPlant(PlantConfiguration(modbus: [.sunspec])) { plant in
        let port = try #require(plant.modbus.first?.port)
        ports.append(port)
        let (reports, _) = try await reports(scan([.string("127.0.0.1:\(port)")]))
        let device = try #require(reports.first?.devices.first)
        identities.append(device.stableID)
        #expect(device.connection[path: "tcp", "port"] == .integer(Int64(port)))
      }
    }
    #expect(identities == ["Example Works/SI-10/SI10-0001", "Example Works/SI-10/SI10-0001"])
  }

  /// Its old address still counts as served for a moment; the look that sees it at the new one must not take it for two.
  @Test func aDeviceSeenAtItsNewAddressIsNotTwo() async throws {
    let old = try ScriptedPeer { request, _ in
      request[7] == 3 && request[8] == 0 ? registersReply(request) : inverter.reply(request)
    }
    defer { old.stop() }
    let new = try ScriptedPeer { request, _ in inverter.reply(request) }
    defer { new.stop() }
    let plugin = ModbusPlugin()
    let properties = [property("level", .integer, ["table": "holding", "address": 40])]
    let session = try plugin.session(for: sessionRequest(properties, connection: tcp(old.port)), feed: CollectingFeed())
    let polling = Task { await session.run() }
    defer { polling.cancel() }
    let (reports, _) = try await reports(
      scan([.string("127.0.0.1:\(old.port)"), .string("127.0.0.1:\(new.port)")]), plugin: plugin, count: 3,
      served: [tcp(old.port)])
    // In the first look both identify themselves: two devices with one serial number are told apart.
    #expect(reports.first?.devices.count == 2)
    #expect(reports.dropFirst().allSatisfy { $0.devices.map(\.stableID) == ["Sunny Works/SW-10K/S-0815"] })
    #expect(reports.last?.devices.first?.connection[path: "tcp", "port"] == .integer(Int64(new.port)))
  }

  @Test func namedHostsThatAreAwayAreWarnedOf() async throws {
    let peer = try ScriptedPeer { _, _ in nil }
    peer.stop()
    let (reports, _) = try await reports(scan([.string("127.0.0.1:\(peer.port)")]))
    #expect(reports.first?.devices.isEmpty == true)
    #expect(reports.first?.warnings.first?.contains("refuses the connection") == true)
  }

  @Test func servedEndpointsAreLeftAloneAndStayInTheSet() async throws {
    let peer = try ScriptedPeer { request, _ in
      request[7] == 3 && request[8] == 0 ? registersReply(request) : inverter.reply(request)
    }
    defer { peer.stop() }
    let plugin = ModbusPlugin()
    let connection = tcp(peer.port)
    let properties = [property("level", .integer, ["table": "holding", "address": 40])]
    let session = try plugin.session(for: sessionRequest(properties, connection: connection), feed: CollectingFeed())
    let polling = Task { await session.run() }
    defer { polling.cancel() }
    let (reports, _) = try await reports(
      scan([.string("127.0.0.1:\(peer.port)")]), plugin: plugin, count: 3, served: [connection])
    #expect(reports.allSatisfy { $0.devices.map(\.stableID) == ["Sunny Works/SW-10K/S-0815"] })
    #expect(peer.connections == 1, "the scan makes no connection of its own")
    #expect(peer.requests.filter { $0[7] == 43 }.count == 1, "identified once, then polling proves its life")
  }

  /// A Device of which a gateway says that it is away does not count as served, but has its connection.
  @Test func aScanSharesTheConnectionOfASession() async throws {
    let peer = try ScriptedPeer { request, _ in
      request[6] == 9 ? Array(request[0..<4]) + [0, 3, 9, request[7] | 0x80, 11] : inverter.reply(request)
    }
    defer { peer.stop() }
    let plugin = ModbusPlugin()
    let properties = [property("level", .integer, ["table": "holding", "address": 40])]
    let session = try plugin.session(
      for: sessionRequest(properties, connection: tcp(peer.port, unit: 9)), feed: CollectingFeed())
    let polling = Task { await session.run() }
    defer { polling.cancel() }
    #expect(await eventually { !peer.requests.isEmpty })
    let (reports, audit) = try await reports(
      scan([.string("127.0.0.1:\(peer.port)")]), plugin: plugin)
    #expect(reports.first?.devices.map(\.stableID) == ["Sunny Works/SW-10K/S-0815"])
    #expect(peer.connections == 1)
    #expect(audit.contains { $0.hasPrefix("127.0.0.1:\(peer.port): 0 connections, 5 of function 3") }, "\(audit)")
  }

  @Test(
    arguments: [
      (["10.20.0.0/30"], [], ["10.20.0.1", "10.20.0.2"]), (["10.0.0.5-7"], ["10.0.0.6"], ["10.0.0.5", "10.0.0.7"]),
      (["plc-1", "plc-1", "PLC-1:502"], [], ["plc-1"]), (["10.0.0.0/29"], ["10.0.0.0/30", "10.0.0.5-6"], ["10.0.0.4"]),
      (["[fe80::1]:502", "fe80::2"], [], ["fe80::1", "fe80::2"]), (["192.168.7.4/32"], [], ["192.168.7.4"]),
      (["10.0.0.6:1502", "10.0.0.7:1502"], ["10.0.0.6"], ["10.0.0.7"]),
      (["fe80:0:0::1", "fe80::2", "FE80::3"], ["fe80::0:2"], ["fe80::1", "fe80::3"]),
      (["10.0.0.9/31"], [], ["10.0.0.8", "10.0.0.9"]), (["my-plc-3"], [], ["my-plc-3"]),
    ] as [([String], [String], [String])])
  func targetsExpand(targets: [String], exclude: [String], hosts: [String]) throws {
    let list = try ScanTargets(targets: targets, exclude: exclude, ports: [502])
    #expect(list.targets.map(\.endpoint.host) == hosts)
    #expect(list.targets.allSatisfy { $0.endpoint.port == 502 || $0.endpoint.port == 1502 })
  }

  @Test(arguments: [
    "10.0.0.0/8", "10.0.0.0/19", "0.0.0.0/0", "10.0.0.0/33", "::/64", "host:port", "host:0", "a b", "", "10.0.0.9-5",
    "[::1",
  ])
  func targetsThatAreTooWideOrUnclearAreRefused(target: String) {
    let error = #expect(throws: DeviceError.self) { try ScanTargets(targets: [target], exclude: [], ports: [502]) }
    #expect(error?.reason == "InvalidTarget" && error?.isPermanent == true)
  }

  @Test func theWidestBlockHas4094Hosts() throws {
    #expect(try ScanTargets(targets: ["10.0.0.0/20"], exclude: [], ports: [502]).targets.count == 4094)
  }

  @Test func unitListsExpand() throws {
    #expect(try unitIDs(["1-4", 31, "2"]) == [1, 2, 3, 4, 31])
    #expect(throws: DeviceError.self) { try unitIDs(["4-1"]) }
    #expect(throws: DeviceError.self) { try unitIDs([256]) }
  }

  @Test func serialPortsAreNotTouchedUnasked() async throws {
    let adapters: @Sendable (String) -> [DiscoveredDevice]? = { name in
      name == "rs485-adapters"
        ? [DiscoveredDevice(identity: [:], stableID: "x", connection: ["devnode": "/dev/ttyUSB7"])] : nil
    }
    let specification: JSONValue = ["serial": ["discoveryRef": ["name": "rs485-adapters"]]]
    let (reports, _) = try await reports(specification, others: adapters)
    #expect(reports.first?.devices.isEmpty == true)
    #expect(
      reports.first?.warnings == [
        "serial ports (/dev/ttyUSB7) are not scanned: set modbus.serial.allowActiveScan to true if the gateway may send on them"
      ])
  }

  @Test func theToolReadsWritesAndScans() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let tool = ModbusTool(timeout: .milliseconds(500))
    let endpoint = try ModbusTool.endpoint("127.0.0.1:\(server.port)")
    let write = try await tool.prepareWrite(
      endpoint, table: .holding, address: 40, value: "230.5", encoding: .float32, order: .cdab)
    #expect(
      write.description.hasSuffix(
        "holding 40 (40041) from 0.0 to 230.5 by function 16; bytes 10 00 28 00 02 04 80 00 43 66"))
    #expect(try await server.get("holding", 40, 2) == [0, 0], "nothing is sent before the word is given")
    #expect(try await tool.execute(write) == "written; the device now says 230.5")
    #expect(try await server.get("holding", 40, 2) == [0x8000, 0x4366])
    let table = try await tool.read(endpoint, table: .holding, address: 40, count: 2, tryAllEncodings: true)
    #expect(table.contains("40       40041     0x8000  32768     -32768"))
    #expect(table.contains("40       float32   CDAB   230.5"))
    #expect(try await tool.discover(["127.0.0.1:\(server.port)"]).contains("Example Works  BC-4 large  2.1"))
    await #expect(throws: DeviceError.self) { try await tool.read(endpoint, table: .holding, address: 65) }
  }
}
