package import Documents
package import KubernetesClient
package import Logging
package import Resources
internal import Synchronization

/// Which gateways there are and where: follows the cluster's Gateway objects, and each gateway's twins as long as its
/// object says where to ask for them (`status.twinsAddress`).
package actor GatewayDirectory: FollowedCopy {
  private struct Link {
    var address: String
    var task: Task<Void, Never>
  }

  private let cluster: KubernetesClient
  private let gatewayKind: ResourceDefinition
  private let twinKind: ResourceDefinition
  private let twins: TwinAggregate
  private let connect: @Sendable (_ gateway: String, _ address: String) throws -> KubernetesClient
  private let now: @Sendable () -> Timestamp
  private let logger: Logger
  private var addresses: [String: String] = [:]
  private var links: [String: Link] = [:]
  private var followed: UInt64?
  /// Gateways that were neither reached nor missed yet.
  private let pending = Mutex<(isListed: Bool, names: Set<String>)>((false, []))

  /// - Parameters:
  ///   - twinKind: as gateways serve it.
  ///   - connect: makes a client for a gateway at an address.
  package init(
    cluster: KubernetesClient, gatewayKind: ResourceDefinition, twinKind: ResourceDefinition, twins: TwinAggregate,
    now: @escaping @Sendable () -> Timestamp, logger: Logger,
    connect: @escaping @Sendable (_ gateway: String, _ address: String) throws -> KubernetesClient
  ) {
    self.cluster = cluster
    self.gatewayKind = gatewayKind
    self.twinKind = twinKind
    self.twins = twins
    self.connect = connect
    self.now = now
    self.logger = logger
  }

  /// Follows until the task is cancelled.
  package func run() async {
    await Follower(
      client: cluster, cache: self, kind: gatewayKind, scope: ScopeName(resource: gatewayKind.name, index: 0),
      selections: [ListOptions()], logger: logger
    ).run()
    for link in links.values { link.task.cancel() }
    for link in links.values { await link.task.value }
    links = [:]
  }

  /// Whether the gateways are known, and of each what it has, or that it is away.
  package nonisolated var isSynced: Bool { pending.withLock { $0.isListed && $0.names.isEmpty } }

  // MARK: What the cluster says

  package let epoch = 0
  package func version(_ scope: ScopeName) -> UInt64? { followed }

  package func put(_ object: JSONValue, _ version: UInt64, in scope: ScopeName) async {
    let name = object.metadata.name
    let address = object[path: "status", "twinsAddress"]?.string ?? ""
    guard addresses[name] != address else { return }
    addresses[name] = address
    await open(name, address)
  }

  package func remove(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) async -> Bool {
    guard addresses.removeValue(forKey: key.name) != nil else { return false }
    await close(key.name)
    twins.change { $0.drop(key.name) }
    logger.notice("gateway gone", metadata: ["gateway": "\(key.name)"])
    // There may be room for one that had to wait.
    let waiting = twins.read { $0.sources.filter { $0.value.state == .beyondBound }.keys.min() }
    if let waiting, let address = addresses[waiting] { await open(waiting, address) }
    return false
  }

  package func confirmGone(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) {}

  package func missing(besides seen: Set<ObjectKey>, in scope: ScopeName) -> Set<ObjectKey> {
    Set(addresses.keys.map { ObjectKey(name: $0) }).subtracting(seen)
  }

  package func forgetVersion(_ scope: ScopeName) { followed = nil }

  package func reached(_ version: UInt64, in scope: ScopeName, epoch: Int) -> Bool {
    followed = version
    return true
  }

  /// While the API server is away, what it said of the gateways has to do.
  package func settle(_ scope: ScopeName, isLive: Bool) {
    if isLive { pending.withLock { $0.isListed = true } }
  }

  // MARK: Links

  private func open(_ name: String, _ address: String) async {
    await close(name)
    guard !address.isEmpty else {
      twins.change { twins in
        twins.drop(name)
        twins.set(name, .withoutAddress)
      }
      return
    }
    // Somewhere else now: until it is heard there, what it said last stays.
    twins.change { $0.set(name, .away(now())) }
    guard twins.read({ $0.sources[name]?.state != .beyondBound }) else {
      logger.error(
        "too many gateways: this one is not asked for its twins",
        metadata: ["gateway": "\(name)", "bound": "\(twins.read { $0.bounds.gateways })"])
      return
    }
    let client: KubernetesClient
    do {
      client = try connect(name, address)
    } catch {
      logger.error(
        "gateway not asked for its twins",
        metadata: ["gateway": "\(name)", "address": "\(address)", "error": "\(error)"])
      return
    }
    logger.notice("gateway followed", metadata: ["gateway": "\(name)", "address": "\(address)"])
    twins.set(RemoteTwinHolder(client: client, kind: twinKind), of: name)
    pending.withLock { _ = $0.names.insert(name) }
    let copy = GatewayTwinsCopy(name, twins, now: now) { [weak self] in
      self?.pending.withLock { _ = $0.names.remove(name) }
    }
    let follower = Follower(
      client: client, cache: copy, kind: twinKind, scope: ScopeName(resource: twinKind.name, index: 0),
      selections: [ListOptions()], logger: logger)
    // Cancelled by `close(_:)`, and at the end of `run()`.
    links[name] = Link(
      address: address,
      task: Task {
        await follower.run()
        await client.close()
      })
  }

  /// Ends what follows a gateway.
  private func close(_ name: String) async {
    if let link = links.removeValue(forKey: name) {
      link.task.cancel()
      await link.task.value
    }
    twins.set(nil, of: name)
    pending.withLock { _ = $0.names.remove(name) }
  }
}
