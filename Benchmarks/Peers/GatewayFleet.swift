import Controllers
import DeviceKit
import Documents
import Glibc
import KubernetesClient
import ResourceStore
import Resources
import TwinStore

/// Many gateways in one process, as far as a cluster's API server sees them: the client with its cache and its followers,
/// the Leases, the status of the Gateway object. Runs as a peer, until its process is killed.
///
/// They have one file of twins together, and of other gateways' objects each keeps no more than the metadata in memory.
/// Above a hundred, each watches its own Gateway alone and is told the others' names at once: that every gateway's start
/// is news for every other is no request, and a million events would take one machine a quarter of an hour.
struct GatewayFleet {
  static let command = "gateways"
  /// Watches end after that time, a fifth of a gateway's.
  static let watches = (shortest: Duration.seconds(60), longest: Duration.seconds(120))
  /// Followed, as by a gateway: Devices of its node and of none by a watch each.
  private static let others: [ResourceName] = [.deviceModels, .gateways, .discoveries, .brokers, .pipelines, .sinks]

  let count: Int
  let port: Int
  private var isMany: Bool { count > 100 }

  /// Starts them, so many a second that the server keeps up, and goes on for ever.
  func run() async throws {
    let place = try BenchPlace()
    let twins = try TwinStore.open(directory: place.path("twins"), points: PointTable(), logger: .silent)
    let definitions = try StoreBench.customDefinitions() + BuiltInKinds.all
    try await withThrowingDiscardingTaskGroup { group in
      for index in 0..<count {
        let name = "node-\(index)"
        mkdir(place.path(name), 0o700)
        let backend = try backend(name, definitions, in: place.path(name))
        group.addTask { await run(name, backend, twins) }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  private func backend(_ name: String, _ definitions: [ResourceDefinition], in directory: String) throws
    -> KubernetesResourceBackend
  {
    var tuning = ClientTuning()
    (tuning.shortestWatch, tuning.longestWatch) = Self.watches
    let access = try ClusterAccess(server: "http://127.0.0.1:\(port)", namespace: "selvedge", origin: name)
    let nodes = [name, ""].map {
      FieldSelector(requirements: [.init(path: "spec.nodeName", value: $0, isEqual: true)])
    }
    return try KubernetesResourceBackend(
      client: KubernetesClient(access, tuning: tuning, version: "bench", logger: .silent), definitions: definitions,
      keeping: .init(
        directory: directory, secretKeyFile: directory + "/secrets.key",
        following: [.init(.devices, selectors: nodes)]
          + Self.others.map { resource in
            let own = FieldSelector(requirements: [.init(path: "metadata.name", value: name, isEqual: true)])
            return .init(resource, selectors: isMany && resource == .gateways ? [own] : [])
          },
        secretReferrers: [.brokers, .sinks]), logger: .silent)
  }

  private func run(_ name: String, _ backend: KubernetesResourceBackend, _ twins: TwinStore) async {
    let mirror = ResourceMirror(
      backend: NamesOfOthers(base: backend, own: name, told: isMany ? (0..<count).map { "node-\($0)" } : []),
      resources: [.devices, .gateways], logger: .silent)
    let ownership = DeviceOwnership(
      backend: backend, namespace: "selvedge", gateway: name, mirror: mirror, endpoint: { $0.description },
      twins: twins, clock: .system, elapsed: { .nanoseconds(Int64(monotonicNanoseconds())) }, logger: .silent)
    let writer = ApplyingStatusWriter(backend: backend, clock: .system, logger: .silent)
    let publisher = SharedStatusPublisher(
      mirror: mirror, backend: backend, writer: writer, summarises: { ownership.summarises }, nodeName: name,
      facts: ["version": "bench"], figures: { [:] }, sources: [],
      events: EventRecorder(backend: backend, nodeName: name, clock: .system, logger: .silent), clock: .system,
      logger: .silent)
    await withDiscardingTaskGroup { group in
      group.addTask { await backend.run() }
      group.addTask { await mirror.run() }
      group.addTask { await writer.run() }
      group.addTask { await publisher.run() }
      group.addTask { await ownership.run(board: ConnectionBoard()) { _ in false } }
    }
  }
}

/// A backend whose watches show no more than the metadata of other gateways.
private struct NamesOfOthers: ForwardingBackend {
  let base: any ResourceBackend
  let own: String
  /// Gateways that are told of besides those that the server tells of.
  let told: [String]

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let events = try await base.watch(resource, options, since: resourceVersion)
    guard resource == .gateways else { return events }
    let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
    for name in told where name != own {
      let object: JSONValue = ["metadata": ["name": .string(name), "resourceVersion": "1"]]
      continuation.yield(WatchEvent(change: .added, object: object, resourceVersion: 1))
    }
    // Ends with the watch, or with who listens.
    let task = Task { [own] in
      for await event in events {
        var object = event.object
        if object.metadata.name != own {
          object["status"] = JSONValue?.none
          object["metadata"]?["managedFields"] = JSONValue?.none
        }
        continuation.yield(
          WatchEvent(change: event.change, object: object, resourceVersion: event.resourceVersion))
      }
      continuation.finish()
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }
}
