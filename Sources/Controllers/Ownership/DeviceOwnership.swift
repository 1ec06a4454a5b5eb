public import DeviceKit
public import Documents
public import Logging
public import Resources
internal import Synchronization
public import TwinStore

/// Which of the devices that no node owns are this gateway's, now: ``LeaseMachine`` over the Leases of a backend that
/// several gateways share.
///
/// A Device that names a node needs no Lease, and is not asked about here.
public final class DeviceOwnership: Sendable {
  struct State {
    var machine: LeaseMachine
    var served: Set<String> = []
    /// Writes must be over by then.
    var until = Duration.zero
    var isOpen = false
    var groups: [DeviceKey: String] = [:]
    /// Those whose Device says `whenIsolated: KeepWriting`.
    var keepsWriting: Set<DeviceKey> = []
    var statistics = Statistics()
  }

  public struct Statistics: Sendable, Hashable {
    /// Groups of devices that this gateway serves.
    public var groups = 0
    /// Writes that were not sent since the Lease did not last.
    public var fenced: UInt64 = 0
    /// Requests about Leases, and how many of them failed.
    public var requests: UInt64 = 0
    public var failures: UInt64 = 0
    /// Whether this gateway's own Lease runs.
    public var isHeld = false
  }

  let backend: any ResourceBackend
  let namespace: String
  let gateway: String
  let mirror: ResourceMirror
  let endpoint: @Sendable (_ connection: JSONValue) -> String?
  let timing: LeaseTiming
  let twins: TwinStore
  let clock: WallClock
  let elapsed: @Sendable () -> Duration
  let logger: Logger
  let state: Mutex<State>
  private let identities: IdentityFile?
  /// What the machine asks for; as many as there are Leases with a request.
  let requests: AsyncStream<LeaseMachine.Directive>
  private let request: AsyncStream<LeaseMachine.Directive>.Continuation
  let leaving: AsyncStream<String>
  private let leave: AsyncStream<String>.Continuation
  let drained: AsyncStream<Void>
  private let isDrained: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - namespace: where the Leases are.
  ///   - endpoint: what a Device's `spec.connection` is reached through; nil: a port of the machine's own.
  ///   - identityFile: where this gateway's identity is kept for a restart; nil: nowhere.
  ///   - elapsed: the time since the machine's start, suspensions included.
  public init(
    backend: any ResourceBackend, namespace: String, gateway: String, mirror: ResourceMirror,
    endpoint: @escaping @Sendable (_ connection: JSONValue) -> String?, timing: LeaseTiming = LeaseTiming(),
    identityFile: String? = nil, twins: TwinStore, clock: WallClock, elapsed: @escaping @Sendable () -> Duration,
    logger: Logger
  ) {
    self.backend = backend
    self.namespace = namespace
    self.gateway = gateway
    self.mirror = mirror
    self.endpoint = endpoint
    self.timing = timing
    self.twins = twins
    self.clock = clock
    self.elapsed = elapsed
    self.logger = logger
    identities = identityFile.flatMap { IdentityFile(path: $0, gateway: gateway) }
    let identity =
      identities?.identity
      ?? GatewayIdentity(gateway: gateway, run: String(UInt64.random(in: .min ... .max), radix: 16))
    state = Mutex(
      State(machine: LeaseMachine(identity: identity, timing: timing, seed: .random(in: .min ... .max))))
    (requests, request) = AsyncStream.makeStream()
    (leaving, leave) = AsyncStream.makeStream()
    (drained, isDrained) = AsyncStream.makeStream()
  }

  // MARK: Who serves

  /// Whether this gateway is the one that serves the device.
  public func serves(_ device: DeviceKey) -> Bool {
    state.withLock { state in state.groups[device].map(state.served.contains) ?? false }
  }

  /// Whether this gateway is the one that writes the status of what all gateways share.
  public var summarises: Bool { state.withLock { $0.served.contains(DeviceGroup.summary) } }

  /// What a session of the device asks before each write.
  public func fence(of device: DeviceKey) -> WriteFence {
    WriteFence { [weak self] span in self?.permits(device, within: span) ?? false }
  }

  private func permits(_ device: DeviceKey, within span: Duration) -> Bool {
    let now = elapsed()
    return state.withLock { state in
      guard let group = state.groups[device], state.served.contains(group) else {
        state.statistics.fenced += 1
        return false
      }
      if now + span < state.until || state.keepsWriting.contains(device) { return true }
      state.statistics.fenced += 1
      return false
    }
  }

