import Foundation
import TestSupport

/// A Modbus server on pymodbus, in a process of its own, with a pymodbus client beside it for setting and reading back.
///
/// Units 1 and 2: 200 coils; 200 discrete inputs, every third set; 300 input registers, 1000 and up; holding registers
/// 0 to 299 but for a hole from 60 to 69. Unit 3: 9,000 holding registers and 2,000 coils.
///
/// `@unchecked Sendable`: one test asks at a time, and each question is answered before the next.
final class PymodbusServer: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffered = Data()
  private(set) var port = 0

  /// `kind`: tcp, or rtu for RTU framing over TCP; `place`: a port, 0 for a free one.
  init(_ kind: String = "tcp", _ place: String = "0") async throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.script, kind, place]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let words = try await offPool { try self.line() }.split(separator: " ")
    guard words.count == 2, words[0] == "ready", let port = Int(words[1]) else {
      throw TestTrouble("pymodbus did not start; is it installed (pip install pymodbus)?")
    }
    self.port = port
  }

  deinit { stop() }

  func stop() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func set(_ table: String, _ address: Int, _ values: [Int], unit: Int = 1) async throws {
    let answer = try await ask("set \(unit) \(table) \(address) \(values.map(String.init).joined(separator: " "))")
    guard answer == "ok" else { throw TestTrouble(answer) }
  }

  func get(_ table: String, _ address: Int, _ count: Int, unit: Int = 1) async throws -> [Int] {
    let answer = try await ask("get \(unit) \(table) \(address) \(count)")
    return answer.split(separator: " ").compactMap { Int($0) }
  }

  private func ask(_ command: String) async throws -> String {
    try input.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
    return try await offPool { try self.line() }
  }

  private func line() throws -> String {
    while true {
      if let end = buffered.firstIndex(of: 0x0A) {
        let line = String(decoding: buffered[..<end], as: UTF8.self)
        buffered = Data(buffered[(end + 1)...])
        return line
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw TestTrouble("pymodbus ended") }
      buffered += more
    }
  }

  private static let script = #"""
    import asyncio, os, sys, warnings, logging
    from pymodbus.datastore import ModbusSparseDataBlock, ModbusDeviceContext, ModbusServerContext
    from pymodbus.server import ModbusTcpServer
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus import ModbusDeviceIdentification, FramerType

    def unit():
        inputs = {i: 1000 + i for i in range(300)}
        holding = {i: 0 for i in range(60)} | {i: 0 for i in range(70, 300)}
        return ModbusDeviceContext(
            co=ModbusSparseDataBlock({i: False for i in range(200)}),
            di=ModbusSparseDataBlock({i: i % 3 == 0 for i in range(200)}),
            ir=ModbusSparseDataBlock(inputs), hr=ModbusSparseDataBlock(holding))

    async def main():
        kind, where = sys.argv[1], sys.argv[2]
        wide = ModbusDeviceContext(
            co=ModbusSparseDataBlock({i: False for i in range(2000)}),
            hr=ModbusSparseDataBlock({i: 0 for i in range(9000)}))
        context = ModbusServerContext(devices={1: unit(), 2: unit(), 3: wide}, single=False)
        identity = ModbusDeviceIdentification(info_name={
            "VendorName": "Example Works", "ProductCode": "BC-4", "MajorMinorRevision": "2.1",
            "ProductName": "Boiler", "ModelName": "BC-4 large"})
        framer = FramerType.RTU if kind == "rtu" else FramerType.SOCKET
        server = ModbusTcpServer(context, identity=identity, address=("127.0.0.1", int(where)), framer=framer)
        await server.serve_forever(background=True)
        port = server.transport.sockets[0].getsockname()[1]
        print("ready", port, flush=True)
        client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer)
        await client.connect()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            verb, unit_id, table, address, *rest = line.split()
            unit_id, address = int(unit_id), int(address)
            numbers = [int(x) for x in rest]
            if verb == "set" and table == "coil":
                reply = await client.write_coils(address, [bool(x) for x in numbers], device_id=unit_id)
            elif verb == "set":
                reply = await client.write_registers(address, numbers, device_id=unit_id)
            elif table == "coil":
                reply = await client.read_coils(address, count=numbers[0], device_id=unit_id)
            else:
                reply = await client.read_holding_registers(address, count=numbers[0], device_id=unit_id)
            if reply.isError():
                print("error", reply, flush=True)
            elif verb == "set":
                print("ok", flush=True)
            elif table == "coil":
                print(*[int(x) for x in reply.bits[:numbers[0]]], flush=True)
            else:
                print(*reply.registers, flush=True)
        os._exit(0)
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
    """#
}

struct TestTrouble: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
