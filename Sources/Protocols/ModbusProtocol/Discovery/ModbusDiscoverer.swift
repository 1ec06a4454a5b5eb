package import DeviceKit
import Documents
import Synchronization

/// Looks for Modbus devices at listed places, again and again; each report is the full set.
///
/// An endpoint that is served already is never contacted by a connection of the scan's own: its device counts as there
/// while polling gets answers, and where its identity is not known yet it is asked for over the serving connection.
package struct ModbusDiscoverer: Discoverer {
  let request: DiscoveryRequest
  let specification: ScanSpecification
  let links: LinkDirectory
  let clock: WallClock

  /// Hosts or ports that are looked at side by side.
  static let parallelHosts = 8
  static let pauseBetweenRequests = Duration.milliseconds(100)

  package init(_ request: DiscoveryRequest, links: LinkDirectory, clock: WallClock) throws(DeviceError) {
    self.request = request
    self.links = links
    self.clock = clock
    specification = try ScanSpecification(request.specification)
  }

  package func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) {
    var known: [ModbusConnection: DiscoveredDevice] = [:]
    while !Task.isCancelled {
      let start = clock.now
      let look = await look(known: known)
      guard !Task.isCancelled else { return }
      known = Dictionary(look.found, uniquingKeysWith: { first, _ in first })
      await report(DiscoveryReport(devices: Self.distinct(look.found.map(\.1)), warnings: look.warnings))
      await rest(since: start, ports: serialPorts)
    }
  }

  struct Look: Sendable {
    var found: [(ModbusConnection, DiscoveredDevice)] = []
    var warnings: [String] = []
    mutating func add(_ other: Look) {
      found += other.found
      warnings += other.warnings
    }
  }

  /// One complete look.
  func look(known: [ModbusConnection: DiscoveredDevice]) async -> Look {
    let served = Set(request.servedConnections().compactMap { try? ModbusConnection($0) })
    switch specification.medium {
    case .tcp(let tcp): return await lookOverTCP(tcp, known: known, served: served)
    case .serial(let serial): return await lookOverSerial(serial, known: known, served: served)
    }
  }

  /// Waits for the next look; less where the set of serial ports changes.
  private func rest(since start: Timestamp, ports: [String]) async {
    let pause = request.every * Double.random(in: 1...1.05)
    while !Task.isCancelled, clock.now - start < pause {
      let left = pause - (clock.now - start)
      try? await Task.sleep(for: min(left, .seconds(2)))
      if serialPorts != ports { return }
    }
  }

  var serialPorts: [String] {
    guard case .serial(let serial) = specification.medium else { return [] }
    var ports = serial.paths
    for device in serial.discovery.flatMap(request.devicesOfDiscovery) ?? [] {
      if let node = device.connection["devnode"]?.string ?? device.identity["devnode"] { ports.append(node) }
    }
    var seen: Set<String> = []
    return ports.filter { seen.insert(LinkDirectory.realPath($0)).inserted }
  }

  /// Devices whose maker, model and serial number appear twice are told apart by their address.
  static func distinct(_ devices: [DiscoveredDevice]) -> [DiscoveredDevice] {
    let counts = Dictionary(devices.map { ($0.stableID, 1) }, uniquingKeysWith: +)
    return devices.map { device in
      guard counts[device.stableID, default: 1] > 1, let connection = try? ModbusConnection(device.connection) else {
        return device
      }
      var device = device
      device.stableID += "@\(connection.description)"
      return device
    }
  }

  static func device(_ identity: [String: String], at connection: ModbusConnection) -> DiscoveredDevice {
    let model = identity["modelName"] ?? identity["productCode"] ?? identity["productName"]
    let maker = identity["vendorName"]
    let stableID: String
    if let maker, let model, let serial = identity["serialNumber"] {
      stableID = "\(maker)/\(model)/\(serial)"
    } else {
      stableID = connection.description
    }
    let hint = [maker, identity["productCode"] ?? model].compactMap { $0 }.joined(separator: "-")
    return DiscoveredDevice(identity: identity, stableID: stableID, nameHint: hint, connection: connection.fragment)
  }

  /// A served device, by its serving link: alive while polling gets answers; asked who it is where that is not known.
  func servedDevice(
    at connection: ModbusConnection, known: DiscoveredDevice?, link: any ModbusLink
  ) async -> DiscoveredDevice? {
    if let known {
      let window = max(request.every, .seconds(30)) * 2
      if let last = link.lastAnswer(of: connection.unit), clock.now - last < window { return known }
    }
    request.audit("\(connection.description): identification over the serving connection")
    let outcome = await UnitIdentification.identify { request in
      await link.execute(request, unit: connection.unit, timeout: connection.timeout).result
    }
    guard case .found(let identity) = outcome else { return nil }
    return Self.device(identity, at: connection)
  }
}
