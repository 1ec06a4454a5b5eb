import DeviceKit

extension ModbusDiscoverer {
  /// How long a line must be silent before anything is sent.
  static let silence = Duration.seconds(5)

  func lookOverSerial(
    _ scan: ScanSpecification.Serial, known: [ModbusConnection: ScanFind]
  ) async -> ScanLook {
    var result = ScanLook()
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
    let progress = ScanProgress(total: ports.count * scan.settings.count * scan.units.count, request.progress)
    await withTaskGroup(of: ScanLook.self) { group in
      var waiting = ports[...]
      func start() {
        guard let port = waiting.popFirst() else { return }
        group.addTask {
          var counted = SerialProgress(left: scan.settings.count * scan.units.count, progress: progress)
          let look = await self.look(atPort: port, scan, known: known, &counted)
          counted.end()
          return look
        }
      }
      for _ in 0..<Self.parallelHosts { start() }
      for await look in group {
        result.add(look)
        start()
      }
    }
    result.found.sort { $0.connection.description < $1.connection.description }
    return result
  }

  /// One port's share of the progress.
  private struct SerialProgress: Sendable {
    var left: Int
    let progress: ScanProgress
    mutating func done(found: Int = 0) {
      left -= 1
      progress.add(done: 1, found: found)
    }
    /// What is not asked any more counts as done.
    func end() { progress.add(done: left) }
  }

  /// The devices that are served on the port: polling uses it, and no scan may disturb it.
  private func served(on port: String) -> [ModbusConnection] {
    let real = LinkDirectory.realPath(port)
    return served.filter {
      if case .serial(let path, _) = $0.medium { LinkDirectory.realPath(path) == real } else { false }
    }.sorted { $0.unit < $1.unit }
  }

  private func look(
    atPort port: String, _ scan: ScanSpecification.Serial, known: [ModbusConnection: ScanFind],
    _ progress: inout SerialProgress
  ) async -> ScanLook {
    var look = ScanLook()
    let servedHere = served(on: port)
    if !servedHere.isEmpty {
      request.audit("\(port): polled already, not scanned")
      for connection in servedHere {
        guard case .serial(_, let settings) = connection.medium else { continue }
        let link = SerialLink(line: links.serial(port), settings: settings)
        let place = ModbusConnection(medium: .serial(path: port, settings), unit: connection.unit)
        if let find = await servedDevice(at: place, as: place, known: known[place], link: link) {
          look.found.append(find)
        }
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
        try await scanUnits(on: SerialLink(line: line, settings: settings), scan, into: &look, &progress)
        let found = look.found.map { "unit \($0.connection.unit) \($0.device.stableID)" }.joined(separator: ", ")
        request.audit("\(port): \(look.found.isEmpty ? "nobody" : found) at \(settings)")
        if !look.found.isEmpty { break }  // a bus has one speed
      }
    } catch {
      look.warnings.append("\(port): \(error.text)")
    }
    return look
  }

  private func scanUnits(
    on link: SerialLink, _ scan: ScanSpecification.Serial, into look: inout ScanLook, _ progress: inout SerialProgress
  ) async throws(ModbusError) {
    for unit in scan.units where !Task.isCancelled {
      guard served(on: link.line.path).isEmpty else {
        look.warnings.append("\(link.line.path): is polled now, the scan stopped before unit \(unit)")
        return
      }
      var interview = UnitInterview(serialNumberRead: serialNumberRead)
      while let question = interview.request, !Task.isCancelled {
        interview.take(await link.execute(question, unit: unit, timeout: scan.timeout).result)
      }
      switch interview.ending {
      case .found:
        let connection = ModbusConnection(medium: .serial(path: link.line.path, link.settings), unit: unit)
        look.found.append(find(interview, at: connection, over: link))
        progress.done(found: 1)
      case .silent, .gatewayWithoutUnit, nil: progress.done()
      case .unreachable(let error): throw error
      }
    }
  }
}
