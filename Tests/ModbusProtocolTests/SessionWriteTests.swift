import DeviceKit
import Documents
import ModbusProtocol
import Testing

/// What a session writes, and by which function.
@Suite(.serialized) struct SessionWriteTests {
  private let plugin = ModbusPlugin()

  @Test func writesArriveAndReadBack() async throws {
    let server = try await PymodbusServer()
    defer { server.stop() }
    let feed = CollectingFeed()
    let session = try plugin.session(
      for: sessionRequest(ServedBoiler.properties, connection: tcp(server.port)), feed: feed)
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
    var properties = ServedBoiler.properties
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
    var request = sessionRequest(ServedBoiler.properties, connection: tcp(peer.port))
    request.model = ["unsupportedFunctions": .array(unsupported.map { .integer($0) })]
    let session = try plugin.session(for: request, feed: CollectingFeed())
    #expect(await session.write([PropertyWrite(property: "next-a", value: .integer(4))]) == [nil])
    #expect(peer.requests.map { $0[7] } == sent)
  }

  @Test func anAcknowledgedWriteIsTaken() async throws {
    let peer = try ScriptedPeer { request, _ in Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 5] }
    defer { peer.stop() }
    let session = try plugin.session(
      for: sessionRequest(ServedBoiler.properties, connection: tcp(peer.port)), feed: CollectingFeed())
    #expect(await session.write([PropertyWrite(property: "next-a", value: .integer(4))]) == [nil])
    #expect(peer.requests.count == 1)
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
    let session = try plugin.session(
      for: sessionRequest(ServedBoiler.properties, connection: tcp(peer.port)), feed: CollectingFeed())
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
    let session = try plugin.session(
      for: sessionRequest(ServedBoiler.properties, connection: tcp(peer.port)), feed: CollectingFeed())
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
}
