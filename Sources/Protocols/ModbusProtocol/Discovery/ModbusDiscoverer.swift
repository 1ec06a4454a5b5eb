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
  let models = StandardModels()

  /// Hosts or ports that are looked at side by side.
  static let parallelHosts = 8

  package init(_ request: DiscoveryRequest, links: LinkDirectory, clock: WallClock) throws(DeviceError) {
    self.request = request
    self.links = links
    self.clock = clock
    specification = try ScanSpecification(request.specification)
  }

  package func run(report: @Sendable (DiscoveryReport) async -> Void) async throws(DeviceError) {
    var known: [ModbusConnection: ScanFind] = [:]
    while !Task.isCancelled {
      let start = clock.now
      let look = await look(known: known)
      guard !Task.isCancelled else { return }
      known = Dictionary(look.found.map { ($0.connection, $0) }, uniquingKeysWith: { first, _ in first })
      await report(DiscoveryReport(devices: ScanFind.distinct(look.found), warnings: look.warnings))
      await rest(since: start, ports: serialPorts)
    }
  }

  /// One complete look.
  func look(known: [ModbusConnection: ScanFind]) async -> ScanLook {
    switch specification.medium {
    case .tcp(let tcp): return await lookOverTCP(tcp, known: known, served: served)
    case .serial(let serial): return await lookOverSerial(serial, known: known)
    }
  }

  var served: Set<ModbusConnection> { Set(request.servedConnections().compactMap { try? ModbusConnection($0) }) }

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

  /// How a unit that told this of itself is asked for its serial number.
  var serialNumberRead: @Sendable ([String: String]) -> SerialNumberRead? {
    { [request] identity in request.identifyingModel(identity).flatMap(SerialNumberRead.init) }
  }

  /// What a unit said of itself, as a find.
  func find(_ interview: UnitInterview, at connection: ModbusConnection, over link: any ModbusLink) -> ScanFind {
    let identity = interview.identity
    let model = identity["modelName"] ?? identity["productCode"] ?? identity["productName"]
    let maker = identity["vendorName"]
    let asked = interview.asked?.model
    var stableID = connection.description
    var former: [String] = []
    if let serial = identity["serialNumber"], let model = model ?? asked?.model,
      let maker = maker ?? asked?.manufacturer
    {
      former = [stableID]
      stableID = "\(maker)/\(model)/\(serial)"
    }
    let hint = [maker, identity["productCode"] ?? model].compactMap { $0 }.joined(separator: "-")
    let device = DiscoveredDevice(
      identity: identity, stableID: stableID, formerIDs: former, nameHint: hint, connection: connection.fragment,
      standardModel: interview.chain.flatMap(models.model))
    return ScanFind(
      connection: connection, device: device, told: interview.told, asked: asked, connects: link.counters.connects)
  }

  /// A served device, by its serving link: alive while polling gets answers; asked who it is where that is not known.
  /// `place` is where it is found: the connection, without what a Device may say of it beside.
  func servedDevice(
    at connection: ModbusConnection, as place: ModbusConnection, known: ScanFind?, link: any ModbusLink
  ) async -> ScanFind? {
    if let known, known.connects == link.counters.connects,
      known.told["serialNumber"] != nil || known.asked == serialNumberRead(known.told)?.model
    {
      let window = max(request.every, .seconds(30)) * 2
      if let last = link.lastAnswer(of: connection.unit), clock.now - last < window {
        var find = known
        (find.connection, find.isAssumed) = (place, true)
        return find
      }
    }
    request.audit("\(connection.description): identification over the serving connection")
    var interview = UnitInterview(serialNumberRead: serialNumberRead)
    while let question = interview.request, !Task.isCancelled {
      interview.take(await link.execute(question, unit: connection.unit, timeout: connection.timeout).result)
    }
    return interview.ending == .found ? find(interview, at: place, over: link) : nil
  }
}

/// The DeviceModels of SunSpec layouts, each made once.
final class StandardModels: Sendable {
  private let made = Mutex<[SunSpecLayout: DiscoveredModel]>([:])
  private static let limit = 64

  /// Nil for a chain without a point that is served.
  func model(_ chain: SunSpecChain) -> DiscoveredModel? {
    let layout = SunSpecLayout(chain)
    guard !layout.places.isEmpty else { return nil }
    if let model = made.withLock({ $0[layout] }) { return model }
    let model = DiscoveredModel(layout)
    made.withLock { made in
      if made.count >= Self.limit { made.removeAll() }
      made[layout] = model
    }
    return model
  }
}
