internal import Documents
internal import KubernetesClient
internal import Resources
internal import Synchronization

/// The twins of one gateway, as a ``Follower`` brings them, on their way into the collection.
final class GatewayTwinsCopy: FollowedCopy {
  private let gateway: String
  private let twins: TwinAggregate
  private let now: @Sendable () -> Timestamp
  private let followed = Mutex<UInt64?>(nil)
  /// Told once, when the gateway is reached or missed for the first time.
  private let onFirst: @Sendable () -> Void

  init(
    _ gateway: String, _ twins: TwinAggregate, now: @escaping @Sendable () -> Timestamp,
    onFirst: @escaping @Sendable () -> Void
  ) {
    self.gateway = gateway
    self.twins = twins
    self.now = now
    self.onFirst = onFirst
  }

  let epoch = 0

  func version(_ scope: ScopeName) -> UInt64? { followed.withLock(\.self) }

  func put(_ object: JSONValue, _ version: UInt64, in scope: ScopeName) {
    let isWhole = followed.withLock { $0 == nil }
    twins.change { $0.put(object, from: gateway, isWhole: isWhole) }
  }

  func remove(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) -> Bool {
    twins.change { $0.remove(key, from: gateway) }
    return false
  }

  /// There is one scope, out of which nothing moves into another.
  func confirmGone(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) {}

  func missing(besides seen: Set<ObjectKey>, in scope: ScopeName) -> Set<ObjectKey> {
    twins.read { $0.keys(of: gateway) }.subtracting(seen)
  }

  func forgetVersion(_ scope: ScopeName) { followed.withLock { $0 = nil } }

  func reached(_ version: UInt64, in scope: ScopeName, epoch: Int) -> Bool {
    followed.withLock { $0 = version }
    return true
  }

  func settle(_ scope: ScopeName, isLive: Bool) {
    twins.change { $0.set(gateway, isLive ? .live : .away(now())) }
    onFirst()
  }
}
