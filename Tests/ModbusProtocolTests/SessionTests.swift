import DeviceKit
import Documents
import ModbusProtocol
import Testing

@Suite(.serialized) struct SessionTests {
  private let plugin = ModbusPlugin()

  /// Runs a session of `properties` while `body` looks on.
  private func serve(
    _ properties: [PropertyDefinition], _ connection: JSONValue,
    _ body: (any DeviceSession, CollectingFeed) async throws -> Void
  ) async throws {
    let feed = CollectingFeed()
    let session = try plugin.session(for: sessionRequest(properties, connection: connection), feed: feed)
    let task = Task { await session.run() }
    defer { task.cancel() }
    try await body(session, feed)
    task.cancel()
    await task.value
  }

  private let boiler: [PropertyDefinition] = [
    property("setpoint", .number, .readWrite, ["table": "holding", "address": 40, "encoding": "int16", "scale": 0.1]),
    property("pump", .boolean, .readWrite, ["table": "coil", "address": 3]),
    property("flow", .number, ["table": "input", "address": 10, "encoding": "int16", "scale": 0.1]),
    property("alarm", .boolean, ["register": 30021, "bit": 5]),
    property("door", .boolean, ["register": 10004]),
    property("beyond", .integer, ["table": "holding", "address": 65]),
    property("behind", .integer, .readWrite, ["table": "holding", "address": 72]),
    property(
      "float", .number, .readWrite, ["table": "holding", "address": 80, "encoding": "float32", "order": "CDAB"]),
    property("next-a", .integer, .readWrite, ["table": "holding", "address": 90]),
    property("next-b", .integer, .readWrite, ["table": "holding", "address": 91]),
    property("bit-3", .boolean, .readWrite, ["table": "holding", "address": 95, "bit": 3]),
    property("secret", .integer, .write, ["table": "holding", "address": 99]),
  ]

  @Test(arguments: ["tcp", "rtu"]) func pollsARealServer(kind: String) async throws {
    let server = try await PymodbusServer(kind)
    defer { server.stop() }
    try await server.set("holding", 40, [555])
    try await server.set("coil", 3, [1])
    try await serve(boiler, tcp(server.port, framing: kind == "tcp" ? "TCP" : "RTU")) { _, feed in
      #expect(await eventually { feed.batches.count >= 3 })
      #expect(feed.last(0)?.value == .number(55.5))
      #expect(feed.last(1)?.value == .boolean(true))
      #expect(feed.last(2)?.value == .number(101))
      #expect(feed.last(3)?.value == .boolean(1020 & 32 != 0))
      #expect(feed.last(4)?.value == .boolean(true))
      #expect(feed.last(5)?.value == nil)
      #expect(feed.last(5)?.quality == .bad)
      #expect(feed.last(5)?.cause == "exception 2 IllegalDataAddress")
      #expect(feed.last(6)?.value == .integer(0))
      #expect(feed.last(11) == nil, "a write-only property is not polled")
      #expect(feed.connections == [.connecting, .connected])
      #expect(feed.batches.allSatisfy { $0.count == 11 }, "one batch a cycle with every property")
    }
  }

