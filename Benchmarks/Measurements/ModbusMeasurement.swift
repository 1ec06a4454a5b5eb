import Documents

/// Modbus blocks read to twins and through a deadband and a window: sessions that poll holding registers as integer
/// properties, against a bare libmodbus loop that reads the same blocks and sums them. The same libmodbus server, in
/// another process, answers both; every register has changed at every read. Nanoseconds of processor time of the
/// client's whole process a value.
///
/// Sessions poll at their shortest period, 10 ms. Where a row says so, the floor waits 10 ms after each round as well;
/// else it reads without a pause, which is to its favour: it never has to be woken out of idleness for a single block.
func measureModbus() async throws -> [Measurement] {
  let server = try RegisterServer.start(ports: 50)
  let one = try ModbusFloor(ports: [server.ports[0]])
  let fifty = try ModbusFloor(ports: server.ports)
  func cost(_ count: Int, _ registers: Int, for span: Duration) async throws -> Double {
    let fleet = try PollingFleet(
      server.ports.prefix(count).map { .init(port: $0) }, registers: registers, every: .milliseconds(10))
    let cost = try await fleet.run(after: 20 * fleet.nominal, for: span).cost
    await fleet.close()
    return cost
  }
  let unit = "ns CPU/value"
  var rows: [Measurement] = []
  let single = try await Measurement.best(
    of: 3, "Modbus block of 125 to twin and window, 1 connection", unit: unit,
    ours: { try await cost(1, 125, for: .seconds(3)) }, floor: { try one.costOfReading(rounds: 2_000) })
  rows.append(single)
  var paced = Measurement(
    name: "the same, the floor at the same 10 ms period", ours: single.ours, floor: .infinity, unit: unit)
  for _ in 0..<3 { paced.floor = min(paced.floor, try one.costOfReading(rounds: 200, every: 10_000)) }
  rows.append(paced)
  rows.append(
    try await Measurement.best(
      of: 3, "16 blocks of 125, 1 connection, both every 10 ms", unit: unit,
      ours: { try await cost(1, 2_000, for: .seconds(2)) },
      floor: { try one.costOfReading(2_000, rounds: 100, every: 10_000) }))
  let many = try await Measurement.best(
    of: 3, "Modbus block of 125 to twin and window, 50 connections", unit: unit,
    ours: { try await cost(50, 125, for: .seconds(2)) }, floor: { try fifty.costOfReading(rounds: 200) })
  rows.append(many)
  // A fiftieth of the period after each: the sessions are spread over their period, too.
  var spread = Measurement(
    name: "the same, the floor at the same pace", ours: many.ours, floor: .infinity, unit: unit)
  for _ in 0..<3 { spread.floor = min(spread.floor, try fifty.costOfReading(rounds: 40, resting: 200)) }
  rows.append(spread)
  return rows
}
