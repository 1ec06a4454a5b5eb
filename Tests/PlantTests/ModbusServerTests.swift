import Plant
import Testing

@Suite("Simulated Modbus devices, seen by libmodbus's client")
struct ModbusServerTests {
  /// A plant whose time moves only on `advance`.
  private func still(_ kinds: [ModbusKind]) -> PlantConfiguration {
    var configuration = PlantConfiguration(modbus: kinds, seed: 1)
    configuration.tick = nil
    return configuration
  }

  @Test("every value of a boiler can be read, and equals what the device holds")
  func reads() async throws {
    try await withPlant(still([.boiler])) { plant in
      plant.advance(ticks: 3)
      let server = plant.modbus[0]
      let client = try ModbusClient(port: server.port)
      #expect(try client.inputs(10, 11) == server.read(.input, 10, count: 11))
      #expect(try client.holdings(0, 100) == server.read(.holding, 0, count: 100))
      #expect(try client.coils(0, 16).map(UInt16.init) == server.read(.coil, 0, count: 16))
      #expect(try client.discretes(0, 16).map(UInt16.init) == server.read(.discrete, 0, count: 16))
      #expect(server.image.string(.holding, 100, registers: 8) == "BC4-0001")
      #expect(server.statistics.requestsByFunction == [1: 1, 2: 1, 3: 1, 4: 1])
    }
  }