  @Test func writesArriveAndReadBack() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let feed = CollectingFeed()
    let session = try plugin.session(for: sessionRequest(boiler, connection: tcp(server.port)), feed: feed)
    let results = await session.write([
      PropertyWrite(property: "setpoint", value: .number(61.5)), PropertyWrite(property: "pump", value: .boolean(true)),
      PropertyWrite(property: "float", value: .number(1.5)), PropertyWrite(property: "next-a", value: .integer(11)),
      PropertyWrite(property: "next-b", value: .integer(12)), PropertyWrite(property: "bit-3", value: .boolean(true)),
      PropertyWrite(property: "secret", value: .integer(4711)),
    ])
    #expect(results == [nil, nil, nil, nil, nil, nil, nil])
    #expect(try await server.get("holding", 40, 1) == [615])
    #expect(try await server.get("coil", 2, 3) == [0, 1, 0])
    #expect(try await server.get("holding", 80, 2) == [0, 0x3FC0])
    #expect(try await server.get("holding", 90, 2) == [11, 12])
    #expect(try await server.get("holding", 95, 1) == [8])
    #expect(try await server.get("holding", 99, 1) == [4711])
    let back = await session.read(["setpoint", "pump", "float", "bit-3", "secret", "nothing"])
    #expect(try back["setpoint"]?.get().value == .number(61.5))
    #expect(try back["pump"]?.get().value == .boolean(true))
    #expect(try back["float"]?.get().value == .number(1.5))
    #expect(try back["bit-3"]?.get().value == .boolean(true))
    #expect(back.count == 6)
    guard case .failure(let secret) = back["secret"], case .failure(let nothing) = back["nothing"] else {
      Issue.record("what cannot be read must say so")
      return
    }
    #expect(secret.reason == "AccessDenied" && nothing.reason == "UnknownProperty")
  }

  @Test func refusedWritesSayWhyAndLeaveTheOthersAlone() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    var properties = boiler
    properties[0].maximum = 85
    let session = try plugin.session(
      for: sessionRequest(properties, connection: tcp(server.port)), feed: CollectingFeed())
    let results = await session.write([
      PropertyWrite(property: "flow", value: .number(1)), PropertyWrite(property: "setpoint", value: .number(90)),
      PropertyWrite(property: "next-a", value: .integer(70_000)),
      PropertyWrite(property: "nothing", value: .integer(1)),
      PropertyWrite(property: "pump", value: .string("on")), PropertyWrite(property: "next-b", value: .integer(5)),
    ])
    #expect(
      results.map { $0?.reason } == [
        "AccessDenied", "OutOfRange", "OutOfRange", "UnknownProperty", "InvalidValue", nil,
      ])
    #expect(results.compactMap { $0 }.allSatisfy { $0.isPermanent })
    #expect(try await server.get("holding", 91, 1) == [5])
    #expect(try await server.get("holding", 40, 1) == [0])
  }

  @Test func aPulseClearsItsCoilAgain() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let reset = property("reset", .boolean, .write, ["table": "coil", "address": 7, "pulse": "300ms"])
    let session = try plugin.session(
      for: sessionRequest([reset], connection: tcp(server.port)), feed: CollectingFeed())
    async let written = session.write([PropertyWrite(property: "reset", value: .boolean(true))])
    var wasSet = false
    for _ in 0..<200 where !wasSet { wasSet = try await server.get("coil", 7, 1) == [1] }
    #expect(wasSet)
    #expect(await written == [nil])
    #expect(try await server.get("coil", 7, 1) == [0])
  }

  @Test func aPulseIsForCoilsThatNobodyReads() {
    for access in [PropertyDefinition.Access.read, .readWrite] {
      let reset = property("reset", .boolean, access, ["table": "coil", "address": 7, "pulse": "300ms"])
      let error = #expect(throws: DeviceError.self) {
        try plugin.session(for: sessionRequest([reset], connection: tcp(502)), feed: CollectingFeed())
      }
      #expect(error?.message.contains("modbus.pulse") == true)
    }
  }

  /// Functions that the device or its model refuses, and those that are sent.
  @Test(
    arguments: [
      ([], [], [6]), ([6], [], [6, 16]), ([6, 16], [], [6, 16, 23]), ([], [6], [16]), ([], [6, 16], [23]),
    ] as [([UInt8], [Int64], [UInt8])])
  func aRegisterIsWrittenByTheFunctionThatIsServed(refused: [UInt8], unsupported: [Int64], sent: [UInt8]) async throws {
    let peer = try ScriptedPeer { request, _ in
      if refused.contains(request[7]) { return Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 1] }
      if request[7] == 23 { return Array(request[0..<4]) + [0, 5, request[6], 23, 2, 0, 0] }
      return Array(request[0..<4]) + [0, 6] + request[6..<12]
    }
    defer { peer.stop() }
    var request = sessionRequest(boiler, connection: tcp(peer.port))
    request.model = ["unsupportedFunctions": .array(unsupported.map { .integer($0) })]
    let session = try plugin.session(for: request, feed: CollectingFeed())
    #expect(await session.write([PropertyWrite(property: "next-a", value: .integer(4))]) == [nil])
    #expect(peer.requests.map { $0[7] } == sent)
  }

  @Test func anAcknowledgedWriteIsTaken() async throws {
    let peer = try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 5] }
    defer { peer.stop() }
    let session = try plugin.session(for: sessionRequest(boiler, connection: tcp(peer.port)), feed: CollectingFeed())
    #expect(await session.write([PropertyWrite(property: "next-a", value: .integer(4))]) == [nil])
    #expect(peer.requests.count == 1)
  }

  @Test func aModelsLimitsAndForbiddenAddressesShapeTheReads() async throws {
    let peer = try ScriptedPeer { request, _ in registersReply(request) }
    defer { peer.stop() }
    let places = [0, 1, 2, 3, 10, 20].map {
      property("r\($0)", .integer, ["table": "holding", "address": .integer($0)])
    }
    var request = sessionRequest(places, connection: tcp(peer.port))
    request.model = ["maxRegisters": 3, "forbidden": [["table": "holding", "from": 12, "to": 15]]]
    let session = try plugin.session(for: request, feed: CollectingFeed())
    _ = await session.read(places.map(\.name))
    #expect(
      peer.requests.map { [Int($0[9]), Int($0[11])] } == [[0, 3], [3, 1], [10, 1], [20, 1]],
      "three at a time, and never across 12 to 15")
  }

  @Test func whatADeviceRefusesIsStillKnownToItsNextSession() async throws {
    let peer = try ScriptedPeer { request, _ in
      let (address, count) = (Int(request[9]), Int(request[11]))
      return (address..<address + count).contains(5)
        ? Array(request[0..<4]) + [0, 3, request[6], 0x83, 2] : registersReply(request)
    }
    defer { peer.stop() }
    let places = [4, 6].map { property("r\($0)", .integer, ["table": "holding", "address": .integer($0)]) }
    for round in 1...2 {
      try await serve(places, tcp(peer.port)) { _, feed in
        let before = peer.requests.count
        #expect(await eventually { feed.batches.count >= 3 })
        #expect(peer.requests[before...].contains { $0[11] == 3 } == (round == 1))
        #expect(feed.batches.allSatisfy { $0.qualities.allSatisfy { $0 == .good } })
      }
    }
  }

  @Test(
    arguments: [
      (["retries": 9], "retries"), (["maxInFlight": 0], "maxInFlight"),
      (["pauseAfterConnect": "2h"], "pauseAfterConnect"),
      (["maxRegisters": 126], "maxRegisters"), (["maxGap": -1], "maxGap"),
    ] as [(JSONValue, String)])
  func traitsThatCannotBeAreRefusedByName(traits: JSONValue, field: String) {
    let error = #expect(throws: DeviceError.self) { try DeviceTraits(model: traits) }
    #expect(error?.reason == "InvalidModel" && error?.message.hasPrefix("modbus.\(field) ") == true)
    #expect(throws: DeviceError.self) { try DeviceTraits(connection: traits) }
  }

  @Test func aConnectionSaysOtherwiseThanItsModel() throws {
    let traits = try DeviceTraits(
      model: ["maxRegisters": 20, "maxInFlight": 4, "pauseBetweenRequests": "20ms"],
      connection: ["maxRegisters": 60, "pauseBetweenRequests": "5ms"])
    #expect(traits.maxRegisters == 60)
    #expect(traits.timing == LinkTiming(maxInFlight: 4, pauseBetweenRequests: .milliseconds(5)))
  }

  @Test func aWindowSendsSeveralBlocksAtOnce() async throws {
    let peer = try ScriptedPeer { request, _ in
      // Requests that came together are answered together, the last one first.
      let requests = stride(from: 0, to: request.count, by: 12).map { Array(request[$0..<$0 + 12]) }
      return requests.reversed().flatMap { registersReply($0, value: UInt16($0[9])) }
    }
    defer { peer.stop() }
    let places = [0, 60, 120, 180].map { property("r\($0)", .integer, ["table": "holding", "address": .integer($0)]) }
    var connection = tcp(peer.port)
    connection["maxInFlight"] = 4
    connection["maxGap"] = 0
    try await serve(places, connection) { _, feed in
      #expect(await eventually { feed.batches.count >= 3 })
      for (index, address) in [0, 60, 120, 180].enumerated() {
        #expect(feed.last(index)?.value == .integer(Int64(address)))
      }
      #expect(peer.requests.contains { $0.count > 12 }, "requests in one piece were in flight together")
    }
  }

  @Test func aDeadUnitLeavesTheOthersOfItsLinkTheirPeriod() async throws {
    let peer = try ScriptedPeer { request, _ in request[6] == 1 ? registersReply(request) : [] }
    defer { peer.stop() }
    try await serve([boiler[0]], tcp(peer.port, unit: 1)) { _, living in
      #expect(await eventually { living.batches.count > 2 })
      try await serve([boiler[0]], tcp(peer.port, unit: 2, timeout: "100ms")) { _, dead in
        #expect(await eventually { dead.last(0)?.quality == .bad })
        let before = living.batches.count
        #expect(await eventually { living.batches.count >= before + 40 })
        let asked = peer.requests.count { $0[6] == 2 }
        #expect(asked <= 8, "100 ms of silence, then pauses of 200, 400, 800 ms and so on: \(asked)")
        #expect(plugin.links.sessionCounters.skipped > 0)
      }
    }
  }

  @Test func whatLinksCountIsToldByThePlugin() async throws {
    let peer = try ScriptedPeer { request, number in
      number == 1 ? Array(request[0..<4]) + [0, 3, request[6], 0x83, 6] : registersReply(request)
    }
    defer { peer.stop() }
    do {
      let session = try plugin.session(for: sessionRequest(boiler, connection: tcp(peer.port)), feed: CollectingFeed())
      #expect(try await session.read(["setpoint"])["setpoint"]?.get().value == .number(0.7))
    }
    func count(_ name: String, _ label: String? = nil) -> UInt64? {
      plugin.counters.first { $0.name == name && $0.label?.value == label }?.count
    }
    // The link is gone with its session; what it counted is not.
    #expect(count("requests") == 2 && count("answers") == 2 && count("exceptions", "6") == 1)
    #expect(count("retries", "ServerDeviceBusy") == 1 && count("connections", "made") == 1)
  }

  @Test func aDeviceWithoutMaskWriteIsReadModifiedAndWritten() async throws {
    let register = SharedRegister(0x0101)
    let peer = try ScriptedPeer { request, _ in
      let header = Array(request[0..<4])
      switch request[7] {
      case 3: return registersReply(request, value: register.value)
      case 16:
        register.value = UInt16(request[13]) << 8 | UInt16(request[14])
        return header + [0, 6] + request[6..<12]
      default: return header + [0, 3, request[6], request[7] | 0x80, 1]
      }
    }
    defer { peer.stop() }
    let session = try plugin.session(for: sessionRequest(boiler, connection: tcp(peer.port)), feed: CollectingFeed())
    for _ in 0..<2 { #expect(await session.write([PropertyWrite(property: "bit-3", value: .boolean(true))]) == [nil]) }
    #expect(register.value == 0x0109)
    #expect(peer.requests.map { $0[7] } == [22, 3, 6, 16, 3, 16], "a refused function is not tried again")
  }

  @Test func aGroupOfNeighboursIsOneRequestAndIsNeverTakenApart() async throws {
    let refuses = SharedRegister(0)
    let peer = try ScriptedPeer { request, _ in
      refuses.value == 0
        ? Array(request[0..<4]) + [0, 6] + request[6..<12]
        : Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 3]
    }
    defer { peer.stop() }
    let session = try plugin.session(for: sessionRequest(boiler, connection: tcp(peer.port)), feed: CollectingFeed())
    func writes(_ group: String?) -> [PropertyWrite] {
      ["next-a", "next-b"].map { PropertyWrite(property: $0, value: .integer(5), group: group) }
    }
    #expect(await session.write(writes("g")) == [nil, nil])
    #expect(peer.requests.map { $0[7] } == [16], "both registers in one FC 16")
    refuses.value = 1
    let refused = await session.write(writes("g"))
    #expect(refused.allSatisfy { $0?.reason == "IllegalDataValue" })
    #expect(peer.requests.count == 2, "all or nothing: not tried one by one")
    _ = await session.write(writes(nil))
    #expect(peer.requests.map { $0[7] }.suffix(3) == [16, 6, 6], "without a group each one has its chance")
    let incomplete = await session.write([
      PropertyWrite(property: "next-a", value: .integer(1), group: "g"),
      PropertyWrite(property: "next-b", value: .integer(70_000), group: "g"),
    ])
    #expect(incomplete.map { $0?.reason } == ["GroupIncomplete", "OutOfRange"] && peer.requests.count == 5)
  }

  @Test(arguments: [1, 2, 3, 4, 6, 8, 10, 11] as [UInt8]) func exceptionsBecomeTheCause(code: UInt8) async throws {
    let peer = try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, code] }
    defer { peer.stop() }
    try await serve([boiler[0]], tcp(peer.port)) { _, feed in
      #expect(await eventually { !feed.batches.isEmpty })
      #expect(feed.last(0)?.quality == .bad)
      #expect(feed.last(0)?.cause == ModbusException(code: code).description)
      if code == 10 || code == 11 {
        guard case .disconnected(let error) = feed.connections.last else { throw TestTrouble("must be disconnected") }
        #expect(error.reason == ModbusException(code: code).name)
      } else {
        #expect(feed.connections.last == .connected)
      }
    }
  }

  enum Fault: String, CaseIterable, Sendable {
    case silence, wrongTransaction, wrongUnit, wrongFunction, shortReply, truncated, notModbus, hangUp
    var reasons: Set<String> {
      switch self {
      case .silence: ["Timeout"]
      case .wrongTransaction: ["WrongTransaction"]
      case .wrongUnit: ["WrongUnit"]
      case .wrongFunction: ["WrongFunction"]
      case .shortReply, .truncated: ["MalformedReply"]
      case .notModbus: ["NotModbus"]
      case .hangUp: ["ConnectionLost"]
      }
    }
    func reply(to request: [UInt8]) -> [UInt8]? {
      var reply = registersReply(request)
      switch self {
      case .silence: return []
      case .wrongTransaction: reply[0] ^= 0x55
      case .wrongUnit: reply[6] = 9
      case .wrongFunction: reply[7] = 4
      case .shortReply: return Array(reply[0..<4]) + [0, 3, 1, 3, 0]
      case .truncated: reply.removeLast()
      case .notModbus: return Array("HTTP/1.1 400 Bad Request\r\n".utf8)
      case .hangUp: return nil
      }
      return reply
    }
  }

  @Test(arguments: Fault.allCases) func faultsAreNamedAndHealed(fault: Fault) async throws {
    let isSick = SharedRegister(1)
    let peer = try ScriptedPeer { request, _ in isSick.value == 1 ? fault.reply(to: request) : registersReply(request) }
    defer { peer.stop() }
    try await serve([boiler[0]], tcp(peer.port, timeout: "100ms")) { _, feed in
      #expect(await eventually { feed.last(0) != nil })
      let reading = feed.last(0)
      #expect(reading?.quality == .bad && reading?.value == nil)
      #expect(fault.reasons.contains { reading?.cause.hasPrefix("\($0): ") ?? false }, "\(reading?.cause ?? "")")
      guard case .disconnected(let error) = feed.connections.last else { throw TestTrouble("must be disconnected") }
      #expect(fault.reasons.contains(error.reason))
      isSick.value = 0
      #expect(await eventually { feed.last(0)?.value == .number(0.7) && feed.connections.last == .connected })
    }
  }

  @Test func aLateReplyIsNotTakenForTheNextAnswer() async throws {
    let peer = try ScriptedPeer { request, number in
      // The first request is answered together with the second, with another value.
      if number == 1 { return [] }
      guard number == 2 else { return registersReply(request, value: 7) }
      var late = registersReply(request, value: 666)
      late[1] -= 1
      return late + registersReply(request, value: 7)
    }
    defer { peer.stop() }
    try await serve([boiler[0]], tcp(peer.port, timeout: "100ms")) { _, feed in
      #expect(await eventually { feed.last(0)?.value == .number(0.7) })
      #expect(feed.batches.allSatisfy { $0.value(at: 0) != .number(66.6) })
      let link = plugin.links.tcp(TCPEndpoint(host: "127.0.0.1", port: peer.port), framing: .tcp)
      #expect(link.counters.dropped["Late"] == 1)
      #expect(peer.connections == 1)
    }
  }

  @Test func aServerThatComesBackIsServedAgain() async throws {
    let server = try await PymodbusServer()
    try await serve([boiler[0]], tcp(server.port)) { _, feed in
      #expect(await eventually { feed.last(0)?.quality == .good })
      server.stop()
      #expect(await eventually { feed.last(0)?.quality == .bad })
      #expect(await eventually { feed.last(0)?.cause.hasPrefix("ConnectionRefused: ") ?? false })
      let again = try await PymodbusServer("tcp", "\(server.port)")
      defer { again.stop() }
      #expect(await eventually { feed.last(0)?.quality == .good && feed.connections.last == .connected })
    }
  }

  @Test func aSilentDeviceDelaysNobodyElse() async throws {
    let silent = try ScriptedPeer { _, _ in [] }
    let healthy = try ScriptedPeer { request, _ in registersReply(request) }
    defer {
      silent.stop()
      healthy.stop()
    }
    try await serve([boiler[0]], tcp(silent.port, timeout: "5s")) { _, silentFeed in
      try await serve([boiler[0]], tcp(healthy.port)) { _, feed in
        #expect(await eventually(within: .seconds(4)) { feed.batches.count >= 20 })
        #expect(silentFeed.batches.isEmpty)
      }
    }
  }

  @Test func unitsOfOneHostShareAConnectionWithOneRequestInFlight() async throws {
    let peer = try ScriptedPeer { request, _ in
      request.count == 12 ? registersReply(request, value: UInt16(request[6])) : nil
    }
    defer { peer.stop() }
    let sessions = try (1...8).map { unit in
      try plugin.session(
        for: sessionRequest([boiler[0]], connection: tcp(peer.port, unit: unit)), feed: CollectingFeed())
    }
    await withTaskGroup { group in
      for (index, session) in sessions.enumerated() {
        group.addTask {
          for _ in 0..<20 {
            let answer = await session.read(["setpoint"])["setpoint"]
            #expect((try? answer?.get().value) == .number(Double(index + 1) / 10))
          }
        }
      }
    }
    #expect(peer.connections == 1)
    #expect(peer.requests.count == 160, "requests that were sent together would arrive as one piece")
  }

  @Test(
    arguments: [
      ["table": "input"], ["register": 20_001], ["table": "coil", "address": 1, "encoding": "int16"],
      ["table": "holding", "address": 1, "encoding": "string"],
      ["table": "holding", "address": 65_535, "encoding": "int32"],
      ["table": "holding", "register": 30_001], ["table": "holding", "address": 1, "scale": 0],
      ["table": "holding", "address": 1, "encoding": "float32", "bit": 1],
      ["table": "holding", "address": 1, "bit": 16],
      ["address": 7],
    ] as [JSONValue])
  func bindingsThatCannotBeAreRefusedByName(binding: JSONValue) {
    let request = sessionRequest([property("level", .integer, binding)], connection: tcp(502))
    let error = #expect(throws: DeviceError.self) { try plugin.session(for: request, feed: CollectingFeed()) }
    #expect(error?.reason == "InvalidBinding" && error?.isPermanent == true)
    #expect(error?.message.hasPrefix("property 'level': modbus.") == true)
  }

  @Test(
    arguments: [
      (1, RegisterTable.coil, 0), (9_999, .coil, 9_998), (10_001, .discrete, 0), (30_001, .input, 0),
      (40_041, .holding, 40),
      (49_999, .holding, 9_998), (400_041, .holding, 40), (465_536, .holding, 65_535), (365_536, .input, 65_535),
    ] as [(Int, RegisterTable, UInt16)])
  func modiconNumbersAreUnderstood(number: Int, table: RegisterTable, address: UInt16) {
    #expect(ModiconRegister(number)?.table == table)
    #expect(ModiconRegister(number)?.address == address)
  }

  @Test(arguments: [0, 10_000, 20_000, 40_000, 50_000, 100_000, 465_537]) func otherNumbersAreNoRegisters(number: Int) {
    #expect(ModiconRegister(number) == nil)
  }
}
