import Glibc

// A peer that was started by the benchmark itself, in a process of its own: its processor time counts on no side.
let words = Array(CommandLine.arguments.dropFirst())
switch (words.first, words.dropFirst().compactMap { Int($0) }) {
case (RegisterServer.command, let numbers) where numbers.count == 1:
  try RegisterServer(listeners: numbers[0]).serve()
case (TopicPublisher.command, let numbers) where numbers.count == 4:
  try TopicPublisher(port: numbers[0], topics: numbers[1], messages: numbers[2], qos: numbers[3]).publish()
case (WriteServer.command, _):
  try WriteServer().serve()
case (nil, _), ("twin", _):
  signal(SIGPIPE, SIG_IGN)
  var rows: [Measurement] = []
  if words.isEmpty {
    rows += try await measureModbus()
    rows += try await measureMQTT()
    rows += measurePipeline()
  }
  rows += try await measureTwinPersistence()
  rows += try await measureTwinIngest()
  rows += try await measureTwinLoad()
  rows += try await measureTwinFlash()
  rows += try await measureWish()
  print(MeasurementTable(rows: rows).text)
default:
  let usage = "selvedge-bench prints one table of every measurement; selvedge-bench twin, of the twins alone\n"
  write(2, usage, usage.utf8.count)
  exit(64)
}
