import Controllers
import Documents
import Glibc
import HTTPServing
import Hummingbird
import KubernetesAPI
import Logging
import NIOCore
import ResourceStore
import Resources

/// What gateways ask of a cluster's API server at rest, counted where they are answered: the embedded API, over HTTP on
/// the loopback. Requests a second, against what is reckoned for them.
func measureCluster(_ gateways: Int) async throws -> [Measurement] {
  let bench = try ClusterBench(gateways: gateways)
  return try await bench.measure(for: .seconds(gateways == 1 ? 120 : 60))
}

/// One API server with Devices of no node in 128 groups, and a process of gateways. Above a hundred gateways there are 16
/// groups: requests at rest do not grow with them, but what a thousand gateways think about each of them does.
private final class ClusterBench {
  private let gateways: Int
  private let place: BenchPlace
  private let store: EmbeddedResourceStore
  private let count = RequestCount()
  private let gauge: ConnectionGauge
  private var groups: Int { gateways > 100 ? 16 : 128 }

  init(gateways: Int) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(7), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(7), &limit)
    // Nine watches and some calls each.
    guard limit.rlim_cur > gateways * 16 + 1_000 else {
      throw BenchError("\(gateways) gateways take \(gateways * 16 + 1_000) descriptors: ulimit -n is \(limit.rlim_cur)")
    }
    self.gateways = gateways
    place = try BenchPlace()
    gauge = ConnectionGauge(limits: .init(connections: gateways * 16 + 64))
    var retention = EmbeddedResourceStore.Retention()
    retention.databaseBytes = 4 << 30
    store = try EmbeddedResourceStore.open(
      directory: place.path("resources"), definitions: StoreBench.customDefinitions(), retention: retention,
      logger: .silent)
  }

  func measure(for span: Duration) async throws -> [Measurement] {
    for namespace in ["selvedge", "plant"] {
      _ = try await store.create(
        BuiltInKinds.namespaces.name, namespace: "", ["metadata": ["name": .string(namespace)]], WriteOptions())
    }
    for index in 0..<2 * groups {
      var device = StoreBench.device("device-\(index)")
      device.metadata.labels[DeviceGroup.label] = "g\(index % groups)"
      _ = try await store.create(.devices, namespace: "plant", device, WriteOptions())
    }
    let router = Router()
    router.add(middleware: RequestCountMiddleware(count: count))
    KubernetesAPI(
      backends: [store], now: EmbeddedResourceStore.systemClock, version: "bench", logger: .silent,
      maximumWatches: gauge.limits.connections
    ).register(on: router)
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let server = HTTPServer(
      router: router, address: .init(host: "127.0.0.1", port: 0), gauge: gauge,
      onRunning: { channel in announce.yield(channel.localAddress?.port ?? 0) }, logger: .silent)
    let serving = Task { try await server.run() }
    defer { serving.cancel() }
    let keeping = Task { [store] in await store.run() }
    defer { keeping.cancel() }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else { throw BenchError("the server does not listen") }
    let fleet = try ChildProcess(peer: GatewayFleet.command, [gateways, port])
    try await awaitRest()
    let before = count.all
    let start = ContinuousClock.now
    let cpu = processCPUNanoseconds()
    try await Task.sleep(for: span)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let used = (processCPUNanoseconds() - cpu) / 1e6 / seconds
    let connections = Double(gauge.open)
    // Whether it runs still.
    _ = try fleet.cpuNanoseconds()
    return rows(count.all.mapValues { Double($0) / seconds }, before.mapValues { Double($0) / seconds }) + [
      row("connections", connections, .nan, unit: "open"),
      row("processor of the API server", used, .nan, unit: "ms/s"),
    ]
  }

  /// Until every gateway is there with its status and its Lease, every group is served, and no group has changed hands
  /// for 75 s, by when a gateway that was looked for before it was there has been found.
  private func awaitRest() async throws {
    let deadline = ContinuousClock.now + .seconds(900)
    var last: [String] = []
    var since = ContinuousClock.now
    var progress = ""
    while ContinuousClock.now - since < .seconds(75) {
      guard ContinuousClock.now < deadline else { throw BenchError("not at rest within 15 minutes: \(progress)") }
      try await Task.sleep(for: .seconds(1))
      let leases = try await store.list(.leases, ListOptions(namespace: "selvedge")).items
      let served = leases.filter { $0.metadata.labels["selvedge.dev/lease"] == "group" }
      let objects = try await store.list(.gateways, ListOptions()).items
      let now = served.map { "\($0.metadata.name) \($0.metadata.resourceVersion)" }
      let ready = objects.count { $0["status"]?["conditions"] != nil }
      let isWhole = served.count == groups + 1 && leases.count == served.count + gateways && ready == gateways
      progress = "\(ready) gateways are ready, \(served.count) groups are served"
      if !isWhole || now != last { since = .now }
      last = now
    }
  }

  private func row(_ what: String, _ ours: Double, _ floor: Double, unit: String = "requests/s") -> Measurement {
    Measurement(name: "\(gateways) gateways: \(what)", ours: ours, floor: floor, unit: unit)
  }

  /// Watches of these gateways end five times as often as others'.
  private func rows(_ after: [String: Double], _ before: [String: Double]) -> [Measurement] {
    let number = Double(gateways)
    var reckoned = [
      "update leases": 0.1 * number, "get leases": 0.1 * number * Double(min(2, gateways - 1)),
    ]
    for resource in ["devicemodels", "gateways", "discoveries", "brokers", "pipelines", "sinks", "leases"] {
      reckoned["watch \(resource)"] = number / 450
    }
    reckoned["watch devices"] = 2 * number / 450
    var rows: [Measurement] = []
    var sums = (ours: 0.0, floor: 0.0)
    for name in Set(after.keys).union(reckoned.keys).sorted() {
      let scale = name.hasPrefix("watch ") ? 5.0 : 1
      let rate = ((after[name] ?? 0) - (before[name] ?? 0)) / scale
      guard rate > 0 || reckoned[name] != nil else { continue }
      rows.append(row(name, rate, reckoned[name] ?? 0))
      sums.ours += rate
      sums.floor += reckoned[name] ?? 0
    }
    return rows + [row("all", sums.ours, sums.floor)]
  }
}