  @Test("the sequence counter rises by one at each tick")
  func sequence() async throws {
    try await withPlant(still(ModbusKind.allCases)) { plant in
      for server in plant.modbus {
        let client = try ModbusClient(port: server.port)
        #expect(try client.inputs(Int32(SequenceCounter.address), 2) == [0, 0])
      }
      for tick in 1...20 {
        plant.advance(ticks: 1)
        for server in plant.modbus { #expect(server.sequence == UInt32(tick)) }
      }
      let client = try ModbusClient(port: plant.modbus[0].port)
      #expect(try client.inputs(Int32(SequenceCounter.address), 2) == [0, 20])
    }
  }

  @Test("time moves by itself where a tick is given")
  func ticks() async throws {
    var configuration = PlantConfiguration(modbus: [.boiler])
    configuration.tick = .milliseconds(5)
    try await withPlant(configuration) { plant in
      #expect(await becomesTrue { plant.modbus[0].sequence >= 10 })
    }
  }

  @Test("writes of every function code arrive, and their writers are on record")
  func writes() async throws {
    try await withPlant(still([.boiler])) { plant in
      let server = plant.modbus[0]
      let one = try ModbusClient(port: server.port)
      let other = try ModbusClient(port: server.port)
      try one.write(holding: 40, 600)
      try one.write(coil: 3, true)
      try other.write(holdings: 41, [300, 15])
      try other.write(coils: 4, [1, 0, 1])
      try one.mask(holding: 42, and: 0xFF0F, or: 0x0020)
      #expect(try one.holdings(40, 3) == [600, 300, (15 & 0xFF0F) | 0x20])
      #expect(server.read(.coil, 3, count: 4) == [1, 1, 0, 1])
      #expect(server.writes.map(\.function) == [6, 5, 16, 15, 22])
      #expect(server.writes.map(\.connection) == [1, 1, 2, 2, 1])
      #expect(server.writes[2].write == RegisterWrite(table: .holding, address: 41, values: [300, 15]))
      #expect(server.writes[4].write.values == [(15 & 0xFF0F) | 0x20])
      #expect(server.writeCount(.holding, 42) == 2)
      #expect(server.writeCount(.holding, 40) == 1)
      #expect(server.writeCount(.coil, 40) == 0)
      #expect(server.statistics.writes == 5)
      #expect(server.statistics.connectionsOpen == 2)
    }
  }

  @Test("a change at the device's panel is read by clients and is no client's write")
  func panel() async throws {
    try await withPlant(still([.boiler])) { plant in
      let server = plant.modbus[0]
      #expect(server.set(.holding, 40, to: [512]))
      #expect(!server.set(.holding, 128, to: [1]))
      let client = try ModbusClient(port: server.port)
      #expect(try client.holdings(40) == [512])
      #expect(server.writes.isEmpty)
    }
  }

  @Test("what a device does not take is refused with the right exception and changes nothing")
  func refusals() async throws {
    try await withPlant(still([.boiler, .sdm630, .sunspec])) { plant in
      let boiler = try ModbusClient(port: plant.modbus[0].port)
      let meter = try ModbusClient(port: plant.modbus[1].port)
      let inverter = try ModbusClient(port: plant.modbus[2].port)
      let before = plant.modbus.map(\.image)
      #expect(throws: ModbusFailure.exception(3)) { try boiler.write(holding: 40, 1_200) }
      #expect(throws: ModbusFailure.exception(2)) { try boiler.write(holding: 100, 1) }
      #expect(throws: ModbusFailure.exception(2)) { try boiler.write(holdings: 127, [1, 2]) }
      #expect(throws: ModbusFailure.exception(2)) { try boiler.inputs(1_001, 2) }
      #expect(throws: ModbusFailure.exception(3)) { try meter.write(holdings: 2, [0x40E0, 0]) }  // 7.0
      #expect(throws: ModbusFailure.exception(3)) { try meter.write(holding: 2, 0x4100) }
      #expect(throws: ModbusFailure.exception(2)) { try inverter.write(holding: 40_012, 1) }
      #expect(plant.modbus.map(\.image) == before)
      #expect(plant.modbus.map(\.statistics.writes) == [0, 0, 0])
      #expect(plant.modbus.map(\.statistics.exceptions) == [4, 2, 1])
      try meter.write(holdings: 2, [0x4100, 0])  // 8.0
      #expect(plant.modbus[1].image.float32(.holding, 2) == 8)
    }
  }

  @Test("only the device's own unit answers; another one answers exception 11")
  func units() async throws {
    try await withPlant(still([.boiler])) { plant in
      let port = plant.modbus[0].port
      let itself = try ModbusClient(port: port, unit: 255)
      #expect(try itself.holdings(40) == [450])
      #expect(throws: ModbusFailure.exception(11)) { try ModbusClient(port: port, unit: 2).holdings(40) }
    }
  }

  @Test("function code 43 names the device, and a device without it answers exception 1")
  func identification() async throws {
    try await withPlant(still([.boiler, .sunspec])) { plant in
      let answer = try #require(RawConnection(port: plant.modbus[0].port).ask([0x2B, 0x0E, 4, 6]))
      #expect(answer == [0x2B, 0x0E, 4, 0x82, 0, 0, 1, 6, 8] + Array("BC4-0001".utf8))
      #expect(RawConnection(port: plant.modbus[1].port).ask([0x2B, 0x0E, 1, 0]) == [0xAB, 1])
      let identity = try ModbusClient(port: plant.modbus[0].port).reportServerID()
      #expect(String(decoding: identity, as: UTF8.self).contains("LMB"))
    }
  }

  @Test("requests sent in one go are answered in order, and half a request holds up nobody else")
  func streams() async throws {
    try await withPlant(still([.boiler])) { plant in
      let port = plant.modbus[0].port
      let half = RawConnection(port: port)
      half.send([0, 9, 0, 0, 0, 6, 1])
      let pipelined = RawConnection(port: port)
      pipelined.send([0, 1, 0, 0, 0, 6, 1, 3, 0, 40, 0, 1] + [0, 2, 0, 0, 0, 6, 1, 3, 0, 41, 0, 1])
      let answers = try #require(pipelined.receive(22))
      #expect(answers == [0, 1, 0, 0, 0, 5, 1, 3, 2, 1, 0xC2] + [0, 2, 0, 0, 0, 5, 1, 3, 2, 1, 0x5E])
      half.send([3, 0, 40, 0, 1])
      #expect(half.receive(11) == [0, 9, 0, 0, 0, 5, 1, 3, 2, 1, 0xC2])
    }
  }

  @Test(
    "requests of the wrong length or quantity answer exception 3, unknown functions exception 1",
    arguments: [
      ([3, 0, 40, 0, 0], [0x83, 3]), ([3, 0, 40, 0, 126], [0x83, 3]), ([3, 0, 40], [0x83, 3]),
      ([16, 0, 40, 0, 2, 4, 0, 1], [0x90, 3]), ([5, 0, 3, 0x12, 0], [0x85, 3]), ([0x14, 1, 2], [0x94, 1]),
    ] as [([UInt8], [UInt8])])
  func malformed(request: [UInt8], answer: [UInt8]) async throws {
    try await withPlant(still([.boiler])) { plant in
      let connection = RawConnection(port: plant.modbus[0].port)
      #expect(connection.ask(request) == answer)
      #expect(connection.ask([3, 0, 40, 0, 1], transaction: 2) == [3, 2, 1, 0xC2])
    }
  }

  @Test("a stream that is no Modbus TCP is closed and counted")
  func broken() async throws {
    try await withPlant(still([.boiler])) { plant in
      let connection = RawConnection(port: plant.modbus[0].port)
      connection.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
      #expect(connection.receive(1) == [])
      #expect(plant.modbus[0].statistics.brokenStreams == 1)
    }
  }

  @Test("fifty servers on two threads are each their own device")
  func many() async throws {
    var configuration = still(PlantConfiguration.mixed(50))
    configuration.modbusThreads = 2
    try await withPlant(configuration) { plant in
      #expect(Set(plant.modbus.map(\.port)).count == 50)
      for server in plant.modbus where server.kind == .boiler {
        try ModbusClient(port: server.port).write(holding: 41, UInt16(server.number))
      }
      for server in plant.modbus where server.kind == .boiler {
        #expect(server.read(.holding, 41) == [UInt16(server.number)])
      }
    }
  }

  @Test("connections past the most are closed at once, counted, and possible again when others have gone")
  func mostConnections() async throws {
    var configuration = still([.boiler, .sdm630])
    configuration.maximumConnections = 2
    try await withPlant(configuration) { plant in
      var kept = [RawConnection(port: plant.modbus[0].port), RawConnection(port: plant.modbus[1].port)]
      for connection in kept { #expect(connection.ask([4, 3, 0xE8, 0, 2]) == [4, 4, 0, 0, 0, 0]) }
      #expect(RawConnection(port: plant.modbus[0].port).receive(1) == [])
      #expect(plant.modbus[0].statistics.connectionsRefused == 1)
      kept.removeLast()
      #expect(await becomesTrue { (try? ModbusClient(port: plant.modbus[0].port).holdings(40)) == [450] })
      #expect(kept[0].ask([4, 3, 0xE8, 0, 2]) == [4, 4, 0, 0, 0, 0])
    }
  }

  @Test("a port in use is an error that names it")
  func portInUse() async throws {
    try await withPlant(still([.boiler])) { plant in
      var second = PlantConfiguration(modbus: [.boiler])
      second.modbusPort = plant.modbus[0].port
      let error = #expect(throws: PlantError.self) { _ = try Plant(second) }
      #expect(error?.description.contains("127.0.0.1:\(plant.modbus[0].port)") == true)
    }
  }

  @Test("once a plant has stopped, its ports are free and its connections closed")
  func stops() async throws {
    let (port, connection) = try await withPlant(still([.boiler])) { plant in
      let connection = RawConnection(port: plant.modbus[0].port)
      _ = connection.ask([3, 0, 40, 0, 1])
      return (plant.modbus[0].port, connection)
    }
    #expect(connection.receive(1) == [])
    #expect(throws: ModbusFailure.self) { try ModbusClient(port: port) }
  }
}
