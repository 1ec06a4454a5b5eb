import DeviceKit

extension ModbusDiscoverer {
  func lookOverTCP(
    _ scan: ScanSpecification.TCP, known: [ModbusConnection: ScanFind], served: Set<ModbusConnection>
  ) async -> ScanLook {
    var result = ScanLook()
    let plan = await ScanPlan(scan.targets, served: served)
    result.warnings += plan.warnings
    let pace = ScanPace(perSecond: scan.probesPerSecond)
    let progress = ScanProgress(total: plan.hosts.count, request.progress)
    request.audit(
      "scan starts: \(plan.hosts.count) hosts, units \(scan.units.map { "\($0)" }.joined(separator: ",")), "
        + "at most \(scan.probesPerSecond) probes/s and \(scan.probesPerSecondPerHost) at one host, "
        + "functions 43/14, 3 and 17, for the serial number that a model names 3 or 4")
    var looks: [Int: HostLook] = [:]
    await withTaskGroup(of: (Int, HostLook).self) { group in
      var next = 0
      func start() {
        guard next < plan.hosts.count else { return }
        let index = next
        next += 1
        group.addTask {
          (index, await self.look(at: plan.hosts[index], scan, pace: pace, progress: progress, known: known))
        }
      }
      for _ in 0..<Self.parallelHosts { start() }
      for await (index, look) in group {
        looks[index] = look
        start()
      }
    }
    var unreached: [String: [String]] = [:]
    for index in plan.hosts.indices {
      guard let look = looks[index] else { continue }
      result.add(look.look)
      for (reason, host) in look.unreached { unreached[reason, default: []].append(host) }
    }
    let silent = unreached.sorted { $0.key < $1.key }.map { "\($0.value.count) \($0.key) (\(HostRanges($0.value)))" }
    request.audit(
      "scan \(Task.isCancelled ? "cancelled" : "ends"): \(result.found.count) devices"
        + (silent.isEmpty ? "" : "; no Modbus at \(silent.joined(separator: ", "))"))
    return result
  }

  /// What came of one host.
  private struct HostLook: Sendable {
    var look = ScanLook()
    /// The reason why an endpoint could not be asked, and its host.
    var unreached: [(reason: String, host: String)] = []
    var errors = 0
  }

  /// A host's ports are looked at one after the other: a device may bear one connection only.
  private func look(
    at host: ScanPlan.Host, _ scan: ScanSpecification.TCP, pace: ScanPace, progress: ScanProgress,
    known: [ModbusConnection: ScanFind]
  ) async -> HostLook {
    var result = HostLook()
    let hostPace = ScanPace(perSecond: scan.probesPerSecondPerHost)
    for target in host.targets where !Task.isCancelled {
      if let served = host.served[target.endpoint.port] {
        request.audit("\(target.endpoint): served already, no connection is made")
        for connection in served.sorted(by: { $0.unit < $1.unit }) where scan.units.contains(connection.unit) {
          guard case .tcp(let endpoint, let framing) = connection.medium else { continue }
          let place = ModbusConnection(medium: .tcp(endpoint, framing: framing), unit: connection.unit)
          var asked = connection
          asked.timeout = scan.timeout
          let link = links.tcp(endpoint, framing: framing)
          if let find = await servedDevice(at: asked, as: place, known: known[place], link: link) {
            result.look.found.append(find)
          }
        }
      } else {
        await look(at: target, scan, paces: (pace, hostPace), into: &result)
      }
    }
    progress.add(done: 1, found: result.look.found.count, errors: result.errors)
    return result
  }

  private func look(
    at target: ScanTargets.Target, _ scan: ScanSpecification.TCP, paces: (all: ScanPace, host: ScanPace),
    into result: inout HostLook
  ) async {
    let endpoint = target.endpoint
    // Shared with whoever comes to serve a device there; else closed when the scan leaves the host.
    let link = links.tcp(endpoint, framing: .tcp)
    let former = link.counters
    let isShared = former.connects + former.connectFailures > 0
    var sent: [String: Int] = [:]
    var answers: [String] = []
    units: for unit in scan.units where !Task.isCancelled {
      var interview = UnitInterview(serialNumberRead: serialNumberRead)
      while let question = interview.request, !Task.isCancelled {
        do {
          try await paces.host.wait()
          try await paces.all.wait()
        } catch { break units }
        paces.host.sent()
        let before = link.counters.requests
        interview.take(await link.execute(question, unit: unit, timeout: scan.timeout).result)
        let requests = isShared ? 1 : Int(link.counters.requests - before)
        sent[question.scanName, default: 0] += requests
        // A connection that ended under a request was replaced, and the request sent again: that counts as well.
        for _ in 0..<max(0, requests - 1) { try? await paces.all.wait() }
        paces.host.sent()
      }
      let connection = ModbusConnection(medium: .tcp(endpoint, framing: .tcp), unit: unit)
      switch interview.ending {
      case .found:
        let find = find(interview, at: connection, over: link)
        result.look.found.append(find)
        if let fault = interview.chain?.fault {
          result.look.warnings.append("\(connection.description): SunSpec: \(fault)")
        }
        answers.append("unit \(unit) \(find.device.stableID)")
      case .silent: answers.append("unit \(unit) silent")
      case .gatewayWithoutUnit: answers.append("unit \(unit) not behind the gateway")
      case .unreachable(let error):
        guard sent.isEmpty || answers.isEmpty else {
          result.errors += 1
          answers.append("unit \(unit) \(error.reason)")
          break units
        }
        result.unreached.append((error.reason, endpoint.port == 502 ? endpoint.host : endpoint.description))
        if target.isNamed, !Task.isCancelled {
          result.errors += 1
          result.look.warnings.append("\(endpoint): \(error.text)")
        }
        return
      case nil: break units
      }
    }
    let counters = link.counters
    let functions = sent.sorted { $0.key < $1.key }.map { "\($0.value) of function \($0.key)" }
    request.audit(
      "\(endpoint): \(counters.connects - former.connects) connections, \(functions.joined(separator: ", ")); "
        + "\(answers.isEmpty ? "cancelled" : answers.joined(separator: ", "))")
    if target.isNamed, !Task.isCancelled, result.look.found.isEmpty {
      result.errors += 1
      result.look.warnings.append("\(endpoint): accepts connections, but none of the listed unit IDs answers")
    }
  }
}

extension ModbusRequest {
  /// The function as the audit log calls it.
  fileprivate var scanName: String { functionCode == 43 ? "43/14" : "\(functionCode)" }
}
