import CModbus
import Glibc

/// Blocking libmodbus connections, read in turn on one thread: the floor of the Modbus rows.
final class ModbusFloor {
  private var connections: [OpaquePointer] = []

  init(ports: [Int]) throws(BenchError) {
    for port in ports {
      guard let connection = modbus_new_tcp("127.0.0.1", Int32(port)) else { throw BenchError("libmodbus: no client") }
      connections.append(connection)
      guard modbus_connect(connection) == 0 else {
        throw BenchError("libmodbus: \(String(cString: modbus_strerror(errno)))")
      }
    }
  }

  deinit {
    for connection in connections {
      modbus_close(connection)
      modbus_free(connection)
    }
  }

  /// Nanoseconds of processor time a value. Reads `registers` registers from each connection in turn, `rounds` times, in
  /// blocks of 125, and sums them; `pause` after each round of all connections, and `rest` after each connection, in
  /// microseconds.
  func costOfReading(
    _ registers: Int = RegisterServer.block, rounds: Int, every pause: UInt32 = 0, resting rest: UInt32 = 0
  ) throws(BenchError) -> Double {
    var values = [UInt16](repeating: 0, count: RegisterServer.block)
    var sum: UInt64 = 0
    let begin = processCPUNanoseconds()
    for _ in 0..<rounds {
      for connection in connections {
        for address in stride(from: 0, to: registers, by: RegisterServer.block) {
          let asked = min(RegisterServer.block, registers - address)
          let count = modbus_read_registers(connection, Int32(address), Int32(asked), &values)
          guard count == asked else { throw BenchError("libmodbus: \(String(cString: modbus_strerror(errno)))") }
          for index in 0..<asked { sum &+= UInt64(values[index]) }
        }
        if rest > 0 { usleep(rest) }
      }
      if pause > 0 { usleep(pause) }
    }
    let spent = processCPUNanoseconds() - begin
    precondition(sum > 0)
    return spent / Double(rounds * connections.count * registers)
  }
}
