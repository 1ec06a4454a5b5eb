import CModbus
import DeviceKit
import Documents
import ModbusProtocol
import TestSupport
import Testing
import YAML

/// The server, to clients that are not ours: pymodbus, mbpoll, and libmodbus.
@Suite(.serialized) struct ServerInteropTests {
  static func specification() throws -> JSONValue {
    try YAMLDocument.one(
      in: """
        unitID: 1
        heartbeat: {table: input, address: 90}
        quality: {table: discrete, address: 100}
        map:
        - {device: meter-1, property: power, table: input, address: 0, encoding: float32}
        - {device: meter-1, property: energy, table: input, address: 2, encoding: uint32, order: CDAB}
        - {device: meter-1, property: setpoint, access: ReadWrite, table: holding, address: 40, encoding: int16, scale: 0.1}
        - {device: meter-1, property: limit, access: ReadWrite, table: holding, address: 41, encoding: float32}
        - {device: meter-1, property: mode, access: ReadWrite, table: holding, address: 43, bits: {from: 0, count: 8}}
        - {device: meter-1, property: level, access: ReadWrite, table: holding, address: 43, bits: {from: 8, count: 8}}
        - {device: meter-1, property: serial, table: holding, address: 60}
        - {device: meter-1, property: pump, access: ReadWrite, table: coil, address: 3}
        - {device: meter-1, property: valves, access: ReadWrite, table: coil, address: 4, count: 9}
        - {device: meter-1, property: door, table: discrete, address: 0}
        """)
  }

  static func board() -> PropertyBoard {
    let board = PropertyBoard()
    board.set("power", .number(-1.5))
    board.set("energy", .integer(0x0001_0002))
    board.set("setpoint", .number(20))
    board.set("limit", .number(2.5))
    board.set("mode", .integer(0x34))
    board.set("level", .integer(0x12))
    board.set("serial", .integer(4711))
    board.set("pump", .boolean(true))
    board.set("valves", .object(.array((0..<9).map { .bool($0 % 3 == 0) })), items: .boolean)
    board.set("door", .boolean(true))
    return board
  }

  /// Every function that the server has, with each answer printed: registers, bits, or the exception's code.
  private static func client(_ port: Int) -> String {
    """
    from pymodbus.client import ModbusTcpClient
    c = ModbusTcpClient("127.0.0.1", port=\(port), timeout=10)
    assert c.connect()
    def show(r, bits=0):
        if r.isError(): print("exception", r.exception_code)
        elif bits: print(*[int(b) for b in r.bits[:bits]])
        else: print(*r.registers)
    show(c.read_input_registers(0, count=4, device_id=1))
    show(c.read_holding_registers(40, count=4, device_id=1))
    show(c.read_coils(3, count=10, device_id=1), 10)
    show(c.read_discrete_inputs(0, count=1, device_id=1), 1)
    show(c.read_discrete_inputs(100, count=10, device_id=1), 10)
    print(c.write_register(40, 215, device_id=1).isError())
    print(c.write_registers(41, [0x4080, 0], device_id=1).isError())
    print(c.write_coil(3, False, device_id=1).isError())
    print(c.write_coils(3, [True] + [False, True, False] * 3, device_id=1).isError())
    print(c.mask_write_register(address=43, and_mask=0x00FF, or_mask=0x5600, device_id=1).isError())
    show(c.readwrite_registers(read_address=40, read_count=2, write_address=40, values=[190], device_id=1))
    show(c.write_register(60, 1, device_id=1))
    show(c.write_register(41, 1, device_id=1))
    show(c.write_register(999, 1, device_id=1))
    show(c.read_holding_registers(44, count=1, device_id=1))
    show(c.write_registers(40, [200, 0x7FC0, 0], device_id=1))
    show(c.read_holding_registers(40, count=1, device_id=2))
    show(c.read_holding_registers(40, count=1, device_id=255))
    i = c.read_device_information(read_code=2, object_id=0, device_id=1)
    print({k: v.decode() for k, v in i.information.items()})
    c.close()
    """
  }

