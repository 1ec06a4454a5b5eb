internal import DeviceKit

/// Finds the devices that rules select, and reports anew when one is plugged in or out.
final class UdevDiscoverer: Discoverer {
  private let watcher: UdevWatcher
  private let finds: UdevFinds
  private let subsystems: [String]?

  init(finds: UdevFinds, watcher: UdevWatcher) {
    self.finds = finds
    self.watcher = watcher
    let patterns = finds.rules.map(\.subsystems)
    subsystems = patterns.contains(nil) ? nil : patterns.flatMap { $0 ?? [] }
  }

  func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) {
    let (sets, continuation) = AsyncStream.makeStream(of: [DiscoveredDevice].self, bufferingPolicy: .bufferingNewest(1))
    let id = watcher.start { [finds, subsystems] udev in
      continuation.yield(finds.devices(among: udev.devices(ofSubsystems: subsystems)))
    }
    defer { watcher.end(id) }
    for await devices in sets { await report(DiscoveryReport(devices: devices)) }
  }
}
