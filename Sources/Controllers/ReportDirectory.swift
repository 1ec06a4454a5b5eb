internal import DeviceKit
internal import Resources
internal import Synchronization

/// The last report of each Discovery, for those that feed on another's finds.
final class ReportDirectory: Sendable {
  private let reports = Mutex<[ObjectKey: [DiscoveredDevice]]>([:])
  func set(_ discovery: ObjectKey, _ devices: [DiscoveredDevice]?) { reports.withLock { $0[discovery] = devices } }
  func devices(of discovery: ObjectKey) -> [DiscoveredDevice]? { reports.withLock { $0[discovery] } }
}
