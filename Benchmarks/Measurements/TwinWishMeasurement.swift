import Controllers
import DeviceKit
import Documents
import Glibc
import Logging
import ModbusProtocol
import TwinStore

/// From a desired value to the register: `setDesired` → fsync → the writer reads first → write request at a libmodbus
/// server on the loopback, which says when it has it. The session polls 20 properties each second meanwhile. The stated
/// limit stands in the floor's place; the last row is an fsync of 4 KB on the same disk, its median and its worst of 100.
func measureWish() async throws -> [Measurement] {
  let place = try BenchPlace(in: ".build")
  let server = try ChildProcess(peer: WriteServer.command, [])
  guard let port = server.nextLine().flatMap({ Int($0) }) else { throw BenchError("the write server does not start") }
  let points = PointTable()
  let twins = try TwinStore.open(directory: place.path("twins"), points: points, logger: .silent)
  let device = DeviceKey(namespace: "default", name: "server")
  let properties = (0..<20).map { register in
    PropertyDefinition(
      name: "register-\(register)", type: .integer, access: .readWrite, pollEvery: .seconds(1),
      binding: ["table": "holding", "address": .integer(Int64(register))])
  }
  twins.attach(device, properties: properties.map { ($0, WriteRules()) }, writesEnabled: true)
  let session = try ModbusPlugin().session(
    for: SessionRequest(
      device: device, connection: ["tcp": ["host": "127.0.0.1", "port": .integer(Int64(port))], "unitID": 1],
      properties: properties, points: properties.map { points.id(of: PointName(device: device, property: $0.name)) }),
    feed: WishFeed(twins: twins))
  let writer = DesiredStateWriter(twins: twins) { _ in }
  var latencies: [Double] = []
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { await session.run() }
    group.addTask { await writer.run(device: device, session: session) }
    defer { group.cancelAll() }
    try await until("the server was read") { twins.snapshot(device)?["register-19"]?.reading.quality == .good }
    for number in 1...500 {
      let begin = monotonicNanoseconds()
      try await twins.setDesired(
        ["register-7": .integer(Int64(number))], of: device, from: .local(user: "bench"))
      let words = (server.nextLine() ?? "").split(separator: " ").compactMap { Double($0) }
      guard words.count == 2, words[0] == Double(number) else { throw BenchError("the server got \(words)") }
      latencies.append((words[1] - begin) / 1e6)
      try await until("confirmed") { twins.snapshot(device)?["register-7"]?.state == .confirmed }
    }
  }
  await twins.close()
  let syncs = try syncCosts(place.path("sync"))
  latencies.sort()
  return [
    Measurement(name: "desired to register written, median", ours: latencies[250], floor: 10, unit: "ms"),
    Measurement(name: "desired to register written, p99", ours: latencies[495], floor: 10, unit: "ms"),
    Measurement(name: "fdatasync of 4 KB: worst, against median", ours: syncs[99], floor: syncs[50], unit: "ms"),
  ]
}

private final class WishFeed: DeviceFeed {
  let twins: TwinStore
  init(twins: TwinStore) { self.twins = twins }
  func deliver(_ batch: SampleBatch) async { twins.ingest(batch) }
  func connection(of device: DeviceKey, is state: ConnectionState) {
    twins.connection(device, isConnected: state == .connected)
  }
}

/// Milliseconds of 100 appends of 4 KB with fdatasync, sorted.
private func syncCosts(_ path: String) throws -> [Double] {
  let file = open(path, O_CREAT | O_WRONLY | O_APPEND, 0o600)
  guard file >= 0 else { throw BenchError("cannot open \(path)") }
  defer { close(file) }
  let page = [UInt8](repeating: 7, count: 4_096)
  return (0..<100).map { _ in
    let begin = monotonicNanoseconds()
    _ = write(file, page, page.count)
    fdatasync(file)
    return (monotonicNanoseconds() - begin) / 1e6
  }.sorted()
}
