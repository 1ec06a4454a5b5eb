internal import Controllers
internal import DeviceKit
internal import Documents
internal import Resources
internal import Telemetry

/// How DeviceModels, Brokers, Sinks, Pipelines and Discoveries fare on this gateway, in a condition's words.
struct StatusSources: Sendable {
  let devices: DeviceController
  let protocolNames: Set<String>
  let brokers: BrokerController
  let discoveries: DiscoveryController
  let telemetry: TelemetryEngine
  let mirror: ResourceMirror

  var all: [ReadinessSource] {
    [
      ReadinessSource(.deviceModels, differsByNode: false) { [devices, protocolNames] key, object in
        .ofModel(object, protocolNames: protocolNames, devices: await devices.count(servedBy: key.name))
      },
      ReadinessSource(.brokers) { [brokers] key, _ in brokers.readiness(of: key) },
      ReadinessSource(.sinks) { key, object in await sink(key, object) },
      ReadinessSource(.pipelines) { key, _ in await pipeline(key) },
      ReadinessSource(.discoveries) { key, object in await discovery(key, object) },
    ]
  }

  private func sink(_ key: ObjectKey, _ object: JSONValue) async -> Readiness? {
    if let missing = missingBroker(of: object, in: key.namespace, at: "spec.mqtt.brokerRef") { return missing }
    guard let status = await telemetry.status().sinks.first(where: { $0.key == key.description }) else { return nil }
    if let problem = status.problem {
      return Readiness(.false, problem.reason, problem.message, isStalled: true)
    }
    if let error = status.diskError { return Readiness(.false, error.reason, error.message) }
    if let error = status.lastError {
      // Open and half open read the same: they take turns, which is no news.
      let circuit = status.circuit == .closed ? "" : "; the circuit is open: one batch at a time is tried"
      return Readiness(.false, error.reason, "\(error.message); what waits is kept on disk\(circuit)")
    }
    let held = status.quarantine.held
    let fields: JSONValue = ["quarantined": held > 0 ? .integer(Int64(clamping: min(held, 1 << 30))) : .null]
    if let rejection = status.recentRejection {
      return Readiness(
        .true, "RecordsRejected",
        "the receiver takes what is sent, but has rejected \(Self.atLeast(rejection.records)) records since the start, "
          + "which are dropped: \(rejection.message)", fields: fields)
    }
    if held > 0 {
      return Readiness(
        .true, "RecordsSetAside",
        "the receiver takes what is sent, but for records in quarantine: see selvedge quarantine list \(key.name)",
        fields: fields)
    }
    return Readiness(.true, "Delivering", "the receiver takes what is sent", fields: fields)
  }

  /// A count in words that seldom change: a status is not written for every record.
  private static func atLeast(_ count: UInt64) -> String {
    var step: UInt64 = 1
    while count >= step * 10, step < 1 << 60 { step *= 10 }
    let rounded = count >= step * 5 ? step * 5 : count >= step * 2 ? step * 2 : step
    return rounded == count ? "\(count)" : "more than \(rounded)"
  }

  private func pipeline(_ key: ObjectKey) async -> Readiness? {
    guard let status = await telemetry.status().pipelines.first(where: { $0.key == key.description }) else {
      return nil
    }
    if let problem = status.problem {
      return Readiness(.false, "InvalidSpec", "\(problem)", isStalled: true)
    }
    if let missing = status.missingSinks.first {
      return Readiness(.false, "SinkNotFound", "Sink \"\(missing)\" does not exist yet; records wait for it on disk")
    }
    return Readiness(.true, "Running", "samples are taken")
  }

  private func discovery(_ key: ObjectKey, _ object: JSONValue) async -> Readiness? {
    if let missing = missingBroker(of: object, in: key.namespace, at: "spec.mqtt.brokerRef") { return missing }
    guard let seen = await discoveries.observation(of: key) else { return nil }
    var fields: JSONValue = ["found": .integer(Int64(seen.found))]
    fields["lastScanTime"] = seen.lastReport.map { .string($0.secondsText) }
    fields["warnings"] = .array(seen.warnings.prefix(32).map { ["message": .string(String($0.prefix(1_024)))] })
    if let progress = seen.progress {
      fields["progress"] = [
        "done": .integer(Int64(progress.done)), "total": .integer(Int64(progress.total)),
        "found": .integer(Int64(progress.found)), "errors": .integer(Int64(progress.errors)),
      ]
    }
    if seen.isSuspended {
      return Readiness(.false, "Suspended", "spec.suspend is true: nothing is looked for", fields: fields)
    }
    if let error = seen.error {
      return Readiness(.false, error.reason, error.message, isStalled: error.isPermanent, fields: fields)
    }
    if seen.lastReport == nil { return Readiness(.unknown, "Looking", "the first look is not over", fields: fields) }
    if let warning = seen.warnings.first {
      return Readiness(.true, "FoundWithWarnings", warning, fields: fields)
    }
    return Readiness(.true, "Looked", "\(seen.found) devices in the last look", fields: fields)
  }

  private func missingBroker(of object: JSONValue, in namespace: String, at path: String) -> Readiness? {
    guard let name = object[path: "spec", "mqtt", "brokerRef", "name"]?.string,
      mirror.object(.brokers, ObjectKey(namespace: namespace, name: name)) == nil
    else { return nil }
    return Readiness(.false, "BrokerNotFound", "\(path): Broker \"\(name)\" does not exist yet")
  }
}
