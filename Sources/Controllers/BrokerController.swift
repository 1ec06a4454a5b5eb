public import DeviceKit
internal import Documents
public import MQTTClient
public import Resources
internal import Synchronization

/// Keeps the pool's connections as the Broker objects say.
public final class BrokerController: Sendable {
  private struct Known {
    var specification: JSONValue
    var fault: DeviceError?
  }

  private let mirror: ResourceMirror
  private let pool: BrokerPool
  private let nodeName: String
  private let read: @Sendable (_ file: String) throws(DeviceError) -> SecretFile
  private let known = Mutex<[ObjectKey: Known]>([:])
  private let states = Mutex<[String: MQTTState]>([:])

  /// A file that a resource names: where it lies, and its content.
  public struct SecretFile: Sendable {
    public var path: String
    public var text: String
    public init(path: String, text: String) {
      self.path = path
      self.text = text
    }
  }

  /// `read` opens a file that a Broker names, under the configured folder only.
  public init(
    mirror: ResourceMirror, pool: BrokerPool, nodeName: String,
    read: @escaping @Sendable (_ file: String) throws(DeviceError) -> SecretFile
  ) {
    self.mirror = mirror
    self.pool = pool
    self.nodeName = nodeName
    self.read = read
  }

  /// Follows the Brokers until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await state in self.pool.states { self.states.withLock { $0[state.name] = state.state } }
      }
      await mirror.changes().drain { changes in
        for change in changes where change.resource == .brokers { self.apply(change.key) }
      }
      group.cancelAll()
    }
  }

  /// How a Broker fares on this gateway.
  public func readiness(of key: ObjectKey) -> Readiness? {
    guard let known = known.withLock({ $0[key] }) else { return nil }
    let types = ["Connected", "Ready"]
    if let fault = known.fault {
      return Readiness(.false, fault.reason, fault.message, isStalled: fault.isPermanent, conditionTypes: types)
    }
    switch states.withLock({ $0[key.description] }) {
    case .connected?: return Readiness(.true, "Connected", "the broker answers", conditionTypes: types)
    case .disconnected(let error)?:
      return Readiness(.false, "Disconnected", "\(error)", conditionTypes: types)
    default: return Readiness(.unknown, "Connecting", "the first connection is being made", conditionTypes: types)
    }
  }

  private func apply(_ key: ObjectKey) {
    guard let specification = mirror.object(.brokers, key)?["spec"] else {
      known.withLock { $0[key] = nil }
      states.withLock { $0[key.description] = nil }
      return pool.remove(key.description)
    }
    guard known.withLock({ $0[key]?.specification != specification || $0[key]?.fault != nil }) else { return }
    do throws(DeviceError) {
      pool.set(key.description, try configuration(key, specification))
      known.withLock { $0[key] = Known(specification: specification) }
    } catch {
      known.withLock { $0[key] = Known(specification: specification, fault: error) }
      pool.remove(key.description)
    }
  }

  private func configuration(_ key: ObjectKey, _ specification: JSONValue) throws(DeviceError) -> BrokerConfiguration {
    for reference in ["credentialsSecretRef", "tls.caSecretRef", "tls.certificateSecretRef"] {
      let path = reference.split(separator: ".").map(String.init)
      let value = path.count == 1 ? specification[path[0]] : specification[path: path[0], path[1]]
      guard value == nil else {
        throw DeviceError(
          reason: "SecretsNotServed",
          message: "spec.\(reference): this gateway keeps no Secrets yet; name a file under its secrets folder instead",
          isPermanent: true)
      }
    }
    var credentials: [String: String] = [:]
    if let file = specification["credentialsFile"]?.string {
      for line in try read(file).text.split(whereSeparator: \.isNewline) {
        guard let colon = line.firstIndex(of: ":") else { continue }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        credentials[String(line[..<colon])] = String(value)
      }
    }
    let tls = specification["tls"] ?? [:]
    func path(_ name: String) throws(DeviceError) -> String? {
      guard let file = tls[name]?.string else { return nil }
      return try read(file).path
    }
    let caFile = try path("caFile")
    let certificateFile = try path("certificateFile")
    let keyFile = try path("keyFile")
    do throws(MQTTError) {
      // A session that the broker keeps: what devices publish while the gateway restarts waits there.
      return try BrokerConfiguration(
        url: specification["url"]?.string ?? "", username: credentials["username"], password: credentials["password"],
        caFile: caFile, certificateFile: certificateFile, keyFile: keyFile, serverName: tls["serverName"]?.string,
        clientID: "\(specification["clientID"]?.string ?? "selvedge")-\(nodeName)-\(key.namespace)-\(key.name)",
        keepAlive: specification["keepAlive"]?.string.flatMap { Duration(manifest: $0) } ?? .seconds(30),
        cleanSession: false)
    } catch {
      throw DeviceError(reason: "InvalidBroker", message: "\(error)", isPermanent: true)
    }
  }
}
