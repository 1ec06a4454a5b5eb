import Controllers
import DeviceKit
import Documents
import Glibc
import Logging
import ResourceStore
import Resources
import SinkKit
import Synchronization
import Telemetry
import TestSupport
import TwinStore

/// A gateway's controllers over a shared plant, which can be cut off from its store.
final class SharedGateway: Sendable {
  let name: String
  let link: CuttableBackend
  let twins: TwinStore
  let ownership: DeviceOwnership
  let devices: DeviceController
  private let mirror: ResourceMirror
  private let telemetry: TelemetryEngine
  private let board = ConnectionBoard()
  private let tasks = Mutex<(devices: Task<Void, Never>, ownership: Task<Void, Never>, mirror: Task<Void, Never>)?>(nil)

  init(_ name: String, in plant: SharedPlant, duration: Duration = .seconds(3)) async throws {
    self.name = name
    link = CuttableBackend(plant.store)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let folder = plant.folder
    let points = PointTable()
    try Self.makeFolders(["\(name)/twins", "\(name)/spool"], in: folder)
    twins = try TwinStore.open(directory: folder("\(name)/twins"), points: points, logger: logger)
    mirror = ResourceMirror(
      backend: link, resources: [.deviceModels, .gateways, .devices], logger: logger)
    let directory = PointDirectory()
    telemetry = TelemetryEngine(
      directory: folder("\(name)/spool"), node: name, points: points, sinks: [],
      describe: { directory.series(of: $0) }, range: { directory.range(of: $0).map { ($0.lowerBound, $0.upperBound) } },
      logger: logger)
    ownership = DeviceOwnership(
      backend: link, namespace: "selvedge", gateway: name, mirror: mirror,
      endpoint: { $0["fake"]?["host"]?.string }, timing: LeaseTiming(duration: duration), twins: twins,
      clock: .system,
      elapsed: {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
      }, logger: logger)
    devices = DeviceController(
      mirror: mirror, plugins: [FakePlugin(devices: plant.devices, gateway: name)],
      resolver: DeviceResolver(nodeName: name, protocolNames: ["fake"], isReadOnly: false), ownership: ownership,
      twins: twins, points: points, directory: directory, board: board,
      feed: GatewayFeed(twins: twins, telemetry: telemetry, board: board, onTransition: { _, _, _ in }),
      writer: DesiredStateWriter(twins: twins, audit: { _ in }), telemetry: telemetry,
      statusChanges: CoalescingSignal<DeviceKey>(), logger: logger)
    if (try? await plant.store.get(.gateways, ObjectKey(name: name))) == nil {
      try await plant.create(.gateways, name, [:])
    }
    await telemetry.apply(pipelines: [], sinks: [])
  }

  private static func makeFolders(_ names: [String], in folder: ScratchFolder) throws {
    for name in names { try folder.write("", to: "\(name)/.made") }
  }

  func start() {
    tasks.withLock {
      $0 = (
        Task { await self.devices.run() },
        Task { await self.ownership.run(board: self.board) { await self.devices.isActive($0) } },
        Task { await self.mirror.run() }
      )
    }
  }

  /// A clean stop, in the gateway's own order.
  func stop() async {
    let running = tasks.withLock { tasks in
      defer { tasks = nil }
      return tasks
    }
    guard let running else { return }
    running.devices.cancel()
    await running.devices.value
    running.ownership.cancel()
    await running.ownership.value
    running.mirror.cancel()
    await running.mirror.value
  }

  func state(_ device: String) -> (phase: DesiredState.Phase?, reason: String) {
    let property = twins.snapshot(DeviceKey(namespace: SharedPlant.namespace, name: device))?["opening"]
    return (property?.state, property?.reason ?? "")
  }
}

/// A backend that can be out of reach: requests fail, watches fall silent and end once it is back.
final class CuttableBackend: ResourceBackend {
  private let inner: any ResourceBackend
  private let state = Mutex<
    (isCut: Bool, requests: Int, watches: [Int: AsyncStream<WatchEvent>.Continuation], next: Int)
  >(
    (false, 0, [:], 0))

  init(_ inner: any ResourceBackend) { self.inner = inner }

  var definitions: [ResourceDefinition] { inner.definitions }
  /// Requests that reached the backend, watches aside.
  var requests: Int { state.withLock { $0.requests } }

  func cut() { state.withLock { $0.isCut = true } }
  func heal() {
    let watches = state.withLock { state in
      state.isCut = false
      defer { state.watches = [:] }
      return state.watches.values.map { $0 }
    }
    for watch in watches { watch.finish() }
  }

  private func pass() throws(APIStatus) {
    let isCut = state.withLock { state in
      if !state.isCut { state.requests += 1 }
      return state.isCut
    }
    if isCut { throw APIStatus(code: 503, reason: "ServiceUnavailable", message: "cut off") }
  }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try pass()
    return try await inner.get(resource, key)
  }
  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try pass()
    return try await inner.list(resource, options)
  }
  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try pass()
    return try await inner.create(resource, namespace: namespace, object, options)
  }
  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try pass()
    return try await inner.update(resource, key, object, subresource: subresource, options)
  }
  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try pass()
    return try await inner.patch(resource, key, patch, subresource: subresource, options)
  }
  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    try pass()
    return try await inner.delete(resource, key, options)
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    try pass()
    let events = try await inner.watch(resource, options, since: resourceVersion)
    let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
    let id = state.withLock { state in
      state.next += 1
      state.watches[state.next] = continuation
      return state.next
    }
    // Cancelled with the stream.
    let task = Task {
      for await event in events where !self.state.withLock({ $0.isCut }) { continuation.yield(event) }
      continuation.finish()
    }
    continuation.onTermination = { [weak self] _ in
      task.cancel()
      _ = self?.state.withLock { $0.watches.removeValue(forKey: id) }
    }
    return stream
  }
}
