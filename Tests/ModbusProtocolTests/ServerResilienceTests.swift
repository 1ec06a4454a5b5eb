import DeviceKit
import Documents
import ModbusProtocol
import TestSupport
import Testing
import YAML

/// The server among clients that are slow, many, strange or hostile.
@Suite(.serialized) struct ServerResilienceTests {
  private static let readSetpoint: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 1]
  private static let setpoint: [UInt8] = [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 200]

  private func serving(
    adjust: (inout JSONValue) -> Void = { _ in }, _ body: (ModbusServer, Int, PropertyBoard) async throws -> Void
  ) async throws {
    let board = ServerInteropTests.board()
    try await ModbusServer.serving(ServerInteropTests.specification(), board, adjust: adjust) { server, port in
      try await body(server, port, board)
      let peer = try RawClient(port: port)
      try peer.send(Self.readSetpoint)
      #expect(try await peer.receive(11) == Self.setpoint, "the server serves on")
    }
  }

  /// Bytes of every kind, from a seed: nothing crashes, hangs, or is written that is no whole write request.
  @Test func noBytesMakeItFall() async throws {
    try await serving(adjust: { $0["maxClients"] = 4 }) { server, port, board in
      var seed = SplitMix64(seed: 31)
      let rounds = 400
      for round in 0..<rounds {
        let peer = try RawClient(port: port)
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &seed) {
          var pdu = (0..<Int.random(in: 1...20, using: &seed)).map { _ in UInt8.random(in: 0...255, using: &seed) }
          if round % 4 != 0 { pdu[0] = [1, 2, 3, 4, 15, 16, 22, 23, 43].randomElement(using: &seed) ?? 3 }
          if round % 3 == 0 {
            bytes += pdu
          } else {
            bytes += [0, 7, 0, 0, 0, UInt8(pdu.count + 1), 1] + pdu
          }
        }
        try? peer.send(bytes)
        // The rest of a frame that has begun is never sent: the connection's end ends it.
      }
      // There are none for a moment, too, while the next ones wait to be taken.
      let seen: [ServerCounters.Event] = [.connections, .tooManyClients, .notAllowed]
      try await eventually("all have come and left", seen: { "\(server.status)" }) {
        seen.reduce(0) { $0 + server.counters[$1] } >= rounds && server.status.counters["clients"] == 0
      }
      #expect(server.counters[.connections] > 0)
      for wishes in board.wishes { #expect(!wishes.isEmpty) }
    }
  }

  /// All of a request's bytes but for the last, one at a time, and every cut of it.
  @Test func everyPieceOfARequestIsPutTogether() async throws {
    try await serving { _, port, _ in
      let peer = try RawClient(port: port)
      for cut in 1..<Self.readSetpoint.count {
        try peer.send(Array(Self.readSetpoint[..<cut]))
        try peer.send(Array(Self.readSetpoint[cut...]))
        #expect(try await peer.receive(11) == Self.setpoint)
      }
      for byte in Self.readSetpoint { try peer.send([byte]) }
      #expect(try await peer.receive(11) == Self.setpoint)
    }
  }

  @Test func aHundredRequestsAtOnceAreAnsweredInTheirOrder() async throws {
    try await serving { _, port, board in
      let peer = try RawClient(port: port)
      var bytes: [UInt8] = []
      var answers: [UInt8] = []
      for number in 0..<100 as Range<UInt8> {
        let isWrite = number % 10 == 5
        let pdu: [UInt8] = isWrite ? [6, 0, 40, 0, number] : [3, 0, 40, 0, 1]
        bytes += [0, number, 0, 0, 0, 6, 1] + pdu
        answers += isWrite ? [0, number, 0, 0, 0, 6, 1] + pdu : [0, number, 0, 0, 0, 5, 1, 3, 2, 0, 200]
      }
      try peer.send(bytes)
      #expect(try await peer.receive(answers.count) == answers)
      #expect(board.wishes.map { $0["setpoint"]?.number } == (0..<10).map { Double($0) + 0.5 as Double? })
    }
  }

  @Test func aClientThatAsksNothingIsLetGo() async throws {
    try await serving(adjust: { $0["idleTimeout"] = "2s" }) { server, port, _ in
      let silent = try RawClient(port: port)
      try await silent.awaitEnd()
      #expect(server.counters[.idle] == 1)
      // A byte now and then is no request.
      let slow = try RawClient(port: port)
      try slow.send([0])
      try await slow.awaitEnd()
      #expect(server.counters[.idle] + server.counters[.slow] == 2)
    }
  }

  @Test func aClientThatTakesNoAnswersIsLetGoAndCostsNothing() async throws {
    try await serving(adjust: { $0["idleTimeout"] = "2s" }) { server, port, _ in
      let deaf = try RawClient(port: port)
      let many = (0..<1000).flatMap { _ in Self.readSetpoint }
      var sent = 0
      try await eventually("the deaf client is let go", seen: { "\(sent) bytes, \(server.status)" }) {
        // Until nothing more is read of it.
        for _ in 0..<64 { sent += deaf.push(Array(many[(sent % many.count)...])) }
        return server.counters[.idle] + server.counters[.slow] == 1
      }
    }
  }

  @Test func noMoreClientsThanMayBeAndNoStrangerAtAll() async throws {
    try await serving(adjust: { $0["maxClients"] = 2 }) { server, port, _ in
      let clients = [try RawClient(port: port), try RawClient(port: port)]
      for client in clients {
        try client.send(Self.readSetpoint)
        #expect(try await client.receive(11) == Self.setpoint)
      }
      try await RawClient(port: port).awaitEnd()
      #expect(server.counters[.tooManyClients] == 1 && server.status.counters["clients"] == 2)
      for client in clients {
        try client.send(Self.readSetpoint)
        #expect(try await client.receive(11) == Self.setpoint, "those that are there stay")
      }
      for client in clients { client.leave() }
      try await eventually("they have left", seen: { "\(server.status)" }) { server.status.counters["clients"] == 0 }
    }
    let board = ServerInteropTests.board()
    try await ModbusServer.serving(
      ServerInteropTests.specification(), board, adjust: { $0["allowFrom"] = ["127.0.0.2", "10.0.0.0/8"] }
    ) { server, port in
      try await RawClient(port: port).awaitEnd()
      #expect(server.counters[.notAllowed] == 1 && server.counters[.connections] == 0)
    }
  }

  @Test func whatIsNoModbusEndsTheConnection() async throws {
    try await serving { server, port, _ in
      let peer = try RawClient(port: port)
      try peer.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
      try await peer.awaitEnd()
      #expect(server.counters[.malformed] == 1)
    }
  }

  /// While a wish waits for the disk, other clients read; writes wait for each other.
  @Test func aSlowDiskDelaysWritesAlone() async throws {
    try await serving { server, port, board in
      let (gate, open) = AsyncStream.makeStream(of: Void.self)
      board.hold(gate)
      let writers = [try RawClient(port: port), try RawClient(port: port)]
      for writer in writers { try writer.send([0, 2, 0, 0, 0, 6, 1, 6, 0, 40, 0, 7]) }
      let reader = try RawClient(port: port)
      for _ in 0..<50 {
        try reader.send(Self.readSetpoint)
        #expect(try await reader.receive(11) == Self.setpoint)
      }
      #expect(board.wishes.isEmpty)
      board.hold(nil)
      open.finish()
      for writer in writers { #expect(try await writer.receive(12) == [0, 2, 0, 0, 0, 6, 1, 6, 0, 40, 0, 7]) }
      #expect(board.wishes == [["setpoint": .number(0.7)], ["setpoint": .number(0.7)]])
    }
  }

  @Test func aPortThatIsTakenIsToldAndTriedAgain() async throws {
    try await serving { _, port, board in
      var specification = try ServerInteropTests.specification()
      specification["port"] = .integer(Int64(port))
      let second = try ModbusServer(
        PropertyServerRequest(
          name: "second", path: "p", specification: specification, programVersion: "1", access: board),
        on: TestLoops.next())
      let running = Task { await second.run() }
      try await eventually("the port is told to be taken", seen: { "\(second.status)" }) {
        second.status.phase == .failed && second.status.reason == "AddressInUse"
      }
      #expect(second.status.message.contains("127.0.0.1:\(port)"))
      running.cancel()
      await running.value
    }
  }
}
