import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// What a session reads, and how often it asks.
@Suite(.serialized) struct SessionTests {
  private let plugin = ModbusPlugin()

  @Test(arguments: ["tcp", "rtu"]) func pollsARealServer(kind: String) async throws {
    let server = try await PymodbusServer(kind)
    defer { server.stop() }
    try await server.set("holding", 40, [555])
    try await server.set("coil", 3, [1])
    try await ServedBoiler.serve(
      plugin, ServedBoiler.properties, tcp(server.port, framing: kind == "tcp" ? "TCP" : "RTU")
    ) {
      _, feed in
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
      try await ServedBoiler.serve(plugin, places, tcp(peer.port)) { _, feed in
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
    try await ServedBoiler.serve(plugin, places, connection) { _, feed in
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
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port, unit: 1)) { _, living in
      #expect(await eventually { living.batches.count > 2 })
      try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port, unit: 2, timeout: "100ms")) {
        _, dead in
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
      let session = try plugin.session(
        for: sessionRequest(ServedBoiler.properties, connection: tcp(peer.port)), feed: CollectingFeed())
      #expect(try await session.read(["setpoint"])["setpoint"]?.get().value == .number(0.7))
    }
    func count(_ name: String, _ label: String? = nil) -> UInt64? {
      plugin.counters.first { $0.name == name && $0.label?.value == label }?.count
    }
    // The link is gone with its session; what it counted is not.
    #expect(count("requests") == 2 && count("answers") == 2 && count("exceptions", "6") == 1)
    #expect(count("retries", "ServerDeviceBusy") == 1 && count("connections", "made") == 1)
  }

  @Test func unitsOfOneHostShareAConnectionWithOneRequestInFlight() async throws {
    let peer = try ScriptedPeer { request, _ in
      request.count == 12 ? registersReply(request, value: UInt16(request[6])) : nil
    }
    defer { peer.stop() }
    let sessions = try (1...8).map { unit in
      try plugin.session(
        for: sessionRequest([ServedBoiler.properties[0]], connection: tcp(peer.port, unit: unit)),
        feed: CollectingFeed())
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
}
