import DeviceKit
import Synchronization

/// A device that a look found.
struct ScanFind: Sendable {
  var connection: ModbusConnection
  var device: DiscoveredDevice
  /// Whether it was not asked in this look: polling gets answers at an address where it was identified before.
  var isAssumed = false
  /// What the device told of itself, and the model by which it was then asked for its serial number.
  var told: [String: String] = [:]
  var asked: IdentifyingModel?
  /// Which of its link's connections it was asked over: behind a new one may be another device.
  var connects: UInt64 = 0

  /// The devices of a look, each once. One that has moved is where it identified itself; several with the same maker,
  /// model and serial number are told apart by their addresses.
  static func distinct(_ finds: [ScanFind]) -> [DiscoveredDevice] {
    let seen = Set(finds.filter { !$0.isAssumed }.map(\.device.stableID))
    let present = finds.filter { !$0.isAssumed || !seen.contains($0.device.stableID) }
    let counts = Dictionary(present.map { ($0.device.stableID, 1) }, uniquingKeysWith: +)
    return present.map { find in
      var device = find.device
      if counts[device.stableID, default: 1] > 1 { device.stableID += "@\(find.connection.description)" }
      return device
    }
  }
}

/// What a look, or a part of it, brought.
struct ScanLook: Sendable {
  var found: [ScanFind] = []
  var warnings: [String] = []
  mutating func add(_ other: ScanLook) {
    found += other.found
    warnings += other.warnings
  }
}

/// Counts a look's progress and tells it.
final class ScanProgress: Sendable {
  private let state: Mutex<DiscoveryProgress>
  private let tell: @Sendable (DiscoveryProgress) -> Void

  init(total: Int, _ tell: @escaping @Sendable (DiscoveryProgress) -> Void) {
    state = Mutex(DiscoveryProgress(total: total))
    self.tell = tell
    tell(DiscoveryProgress(total: total))
  }

  func add(done: Int = 0, found: Int = 0, errors: Int = 0) {
    // Told under the lock: in the order in which it came about.
    state.withLock { progress in
      progress.done += done
      progress.found += found
      progress.errors += errors
      tell(progress)
    }
  }
}
