import Glibc

// A peer that was started by the benchmark itself, in a process of its own: its processor time counts on no side.
let words = Array(CommandLine.arguments.dropFirst())
switch (words.first, words.dropFirst().compactMap { Int($0) }) {
case (RegisterServer.command, let numbers) where numbers.count == 1:
  try RegisterServer(listeners: numbers[0]).serve()
case (TopicPublisher.command, let numbers) where numbers.count == 4:
  try TopicPublisher(port: numbers[0], topics: numbers[1], messages: numbers[2], qos: numbers[3]).publish()
case (PropertyServerPeer.command, let numbers) where numbers.count == 1:
  try await PropertyServerPeer.serve(PropertyServerPeer.Motion(rawValue: numbers[0]) ?? .nothingMoves)
case (WriteServer.command, _):
  try WriteServer().serve()
case (GatewayFleet.command, let numbers) where numbers.count == 2:
  try await GatewayFleet(count: numbers[0], port: numbers[1]).run()
default:
  let groups: [(name: String, measure: () async throws -> [Measurement])] = [
    ("modbus", measureModbus), ("modbus-fleet", measureModbusFleet),
    ("modbus-server", { try measureModbusServer() }), ("mqtt", measureMQTT), ("mqtt-out", measureMQTTOut),
    ("pipeline", { measurePipeline() }), ("scaling", measureScaling), ("twin", measureTwins),
    ("store", measureResourceStore), ("spool", { try measureSpool() }),
  ]
  // Minutes each, and for a thousand gateways 16,000 descriptors: only for who asks.
  let long: [(name: String, measure: () async throws -> [Measurement])] = [1, 2, 100, 1_000].map { gateways in
    ("cluster-\(gateways)", { try await measureCluster(gateways) })
  }
  guard words.allSatisfy({ word in (groups + long).contains { $0.name == word } }) else {
    let usage =
      "usage: selvedge-bench [\((groups + long).map(\.name).joined(separator: "|"))]…; without a word all but \(long.map(\.name).joined(separator: ", "))\n"
    write(2, usage, usage.utf8.count)
    exit(64)
  }
  signal(SIGPIPE, SIG_IGN)
  var rows: [Measurement] = []
  for group in groups where words.isEmpty || words.contains(group.name) { rows += try await group.measure() }
  for group in long where words.contains(group.name) { rows += try await group.measure() }
  print(MeasurementTable(rows: rows).text)
}