  /// Whether a wish of the device is Held, since writes would not be sent.
  func isLost(_ device: DeviceKey) -> Bool {
    let now = elapsed()
    return state.withLock { state in
      guard let group = state.groups[device], state.served.contains(group) else { return true }
      return now >= state.until && !state.keepsWriting.contains(device)
    }
  }

  public var statistics: Statistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.groups = state.served.subtracting([DeviceGroup.summary]).count
      statistics.isHeld = state.machine.isFirm
      return statistics
    }
  }

  // MARK: Events

  func handle(_ event: LeaseMachine.Event) {
    let now = elapsed()
    var changed: Set<String> = []
    var isFlipped = false
    state.withLock { state in
      let directives = state.machine.handle(event, at: now)
      for directive in directives {
        switch directive {
        case .look, .write:
          state.statistics.requests += 1
          request.yield(directive)
        case .serve(let groups):
          changed.formUnion(groups.symmetricDifference(state.served))
          let lost = state.served.subtracting(groups)
          state.served = groups
          for group in lost { leave.yield(group) }
        case .writes(let until): state.until = until
        case .identified(let identity): identities?.keep(identity)
        case .drained: isDrained.finish()
        }
      }
      if case .answered(_, .failed) = event { state.statistics.failures += 1 }
      let isOpen = now < state.until
      isFlipped = isOpen != state.isOpen
      state.isOpen = isOpen
    }
    if isFlipped { tellTwins() }
    if !changed.isEmpty { tellControllers(of: changed) }
  }

  private func devices(in groups: Set<String>?) -> [DeviceKey] {
    state.withLock { state in
      state.groups.filter { groups?.contains($0.value) ?? state.served.contains($0.value) }.map(\.key)
    }
  }

  private func tellControllers(of groups: Set<String>) {
    logger.info("groups of devices change hands", metadata: ["groups": "\(groups.sorted().joined(separator: " "))"])
    for device in devices(in: groups) { mirror.touch(.devices, device.objectKey) }
  }

  /// Wishes are Held while this gateway may not write, and go on once it may.
  private func tellTwins() {
    for device in devices(in: nil) { twins.hold(device, isLeaseLost: isLost(device)) }
  }

  /// Takes Devices and gateways that have come, gone or changed; nil: all that there are. What is as it was, such as a
  /// Device whose status alone is another, costs no more than to look at it.
  func survey(_ changes: Set<ResourceMirror.Change>? = nil) {
    let keys = changes?.filter { $0.resource == .devices }.map(\.key) ?? Array(mirror.objects(.devices).keys)
    let places = keys.map { key in (DeviceKey(key), mirror.object(.devices, key).flatMap { place(of: $0, key) }) }
    let (moved, follows) = state.withLock { state -> ([DeviceKey], Set<String>?) in
      var moved: [DeviceKey] = []
      for (device, place) in places {
        if place?.keepsWriting == true { state.keepsWriting.insert(device) } else { state.keepsWriting.remove(device) }
        guard state.groups[device] != place?.group else { continue }
        state.groups[device] = place?.group
        moved.append(device)
      }
      let isNews = changes == nil || !moved.isEmpty
      return (
        moved.filter { state.groups[$0] != nil }, isNews ? Set(state.groups.values).union([DeviceGroup.summary]) : nil
      )
    }
    if changes?.contains(where: { $0.resource == .gateways }) ?? true {
      let names = Set(mirror.objects(.gateways).keys.map(\.name))
      if state.withLock({ $0.machine.gateways != names }) { handle(.gateways(names)) }
    }
    if let follows { handle(.follows(follows)) }
    // Whoever looked at them before this did saw devices of nobody.
    for device in moved { mirror.touch(.devices, device.objectKey) }
  }

  /// Where a Device that names no node belongs; nil: it needs no Lease.
  private func place(of device: JSONValue, _ key: ObjectKey) -> (group: String, keepsWriting: Bool)? {
    let spec = device["spec"]
    guard (spec?["nodeName"]?.string ?? "").isEmpty, device[path: "metadata", "deletionTimestamp"] == nil else {
      return nil
    }
    let group = DeviceGroup.name(
      label: device.metadata.labels[DeviceGroup.label],
      endpoint: endpoint(spec?["connection"] ?? [:]) ?? key.description)
    return (group, spec?["whenIsolated"]?.string == "KeepWriting")
  }
}

extension ResourceName {
  public static let leases = ResourceName(group: "coordination.k8s.io", plural: "leases")
}
