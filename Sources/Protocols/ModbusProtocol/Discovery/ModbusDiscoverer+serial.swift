import DeviceKit

extension ModbusDiscoverer {
  /// How long a line must be silent before anything is sent.
  static let silence = Duration.seconds(5)

  func lookOverSerial(
    _ scan: ScanSpecification.Serial, known: [ModbusConnection: DiscoveredDevice], served: Set<ModbusConnection>
  ) async -> Look {
    var result = Look()
    if let name = scan.discovery, request.devicesOfDiscovery(name) == nil {
      result.warnings.append("discoveryRef: there is no Discovery '\(name)', or it has not looked yet")
    }
    let ports = serialPorts
    guard scan.allowsActiveScan else {
      let list = ports.isEmpty ? "" : " (\(ports.joined(separator: ", ")))"
      result.warnings.append(
        "serial ports\(list) are not scanned: set modbus.serial.allowActiveScan to true if the gateway may send on them"
      )
      return result
    }
    await withTaskGroup(of: Look.self) { group in
      for port in ports.prefix(Self.parallelHosts) {
        group.addTask { await self.look(atPort: port, scan, known: known, served: served) }
      }
      var next = Self.parallelHosts
      for await look in group {
        result.add(look)
        guard next < ports.count else { continue }
        let port = ports[next]
        next += 1
        group.addTask { await self.look(atPort: port, scan, known: known, served: served) }
      }
    }
    result.found.sort { $0.0.description < $1.0.description }
    return result
  }

  private func look(
    atPort port: String, _ scan: ScanSpecification.Serial, known: [ModbusConnection: DiscoveredDevice],
    served: Set<ModbusConnection>
  ) async -> Look {
    var look = Look()
    let real = LinkDirectory.realPath(port)
    let servedHere = served.filter {
      if case .serial(let path, _) = $0.medium { LinkDirectory.realPath(path) == real } else { false }
    }
    if !servedHere.isEmpty {
      // Polling uses the port: no scan, only the devices that are served on it.
      for connection in servedHere.sorted(by: { $0.unit < $1.unit }) {
        guard case .serial(_, let settings) = connection.medium else { continue }
        let link = SerialLink(line: links.serial(port), settings: settings)
        var own = connection
        own.medium = .serial(path: port, settings)
        own.timeout = .seconds(1)
        if let device = await servedDevice(at: own, known: known[own], link: link) { look.found.append((own, device)) }
      }
      return look
    }
    let line = links.serial(port)
    do throws(ModbusError) {
      for settings in scan.settings where !Task.isCancelled {
        guard try await line.hearsSomebody(for: Self.silence, settings: settings) == false else {
          look.warnings.append("\(port): somebody speaks on the line, it is left alone")
          request.audit("\(port): not scanned, somebody speaks")
          return look
        }
        request.audit("\(port): scan at \(settings), units \(scan.units.map { "\($0)" }.joined(separator: ","))")
        try await scanUnits(on: SerialLink(line: line, settings: settings), scan, into: &look)
        if !look.found.isEmpty { break }  // a bus has one speed
      }
    } catch {
      look.warnings.append("\(port): \(error.text)")
    }
    return look
  }

  private func scanUnits(
    on link: SerialLink, _ scan: ScanSpecification.Serial, into look: inout Look
  ) async throws(ModbusError) {
    for unit in scan.units where !Task.isCancelled {
      let outcome = await UnitIdentification.identify { request in
        await link.execute(request, unit: unit, timeout: scan.timeout).result
      }
      switch outcome {
      case .found(let identity):
        let connection = ModbusConnection(medium: .serial(path: link.line.path, link.settings), unit: unit)
        look.found.append((connection, Self.device(identity, at: connection)))
      case .silent, .gatewayWithoutUnit: continue
      case .unreachable(let error): throw error
      }
    }
  }
}
