import Glibc

// A peer that was started by the benchmark itself, in a process of its own: its processor time counts on no side.
let words = Array(CommandLine.arguments.dropFirst())
switch (words.first, words.dropFirst().compactMap { Int($0) }) {
case (RegisterServer.command, let numbers) where numbers.count == 1:
  try RegisterServer(listeners: numbers[0]).serve()
case (TopicPublisher.command, let numbers) where numbers.count == 4:
  try TopicPublisher(port: numbers[0], topics: numbers[1], messages: numbers[2], qos: numbers[3]).publish()
case (nil, _):
  signal(SIGPIPE, SIG_IGN)
  var rows: [Measurement] = []
  rows += try await measureModbus()
  rows += try await measureMQTT()
  rows += measurePipeline()
  rows += try await measureTwinPersistence()
  print(MeasurementTable(rows: rows).text)
default:
  let usage = "selvedge-bench takes no arguments: it runs every measurement and prints one table\n"
  write(2, usage, usage.utf8.count)
  exit(64)
}
