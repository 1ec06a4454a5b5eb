public import DeviceKit
internal import Documents
public import MQTTClient
public import Resources
internal import Synchronization

/// Keeps the pool's connections as the Broker objects say.
public final class BrokerController: Sendable {
  /// What a connection is made of; nothing is done where it is as it was.
  private struct Inputs: Hashable {
    var specification: JSONValue
    /// The objects that the specification refers to; absent ones too.
    var secrets: [String: JSONValue?]
  }

  private struct Known {
    var inputs: Inputs
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
        for key in self.affected(by: changes) { self.apply(key) }
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

  /// The Brokers that changed themselves, and those whose Secrets did.
  private func affected(by changes: some Sequence<ResourceMirror.Change>) -> Set<ObjectKey> {
    var keys: Set<ObjectKey> = []
    for change in changes {
      if change.resource == .brokers { keys.insert(change.key) }
      guard change.resource == .secrets else { continue }
      for (key, known) in known.withLock({ $0 })
      where key.namespace == change.key.namespace && known.inputs.secrets.keys.contains(change.key.name) {
        keys.insert(key)
      }
    }
    return keys
  }

  private static func secretReferences(in specification: JSONValue) -> [(field: String, reference: JSONValue)] {
    let tls = specification["tls"]
    return [
      ("spec.credentialsSecretRef", specification["credentialsSecretRef"]),
      ("spec.tls.caSecretRef", tls?["caSecretRef"]),
      ("spec.tls.certificateSecretRef", tls?["certificateSecretRef"]),
    ].compactMap { field, reference in reference.map { (field, $0) } }
  }

  private func apply(_ key: ObjectKey) {
    guard let specification = mirror.object(.brokers, key)?["spec"] else {
      known.withLock { $0[key] = nil }
      states.withLock { $0[key.description] = nil }
      return pool.remove(key.description)
    }
    var inputs = Inputs(specification: specification, secrets: [:])
    for (_, reference) in BrokerController.secretReferences(in: specification) {
      guard let name = reference["name"]?.string else { continue }
      let secret = mirror.object(.secrets, ObjectKey(namespace: key.namespace, name: name))
      // Named without its metadata: a label on it is no reason to connect anew.
      inputs.secrets.updateValue(secret.map { $0["data"] ?? [:] }, forKey: name)
    }
    guard known.withLock({ $0[key]?.inputs != inputs || $0[key]?.fault != nil }) else { return }
    do throws(DeviceError) {
      pool.set(key.description, try configuration(key, specification))
      known.withLock { $0[key] = Known(inputs: inputs) }
    } catch {
      known.withLock { $0[key] = Known(inputs: inputs, fault: error) }
      pool.remove(key.description)
    }
  }

  private func secret(_ field: String, _ key: ObjectKey, _ specification: JSONValue) throws(DeviceError)
    -> SecretContent?
  {
    let reference = BrokerController.secretReferences(in: specification).first { $0.field == field }?.reference
    return try SecretContent(reference, at: field, in: key.namespace, of: mirror)
  }

  private func configuration(_ key: ObjectKey, _ specification: JSONValue) throws(DeviceError) -> BrokerConfiguration {
    var credentials: [String: String] = [:]
    if let file = specification["credentialsFile"]?.string {
      for line in try read(file).text.split(whereSeparator: \.isNewline) {
        guard let colon = line.firstIndex(of: ":") else { continue }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        credentials[String(line[..<colon])] = String(value)
      }
    }
    if let secret = try secret("spec.credentialsSecretRef", key, specification) {
      credentials["username"] = try secret.text("username")
      credentials["password"] = try secret.text("password")
    }
    let tls = specification["tls"] ?? [:]
    func path(_ name: String) throws(DeviceError) -> String? {
      guard let file = tls[name]?.string else { return nil }
      return try read(file).path
    }
    var files = (ca: try path("caFile"), certificate: try path("certificateFile"), key: try path("keyFile"))
    let authority = try secret("spec.tls.caSecretRef", key, specification)?.bytes("ca.crt")
    let own = try secret("spec.tls.certificateSecretRef", key, specification)
    let pair = (certificate: try own?.bytes("tls.crt"), key: try own?.bytes("tls.key"))
    do throws(MQTTError) {
      var held: [MemoryFile] = []
      func inMemory(_ content: [UInt8]?, else path: String?) throws(MQTTError) -> String? {
        guard let content else { return path }
        let file = try MemoryFile(content)
        held.append(file)
        return file.path
      }
      files.ca = try inMemory(authority, else: files.ca)
      files.certificate = try inMemory(pair.certificate, else: files.certificate)
      files.key = try inMemory(pair.key, else: files.key)
      // A session that the broker keeps: what devices publish while the gateway restarts waits there.
      var configuration = try BrokerConfiguration(
        url: specification["url"]?.string ?? "", username: credentials["username"], password: credentials["password"],
        caFile: files.ca, certificateFile: files.certificate, keyFile: files.key, serverName: tls["serverName"]?.string,
        clientID: "\(specification["clientID"]?.string ?? "selvedge")-\(nodeName)-\(key.namespace)-\(key.name)",
        keepAlive: specification["keepAlive"]?.string.flatMap { Duration(manifest: $0) } ?? .seconds(30),
        cleanSession: false)
      configuration.heldFiles = held
      configuration.verifiesBroker = tls["insecureSkipVerify"]?.bool != true
      if let version = specification["protocolVersion"]?.int {
        guard let known = MQTTVersion(rawValue: version) else {
          throw MQTTError(.invalidConfiguration, "spec.protocolVersion: must be 4 (MQTT 3.1.1) or 5, is \(version)")
        }
        configuration.protocolVersion = known
      }
      if let expiry = specification["sessionExpiry"]?.string.flatMap({ Duration(manifest: $0) }) {
        configuration.sessionExpiry = expiry
      }
      return configuration
    } catch {
      throw DeviceError(reason: "InvalidBroker", message: "\(error)", isPermanent: true)
    }
  }
}
