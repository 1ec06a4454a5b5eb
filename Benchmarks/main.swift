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
default:
  let groups: [(name: String, measure: () async throws -> [Measurement])] = [
    ("modbus", measureModbus), ("modbus-fleet", measureModbusFleet),
    ("modbus-server", { try measureModbusServer() }), ("mqtt", measureMQTT),
    ("pipeline", { measurePipeline() }), ("scaling", measureScaling), ("twin", measureTwins),
    ("store", measureResourceStore), ("spool", { try measureSpool() }),
  ]
  guard words.allSatisfy({ word in groups.contains { $0.name == word } }) else {
    let usage = "usage: selvedge-bench [\(groups.map(\.name).joined(separator: "|"))]…; all of them without a word\n"
    write(2, usage, usage.utf8.count)
    exit(64)
  }
  signal(SIGPIPE, SIG_IGN)
  var rows: [Measurement] = []
  for group in groups where words.isEmpty || words.contains(group.name) { rows += try await group.measure() }
  print(MeasurementTable(rows: rows).text)
}
