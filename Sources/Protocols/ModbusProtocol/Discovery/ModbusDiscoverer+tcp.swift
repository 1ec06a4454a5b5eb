import DeviceKit

extension ModbusDiscoverer {
  func lookOverTCP(
    _ scan: ScanSpecification.TCP, known: [ModbusConnection: DiscoveredDevice], served: Set<ModbusConnection>
  ) async -> Look {
    let pace = ScanPace(perSecond: scan.probesPerSecond)
    // One host's ports are looked at one after the other: a device may bear one connection only.
    var hosts: [String: [ScanTargets.Target]] = [:]
    var order: [String] = []
    for target in scan.targets.targets {
      if hosts[target.endpoint.host] == nil { order.append(target.endpoint.host) }
      hosts[target.endpoint.host, default: []].append(target)
    }
    request.audit(
      "scan starts: \(order.count) hosts, units \(scan.units.map { "\($0)" }.joined(separator: ",")), "
        + "\(scan.probesPerSecond) probes/s, functions 43/14, 3, 17")
    var looks: [Int: Look] = [:]
    await withTaskGroup(of: (Int, Look).self) { group in
      var next = 0
      func start() {
        guard next < order.count, let targets = hosts[order[next]] else { return }
        let index = next
        next += 1
        group.addTask {
          var look = Look()
          for target in targets where !Task.isCancelled {
            look.add(await self.look(at: target, scan, pace: pace, known: known, served: served))
          }
          return (index, look)
        }
      }
      for _ in 0..<Self.parallelHosts { start() }
      for await (index, look) in group {
        looks[index] = look
        start()
      }
    }
    var result = Look()
    for index in order.indices { result.add(looks[index] ?? Look()) }
    request.audit("scan ends: \(result.found.count) devices")
    return result
  }

  private func look(
    at target: ScanTargets.Target, _ scan: ScanSpecification.TCP, pace: ScanPace,
    known: [ModbusConnection: DiscoveredDevice], served: Set<ModbusConnection>
  ) async -> Look {
    let endpoint = target.endpoint
    var look = Look()
    let servedHere = served.filter { if case .tcp(endpoint, _) = $0.medium { true } else { false } }
    if !servedHere.isEmpty {
      for connection in servedHere.sorted(by: { $0.unit < $1.unit }) where scan.units.contains(connection.unit) {
        guard case .tcp(_, let framing) = connection.medium else { continue }
        let link = links.tcp(endpoint, framing: framing)
        let plain = ModbusConnection(medium: .tcp(endpoint, framing: .tcp), unit: connection.unit, timeout: .seconds(1))
        var asked = connection
        asked.timeout = scan.timeout
        if var device = await servedDevice(at: asked, known: known[plain], link: link) {
          device.connection = plain.fragment
          look.found.append((plain, device))
        }
      }
      return look
    }
    // A link of the scan's own, closed when the scan leaves the host.
    let link = TCPLink(endpoint, on: links.group, clock: clock, queueLimit: 1)
    for unit in scan.units where !Task.isCancelled {
      request.audit("\(endpoint) unit \(unit): identification")
      let outcome = await UnitIdentification.identify { request in
        do {
          try await pace.wait()
          try await Task.sleep(for: Self.pauseBetweenRequests)
        } catch { return .failure(.closed) }
        return await link.execute(request, unit: unit, timeout: scan.timeout).result
      }
      let connection = ModbusConnection(medium: .tcp(endpoint, framing: .tcp), unit: unit, timeout: .seconds(1))
      switch outcome {
      case .found(let identity): look.found.append((connection, Self.device(identity, at: connection)))
      case .silent, .gatewayWithoutUnit: continue
      case .unreachable(let error):
        if target.isNamed, !Task.isCancelled { look.warnings.append("\(endpoint): \(error.text)") }
        return look
      }
    }
    if look.found.isEmpty, target.isNamed, !Task.isCancelled {
      look.warnings.append("\(endpoint): accepts connections, but none of the listed unit IDs answers")
    }
    return look
  }
}
