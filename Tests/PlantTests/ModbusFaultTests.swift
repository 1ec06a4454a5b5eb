import Plant
import Testing

@Suite("Faults of simulated Modbus devices")
struct ModbusFaultTests {
  private func withBoiler(_ fault: ModbusFault..., body: (ModbusServer) throws -> Void) async throws {
    var configuration = PlantConfiguration(modbus: [.boiler])
    configuration.tick = nil
    try await withPlant(configuration) { plant in
      plant.modbus[0].faults = fault
      try body(plant.modbus[0])
    }
  }

  @Test("silence takes requests and answers none")
  func silence() async throws {
    try await withBoiler(.silence) { server in
      let client = try ModbusClient(port: server.port, timeoutMilliseconds: 100)
      #expect(throws: ModbusFailure.timeout) { try client.holdings(40) }
      #expect(server.statistics.requests == 1)
      server.faults = []
      let again = try ModbusClient(port: server.port)
      #expect(try again.holdings(40) == [450])
    }
  }

  @Test("an exception can be limited to functions and addresses")
  func exceptions() async throws {
    try await withBoiler(.exception(6, functions: [3, 6], addresses: 40...41)) { server in
      let client = try ModbusClient(port: server.port)
      #expect(throws: ModbusFailure.exception(6)) { try client.holdings(30, 20) }
      #expect(throws: ModbusFailure.exception(6)) { try client.write(holding: 41, 3) }
      #expect(try client.holdings(42) == [20])
      try client.write(holdings: 40, [500])
      #expect(server.read(.holding, 40, count: 2) == [500, 350])
    }
  }

  @Test("a delay holds answers back, keeps their order and delays no other device")
  func delay() async throws {
    var configuration = PlantConfiguration(modbus: [.boiler, .boiler])
    configuration.tick = nil
    try await withPlant(configuration) { plant in
      plant.modbus[0].faults = [.delay(.milliseconds(300))]
      let slow = RawConnection(port: plant.modbus[0].port)
      let start = ContinuousClock.now
      slow.send([0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 1] + [0, 2, 0, 0, 0, 6, 1, 3, 0, 41, 0, 1])
      let healthy = try ModbusClient(port: plant.modbus[1].port)
      #expect(try healthy.holdings(40) == [450])
      let other = ContinuousClock.now - start
      let answers = try #require(slow.receive(22))
      let own = ContinuousClock.now - start
      #expect([answers[1], answers[12]] == [1, 2])
      #expect(own >= .milliseconds(300))
      #expect(other < own)
    }
  }

  @Test("drop closes the connection at the request")
  func drop() async throws {
    try await withBoiler(.drop) { server in
      let connection = RawConnection(port: server.port)
      connection.send([0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 1])
      #expect(connection.receive(1) == [])
      #expect(server.statistics.connectionsOpen == 0)
    }
  }

  @Test(
    "answers that do not fit the request",
    arguments: [
      (ModbusFault.wrongTransaction, [0, 2, 0, 0, 0, 5, 1, 3, 2, 1, 0xC2]),
      (.wrongUnit, [0, 1, 0, 0, 0, 5, 2, 3, 2, 1, 0xC2]),
      (.truncate, [0, 1, 0, 0, 0, 5, 1]),
      (.garbage, [0xDE, 0xAD, 0xBE, 0xEF, 0x13, 0x37, 0, 0xFF, 0, 1, 0x80, 0x7F]),
    ] as [(ModbusFault, [UInt8])])
  func misfits(fault: ModbusFault, answer: [UInt8]) async throws {
    try await withBoiler(fault) { server in
      let connection = RawConnection(port: server.port)
      connection.send([0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 1])
      #expect(connection.receive(answer.count) == answer)
    }
  }

  @Test("offline closes connections and refuses new ones; back again, the same port answers with the same values")
  func offline() async throws {
    var configuration = PlantConfiguration(modbus: [.boiler])
    configuration.tick = nil
    try await withPlant(configuration) { plant in
      let server = plant.modbus[0]
      let connection = RawConnection(port: server.port)
      _ = connection.ask([6, 0, 41, 0, 77])
      server.faults = [.offline]
      #expect(connection.receive(1) == [])
      #expect(throws: ModbusFailure.self) { try ModbusClient(port: server.port) }
      server.faults = []
      #expect(await becomesTrue { (try? ModbusClient(port: server.port).holdings(41)) == [77] })
    }
  }

  @Test(
    "control lines",
    arguments: [
      ("fault 3 silence", .fault(.modbus(3), .silence)), ("clear 3", .clear(.modbus(3))), ("clear all", .clear(.all)),
      ("fault all delay 500ms", .fault(.all, .delay(.milliseconds(500)))),
      (
        "fault 1 exception 2 functions=3,4 addresses=40-41",
        .fault(.modbus(1), .exception(2, functions: [3, 4], addresses: 40...41))
      ),
      ("fault room-2 garbage", .roomFault(.room(2), .garbage)),
      ("get 1 input 1000 2", .get(server: 1, .input, address: 1_000, count: 2)),
      ("set 1 holding 40 -5 600", .set(server: 1, .holding, address: 40, values: [65_531, 600])),
    ] as [(String, ControlCommand)])
  func controlLines(line: String, command: ControlCommand) throws {
    #expect(try ControlCommand(line) == command)
  }

  @Test(
    "lines that are no command are refused with a reason",
    arguments: [
      "", "boom", "fault", "fault 0 silence", "fault 1 delay", "fault 1 delay soon", "fault room-1 offline",
      "fault 1 exception 300", "fault 1 exception 2 adresses=4", "fault 1 exception 2 addresses=9-4",
      "set 1 holding 40",
      "get 1 register 4", "get x input 4",
    ])
  func malformedLines(line: String) {
    #expect(throws: ControlCommand.Malformed.self) { try ControlCommand(line) }
  }

  @Test("control lines reach the devices")
  func control() async throws {
    var configuration = PlantConfiguration(modbus: [.boiler, .sdm630])
    configuration.tick = nil
    try await withPlant(configuration) { plant in
      #expect(plant.control("fault 2 silence") == "ok")
      #expect(plant.modbus.map(\.faults) == [[], [.silence]])
      #expect(plant.control("set 1 holding 40 600") == "ok")
      #expect(plant.control("get 1 holding 40") == "600\nok")
      #expect(plant.control("fault 3 silence").hasPrefix("error: there is no Modbus server 3"))
      #expect(plant.control("clear all") == "ok")
      #expect(plant.modbus.map(\.faults) == [[], []])
    }
  }
}