  @Test func pymodbusReadsAndWritesByEveryFunction() async throws {
    let board = Self.board()
    try await ModbusServer.serving(try Self.specification(), board) { server, port in
      let lines = try await python(Self.client(port)).split(separator: "\n").map(String.init)
      #expect(
        lines == [
          "49088 0 2 1", "200 16416 0 4660", "1 1 0 0 1 0 0 1 0 0", "1", "1 1 1 1 1 1 1 1 1 1", "False", "False",
          "False", "False", "False", "200 16416", "exception 2", "exception 2", "exception 2", "exception 2",
          "exception 3", "exception 11", "200",
          "{0: 'Selvedge', 1: 'selvedge', 2: '1.2.3', 4: 'Selvedge device gateway', 5: 'scada'}",
        ])
      #expect(
        board.wishes == [
          ["setpoint": .number(21.5)], ["limit": .number(4)], ["pump": .boolean(false)],
          [
            "pump": .boolean(true),
            "valves": .object(.array((0..<9).map { .bool($0 % 3 == 1) })),
          ],
          ["level": .integer(0x56)], ["setpoint": .number(19)],
        ])
      #expect(board.authors == ["modbus:127.0.0.1"])
      #expect(server.status.phase == .serving && server.status.counters["valuesWritten"] == 7)
      #expect(server.status.counters["exceptions"] == 6 && server.status.counters["requests"] == 19)
    }
  }

  @Test func mbpollReadsAndWrites() async throws {
    let board = Self.board()
    try await ModbusServer.serving(try Self.specification(), board) { _, port in
      func poll(_ words: String..., value: String? = nil) async throws -> Finished {
        try await run(
          ["mbpoll", "-0", "-q", "-m", "tcp", "-p", "\(port)", "-a", "1"] + words + ["127.0.0.1"]
            + (value.map { [$0] } ?? []))
      }
      let words = try await poll("-1", "-t", "3:float", "-B", "-r", "0", "-c", "1").succeeded()
      #expect(words.contains("-1.5"), "\(words)")
      let holding = try await poll("-1", "-t", "4", "-r", "40", "-c", "1").succeeded()
      #expect(holding.contains("200"), "\(holding)")
      _ = try await poll("-t", "4", "-r", "40", value: "333").succeeded()
      _ = try await poll("-t", "0", "-r", "3", value: "0").succeeded()
      #expect(board.wishes == [["setpoint": .number(33.3)], ["pump": .boolean(false)]])
      board.refuse(WishRefusal(.forbiddenValue, "setpoint: 33.3 is above the maximum 30"))
      let refused = try await poll("-t", "4", "-r", "40", value: "333")
      #expect("\(refused)".contains("Illegal data value"), "\(refused)")
    }
  }

  @Test func libmodbusReadsAndWrites() async throws {
    let board = Self.board()
    try await ModbusServer.serving(try Self.specification(), board) { _, port in
      try await offPool {
        guard let client = modbus_new_tcp("127.0.0.1", Int32(port)) else { throw TestTrouble("libmodbus: no client") }
        defer { modbus_free(client) }
        modbus_set_slave(client, 1)
        guard modbus_connect(client) == 0 else { throw TestTrouble("libmodbus: no connection") }
        defer { modbus_close(client) }
        var words = [UInt16](repeating: 0, count: 4)
        #expect(modbus_read_registers(client, 40, 4, &words) == 4 && words == [200, 0x4020, 0, 0x1234])
        #expect(modbus_read_input_registers(client, 2, 2, &words) == 2 && Array(words[..<2]) == [2, 1])
        var bits = [UInt8](repeating: 9, count: 10)
        #expect(modbus_read_bits(client, 3, 10, &bits) == 10 && bits == [1, 1, 0, 0, 1, 0, 0, 1, 0, 0])
        #expect(modbus_read_input_bits(client, 0, 1, &bits) == 1 && bits[0] == 1)
        #expect(modbus_write_register(client, 40, 0xFFFF) == 1)
        #expect(modbus_write_registers(client, 40, 3, [100, 0x3F80, 0]) == 3)
        #expect(modbus_write_bit(client, 3, 0) == 1)
        #expect(modbus_mask_write_register(client, 43, 0xFF00, 0x0001) != -1)
        #expect(modbus_write_and_read_registers(client, 40, 1, [50], 40, 2, &words) == 2 && words[0] == 200)
        #expect(modbus_read_registers(client, 0, 1, &words) == -1)
      }
      #expect(
        board.wishes == [
          ["setpoint": .number(-0.1)], ["setpoint": .number(10), "limit": .number(1)], ["pump": .boolean(false)],
          ["mode": .integer(1)], ["setpoint": .number(5)],
        ])
    }
  }

  /// The project's own client, which checks every answer against its request.
  @Test(arguments: [
    (WishRefusal.Reason.notServed, UInt8(4)), (.unknownProperty, 4), (.readOnly, 2), (.forbiddenValue, 3),
    (.writesDisabled, 4), (.specWins, 4), (.notStored, 4),
  ]) func aRefusedWishIsAnsweredByItsException(reason: WishRefusal.Reason, code: UInt8) async throws {
    let board = Self.board()
    try await ModbusServer.serving(try Self.specification(), board) { server, port in
      board.refuse(WishRefusal(reason, "no"))
      let peer = try RawClient(port: port)
      try peer.send([0, 9, 0, 0, 0, 6, 1, 6, 0, 40, 0, 1])
      #expect(try await peer.receive(9) == [0, 9, 0, 0, 0, 3, 1, 0x86, code])
      #expect(board.wishes.isEmpty && server.status.counters["valuesWritten"] == 0)
    }
  }
}
