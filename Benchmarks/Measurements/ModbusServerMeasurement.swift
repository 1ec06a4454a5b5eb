/// The gateway's Modbus server against libmodbus's own, each in a process of its own: one libmodbus client reads 125
/// holding registers, one request after another. Processor time of the server's process a request, and requests a second.
func measureModbusServer() throws -> [Measurement] {
  let floor = try RegisterServer.start(ports: 1)
  let bare = try ModbusFloor(ports: floor.ports)
  let requests = 10_000
  var rows: [Measurement] = []
  let motions: [(PropertyServerPeer.Motion, String)] = [
    (.nothingMoves, "none changed"), (.othersMove, "others changed"), (.everythingMoves, "all changed"),
  ]
  for (motion, kind) in motions {
    let ours = try PropertyServerPeer.start(motion)
    let client = try ModbusFloor(ports: [ours.port])
    func figures(_ client: ModbusFloor, _ process: ChildProcess) throws -> (cost: Double, rate: Double) {
      let before = (try process.cpuNanoseconds(), monotonicNanoseconds())
      _ = try client.costOfReading(rounds: requests)
      let spent = (try process.cpuNanoseconds() - before.0, monotonicNanoseconds() - before.1)
      return (spent.0 / Double(requests), Double(requests) / spent.1 * 1e9)
    }
    var best = (cost: (ours: Double.infinity, floor: Double.infinity), rate: (ours: 0.0, floor: 0.0))
    for _ in 0..<3 {
      let (mine, its) = (try figures(client, ours.process), try figures(bare, floor.process))
      best.cost = (min(best.cost.ours, mine.cost), min(best.cost.floor, its.cost))
      best.rate = (max(best.rate.ours, mine.rate), max(best.rate.floor, its.rate))
    }
    rows.append(
      Measurement(
        name: "Modbus server, 125 values, \(kind)", ours: best.cost.ours, floor: best.cost.floor, unit: "ns CPU/request"
      ))
    rows.append(
      Measurement(name: "the same: requests/s", ours: best.rate.ours, floor: best.rate.floor, unit: "requests/s"))
  }
  return rows
}
