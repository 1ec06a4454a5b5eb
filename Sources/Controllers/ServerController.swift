public import DeviceKit
public import Documents
internal import Resources
internal import Synchronization

/// Runs the servers that this node's Gateway object names in `spec.servers`.
public final class ServerController: Sendable {
  private struct Running {
    var specification: JSONValue
    var protocolName: String
    var server: (any PropertyServer)?
    /// Why there is no server.
    var fault: DeviceError?
    var task: Task<Void, Never>?
  }

  /// Counters are as they were at `time`: a status is not written for each of them.
  private struct Counters {
    var time: ContinuousClock.Instant
    var phase: PropertyServerStatus.Phase
    var values: [String: Int64]
  }

  private let mirror: ResourceMirror
  private let plugins: [any ProtocolPlugin]
  private let access: any PropertyAccess
  private let nodeName: String
  private let programVersion: String
  /// In the manifest's order.
  private let running = Mutex<[(name: String, entry: Running)]>([])
  private let counters = Mutex<[String: Counters]>([:])

  public init(
    mirror: ResourceMirror, plugins: [any ProtocolPlugin], access: any PropertyAccess, nodeName: String,
    programVersion: String
  ) {
    self.mirror = mirror
    self.plugins = plugins
    self.access = access
    self.nodeName = nodeName
    self.programVersion = programVersion
  }

  /// Follows the Gateway object until the task is cancelled; then every server has ended.
  public func run() async {
    await mirror.waitUntilSynced()
    await apply()
    await mirror.changes().drain { changes in
      if changes.contains(where: { $0.resource == .gateways && $0.key.name == self.nodeName }) { await self.apply() }
    }
    await end(running.withLock { $0.map(\.entry) })
    running.withLock { $0 = [] }
  }

  private func end(_ entries: [Running]) async {
    for entry in entries { entry.task?.cancel() }
    for entry in entries { await entry.task?.value }
  }

  private func apply() async {
    let gateway = mirror.object(.gateways, ObjectKey(name: nodeName))
    var wanted: [(name: String, path: String, specification: JSONValue)] = []
    for (index, entry) in (gateway?[path: "spec", "servers"]?.array ?? []).enumerated() {
      guard let name = entry["name"]?.string else { continue }
      wanted.append((name, "spec.servers[\(index)]", entry))
    }
    let before = running.withLock { $0 }
    let kept = before.filter { old in
      wanted.contains { $0.name == old.name && $0.specification == old.entry.specification }
    }
    let ended = before.filter { old in !kept.contains { $0.name == old.name } }
    // A port must be free before its successor listens.
    await end(ended.map(\.entry))
    counters.withLock { counters in for old in ended { counters[old.name] = nil } }
    var next: [(name: String, entry: Running)] = []
    for (name, path, specification) in wanted {
      next.append((name, kept.first { $0.name == name }?.entry ?? start(name, path, specification)))
    }
    running.withLock { $0 = next }
  }

  private func start(_ name: String, _ path: String, _ specification: JSONValue) -> Running {
    let plugin = plugins.first { specification[$0.name] != nil }
    var entry = Running(specification: specification, protocolName: plugin?.name ?? "")
    do throws(DeviceError) {
      guard let plugin,
        let server = try plugin.server(
          for: PropertyServerRequest(
            name: name, path: "\(path).\(plugin.name)", specification: specification[plugin.name] ?? [:],
            programVersion: programVersion, access: access))
      else {
        throw DeviceError(
          reason: "InvalidServer", message: "\(path): names no protocol that this gateway can serve", isPermanent: true)
      }
      entry.server = server
      // Cancelled by the next change of the entry, and at the end of `run`.
      entry.task = Task { await server.run() }
    } catch {
      entry.fault = error
    }
    return entry
  }

  /// How each server fares, for the Gateway's status. Counters are at most five minutes old.
  public var status: JSONValue {
    let entries = running.withLock { $0 }
    return .array(
      entries.map { name, entry in
        let status =
          entry.server?.status
          ?? PropertyServerStatus(
            .failed, reason: entry.fault?.reason ?? "InvalidServer", message: entry.fault?.message ?? "")
        let shown = counters.withLock { counters in
          if let known = counters[name], known.phase == status.phase, known.time.duration(to: .now) < .seconds(300) {
            return known.values
          }
          counters[name] = Counters(time: .now, phase: status.phase, values: status.counters)
          return status.counters
        }
        return [
          "name": .string(name), "protocol": .string(entry.protocolName), "ready": .bool(status.phase == .serving),
          "state": .string(status.phase.rawValue), "reason": .string(status.reason),
          "message": .string(String(status.message.prefix(1024))), "address": .string(status.address),
          "counters": .object(shown.mapValues { .integer($0) }),
        ]
      })
  }
}
