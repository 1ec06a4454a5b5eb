/// The machines that a look contacts, each once, whatever it is called.
struct ScanPlan: Sendable {
  struct Host: Sendable {
    /// One for each port.
    var targets: [ScanTargets.Target] = []
    /// Devices that are served there already, by port.
    var served: [Int: [ModbusConnection]] = [:]
  }
  private(set) var hosts: [Host] = []
  private(set) var warnings: [String] = []

  /// Looks names up, so that a machine with two names gets one connection, and one whose address is excluded gets none.
  /// A name without an address is contacted by its name, for the sake of the message.
  init(_ targets: ScanTargets, served: Set<ModbusConnection>) async {
    let lookup = NameLookup()
    var addresses: [String: [String]] = [:]
    func find(_ host: String) async -> [String] {
      if let literal = NameLookup.literal(host) { return [literal] }
      if let known = addresses[host] { return known }
      let found = await lookup.addresses(of: host)
      addresses[host] = found
      return found
    }
    var servedAt: [TCPEndpoint: [ModbusConnection]] = [:]
    for connection in served {
      guard case .tcp(let endpoint, _) = connection.medium else { continue }
      for address in Set(await find(endpoint.host) + [endpoint.host]) {
        servedAt[TCPEndpoint(host: address, port: endpoint.port), default: []].append(connection)
      }
    }
    var places: [String: Int] = [:]
    for target in targets.targets where !Task.isCancelled {
      let endpoint = target.endpoint
      let own = await find(endpoint.host)
      if let excluded = own.first(where: { targets.excludes($0, port: endpoint.port) }) {
        warnings.append("\(endpoint): has the address \(excluded), which is excluded, and is not contacted")
        continue
      }
      let names = own.isEmpty ? [endpoint.host] : own
      let place = names.compactMap { places[$0] }.first ?? hosts.count
      if place == hosts.count { hosts.append(Host()) }
      for name in names where places[name] == nil { places[name] = place }
      // The same machine under another name, at the same port.
      guard !hosts[place].targets.contains(where: { $0.endpoint.port == endpoint.port }) else { continue }
      hosts[place].targets.append(target)
      let there = names.compactMap { servedAt[TCPEndpoint(host: $0, port: endpoint.port)] }.first
      hosts[place].served[endpoint.port] = there
    }
  }
}
