import CModbus
import DeviceKit
import Documents
import Glibc
import Logging
import ModbusProtocol
import Synchronization
import TwinStore

/// A Modbus block read to twin: sessions that poll 125 holding registers as 125 properties each, into the twins in
/// memory, against a bare libmodbus loop that reads the same blocks and sums them. The same libmodbus server, in another
/// process, answers both; every register has changed at every read. Nanoseconds of processor time of the client's whole
/// process a value, with 1 connection and with 50.
///
/// Sessions poll at their shortest period, 10 ms; the floor reads without a pause, which is to its favour: it never
/// has to be woken out of idleness for a single block. One more row has a floor that waits for the same period.
func measureModbus() async throws -> [Measurement] {
  let server = try ChildProcess(peer: RegisterServer.command, [50])
  let ports = (server.nextLine() ?? "").split(separator: " ").compactMap { Int($0) }
  guard ports.count == 50 else { throw BenchError("the register server does not start") }
  let one = try ModbusFloor(ports: [ports[0]])
  let fifty = try ModbusFloor(ports: ports)
  var paced = Measurement(
    name: "the same, the floor at the same 10 ms period", ours: .infinity, floor: .infinity, unit: "ns CPU/value")
  for _ in 0..<3 { paced.floor = min(paced.floor, try one.costOfReading(blocks: 200, every: 10_000)) }
  let single = try await Measurement.best(
    of: 3, "Modbus block of 125 to twin, 1 connection", unit: "ns CPU/value",
    ours: { try await costOfPolling([ports[0]], for: .seconds(3)) }, floor: { try one.costOfReading(blocks: 2_000) })
  paced.ours = single.ours
  let many = try await Measurement.best(
    of: 3, "Modbus block of 125 to twin, 50 connections", unit: "ns CPU/value",
    ours: { try await costOfPolling(ports, for: .seconds(2)) }, floor: { try fifty.costOfReading(blocks: 10_000) })
  return [single, paced, many]
}

/// The feed's end in the twins, with a count of good values.
private struct TwinFeed: DeviceFeed {
  final class Count: Sendable { let good = Atomic(0) }
  let twins: TwinStore
  let count = Count()
  func deliver(_ batch: SampleBatch) async {
    twins.ingest(batch)
    let good = batch.qualities.reduce(0) { $0 + ($1 == .good ? 1 : 0) }
    count.good.wrappingAdd(good, ordering: .relaxed)
  }
  func connection(of device: DeviceKey, is state: ConnectionState) {
    twins.connection(device, isConnected: state == .connected)
  }
}

private func costOfPolling(_ ports: [Int], for span: Duration) async throws -> Double {
  let place = try BenchPlace()
  let points = PointTable()
  // Nothing is committed within the measurement: the twins' persistence has a row of its own.
  let twins = try TwinStore.open(
    directory: place.path("twins"), points: points, logger: .silent, options: .init(reportedInterval: .seconds(86_400)))
  let feed = TwinFeed(twins: twins)
  let plugin = ModbusPlugin()
  let properties = (0..<RegisterServer.registers).map { register in
    PropertyDefinition(
      name: "register-\(register)", type: .integer, pollEvery: .milliseconds(10),
      binding: ["table": "holding", "address": .integer(Int64(register))])
  }
  var sessions: [any DeviceSession] = []
  for port in ports {
    let device = DeviceKey(namespace: "default", name: "server-\(port)")
    twins.attach(device, properties: properties.map { ($0, WriteRules()) }, writesEnabled: false)
    sessions.append(
      try plugin.session(
        for: SessionRequest(
          device: device, connection: ["tcp": ["host": "127.0.0.1", "port": .integer(Int64(port))], "unitID": 1],
          properties: properties,
          points: properties.map { points.id(of: PointName(device: device, property: $0.name)) }), feed: feed))
  }
  let cost = try await withThrowingTaskGroup(of: Void.self) { group in
    for session in sessions { group.addTask { await session.run() } }
    defer { group.cancelAll() }
    try await until("every register was read") {
      feed.count.good.load(ordering: .relaxed) > 20 * ports.count * RegisterServer.registers
    }
    let before = (processCPUNanoseconds(), feed.count.good.load(ordering: .relaxed))
    try await Task.sleep(for: span)
    let after = (processCPUNanoseconds(), feed.count.good.load(ordering: .relaxed))
    return (after.0 - before.0) / Double(after.1 - before.1)
  }
  await twins.close()
  return cost
}

/// Blocking libmodbus connections, read in turn on one thread.
private final class ModbusFloor {
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

  /// `pause` after each block, in microseconds.
  func costOfReading(blocks: Int, every pause: UInt32 = 0) throws(BenchError) -> Double {
    var registers = [UInt16](repeating: 0, count: RegisterServer.registers)
    var sum: UInt64 = 0
    let begin = processCPUNanoseconds()
    for block in 0..<blocks {
      let count = modbus_read_registers(connections[block % connections.count], 0, Int32(registers.count), &registers)
      guard count == registers.count else { throw BenchError("libmodbus: \(String(cString: modbus_strerror(errno)))") }
      for register in registers { sum &+= UInt64(register) }
      if pause > 0 { usleep(pause) }
    }
    let spent = processCPUNanoseconds() - begin
    precondition(sum > 0)
    return spent / Double(blocks * registers.count)
  }
}
