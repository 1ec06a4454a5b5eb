import Documents
import Glibc
import ModbusProtocol

/// Many devices at once: 1,000 of 10 registers each a second, a tenth of them silent, and 40 of 2,000 registers each
/// 200 ms. What has a limit stands against it: threads of the process, its resident memory, the periods' p99.
func measureModbusFleet() async throws -> [Measurement] {
  // A process on libmodbus holds fewer than 1,024 descriptors: a listener and a connection a device.
  let servers = try (0..<2).map { _ in try RegisterServer.start(ports: 450) }
  let silent = try (0..<100).map { _ in try SilentListener() }
  defer { withExtendedLifetime((servers, silent)) {} }
  let fleet = try PollingFleet(
    servers.flatMap { $0.ports.map { PollingFleet.Place(port: $0) } }
      + silent.map { .init(port: $0.port, isSilent: true) }, registers: 10, every: .seconds(1))
  let result = try await fleet.run(after: 3 * fleet.nominal, for: .seconds(15))
  let threads = try ProcessMemory.threads()
  let resident = try Double(ProcessMemory.resident()) / 1e6
  await fleet.close()
  var rows = [
    Measurement(
      name: "1,000 devices × 10 values at 1 s, 100 silent: values/s", ours: result.valuesPerSecond,
      floor: Double(fleet.nominal), unit: "values/s"),
    Measurement(
      name: "the same: processor", ours: result.cost * result.valuesPerSecond / 1e7, floor: 100, unit: "% core"),
    Measurement(
      name: "the same: p99 of the period's error", ours: Double(fleet.feed.lag99) / 1e6, floor: 50, unit: "ms"),
    Measurement(name: "the same: threads", ours: Double(threads), floor: 16, unit: "threads"),
    Measurement(name: "the same: resident memory", ours: resident, floor: 60, unit: "MB"),
  ]
  let wide = try PollingFleet(
    servers[0].ports.prefix(40).map { .init(port: $0) }, registers: 2_000, every: .milliseconds(200))
  let fast = try await wide.run(after: 3 * wide.nominal, for: .seconds(8))
  let overruns = wide.plugin.links.sessionCounters.overruns
  await wide.close()
  rows.append(
    Measurement(
      name: "40 devices × 2,000 registers at 200 ms, \(overruns) overruns", ours: fast.valuesPerSecond, floor: 400_000,
      unit: "values/s"))
  rows.append(
    Measurement(name: "the same: processor", ours: fast.cost * fast.valuesPerSecond / 1e7, floor: 100, unit: "% core"))
  return rows
}

/// Takes connections and requests, and answers nothing.
private final class SilentListener {
  let port: Int
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let descriptor = descriptor
    let isBound = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(descriptor, 128) == 0
      }
    }
    guard isBound else { throw BenchError("no silent listener: \(String(cString: strerror(errno)))") }
    port = LoopbackSocket.port(of: descriptor)
  }

  deinit { close(descriptor) }
}
