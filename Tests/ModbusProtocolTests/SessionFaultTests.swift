import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// What becomes of what goes wrong, and of those beside it.
@Suite(.serialized) struct SessionFaultTests {
  private let plugin = ModbusPlugin()

  @Test(arguments: [1, 2, 3, 4, 6, 8, 10, 11] as [UInt8]) func exceptionsBecomeTheCause(code: UInt8) async throws {
    let peer = try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, code] }
    defer { peer.stop() }
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port)) { _, feed in
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
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port, timeout: "100ms")) { _, feed in
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
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port, timeout: "100ms")) { _, feed in
      #expect(await eventually { feed.last(0)?.value == .number(0.7) })
      #expect(feed.batches.allSatisfy { $0.value(at: 0) != .number(66.6) })
      let link = plugin.links.tcp(TCPEndpoint(host: "127.0.0.1", port: peer.port), framing: .tcp)
      #expect(link.counters.dropped["Late"] == 1)
      #expect(peer.connections == 1)
    }
  }

  @Test func aServerThatComesBackIsServedAgain() async throws {
    let server = try await PymodbusServer()
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(server.port)) { _, feed in
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
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(silent.port, timeout: "30s")) {
      _, silentFeed in
      try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(healthy.port)) { _, feed in
        #expect(await eventually(within: .seconds(25)) { feed.batches.count >= 20 })
        #expect(silentFeed.batches.isEmpty)
      }
    }
  }

  @Test func aDeviceThatRefusesEverythingForAWhileIsReadWholeAfterwards() async throws {
    let starts = SharedRegister(1)
    let peer = try ScriptedPeer { request, _ in
      starts.value == 1 ? Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 2] : registersReply(request)
    }
    defer { peer.stop() }
    let properties = (0..<4).map { property("p\($0)", .integer, ["table": "holding", "address": .integer($0)]) }
    try await ServedBoiler.serve(plugin, properties, tcp(peer.port)) { _, feed in
      // Long past two periods: each register is asked for alone by now.
      #expect(await eventually { peer.requests.count >= 100 && peer.requests.suffix(4).allSatisfy { $0[11] == 1 } })
      starts.value = 0
      #expect(await eventually { feed.last(0)?.quality == .good && peer.requests.last.map { $0[11] == 4 } ?? false })
    }
  }

  @Test func valuesThatNoReadRenewsAreToldToBeStale() async throws {
    let hangs = SharedRegister(0)
    let peer = try ScriptedPeer { request, _ in hangs.value == 1 ? [] : registersReply(request) }
    defer { peer.stop() }
    let before = plugin.links.sessionCounters.stale
    try await ServedBoiler.serve(plugin, [ServedBoiler.properties[0]], tcp(peer.port, timeout: "30s")) { _, feed in
      #expect(await eventually { feed.last(0)?.quality == .good })
      hangs.value = 1
      #expect(await eventually { feed.last(0)?.quality == .uncertain })
      #expect(feed.last(0)?.cause.hasPrefix("Stale: no read has ended for ") ?? false)
    }
    #expect(plugin.links.sessionCounters.stale == before + 1)
  }

  @Test func devicesWithEqualPropertiesShareTheirRegisterMap() throws {
    func properties() -> [PropertyDefinition] {
      [0, 1].map { property("p\($0)", .integer, ["table": "holding", "address": .integer($0)]) }
    }
    let first = try plugin.links.registerMap(of: properties())
    #expect(try plugin.links.registerMap(of: properties()) === first)
    #expect(try plugin.links.registerMap(of: properties().reversed()) !== first)
    weak let second = try plugin.links.registerMap(of: [properties()[0]])
    #expect(second == nil, "what no device has is let go")
  }
}
