package import DeviceKit
package struct ModbusDiscoverer: Discoverer {
  package init(_ request: DiscoveryRequest, links: LinkDirectory, clock: WallClock) throws(DeviceError) {}
  package func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) {}
}
