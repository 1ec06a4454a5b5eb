public import DeviceKit
public import Documents
public import Resources

/// Compares what a Discovery found with the Devices that it made, and says what to do. Pure: the controller carries it
/// out.
public struct DiscoveryReconciler: Sendable {
  public enum Directive: Sendable, Hashable {
    /// A new find: create the Device, then apply.
    case create(JSONValue, identity: [String: String])
    /// A find that has its Device: apply the fields that discovery owns.
    case apply(JSONValue, identity: [String: String])
    /// Gone for longer than the grace period, and nobody else has written to its spec.
    case delete(ObjectKey, uid: String)
    /// Gone for longer than the grace period, but a person's: discovery lets go of it.
    case letGo(ObjectKey)
  }

  /// Marks the Devices of a Discovery.
  public static let discoveryLabel = "selvedge.dev/discovery"
  /// Marks DeviceModels that discovery made by a protocol's standard; its value is the protocol.
  public static let standardModelLabel = "selvedge.dev/standard-model"
  /// Who a Device is, on those that got their name when less was known of them.
  public static let identityAnnotation = "selvedge.dev/discovery-identity"
  /// The field manager of every write that discovery makes starts so.
  public static let managerPrefix = "selvedge-discovery"

  private let discovery: JSONValue
  private let protocolName: String
  private let nodeName: String
  private var lastSeen: [ObjectKey: Timestamp] = [:]

  public init(discovery: JSONValue, protocolName: String, nodeName: String) {
    self.discovery = discovery
    self.protocolName = protocolName
    self.nodeName = nodeName
  }

  public var fieldManager: String { "\(DiscoveryReconciler.managerPrefix)-\(discovery.objectKey.name)" }

  private var gracePeriod: Duration {
    discovery[path: "spec", "gracePeriod"]?.string.flatMap { Duration(manifest: $0) } ?? .seconds(300)
  }

  /// What to do about `report`. A find that a person's Device already serves, by the same connection, is nobody's news.
  /// `existing`: all Devices of the Discovery's namespace. `isConnected`: Devices whose
  /// session has its link; these are there, whether a scan saw them or (as it leaves served devices alone) not.
  public mutating func reconcile(
    _ report: [DiscoveredDevice], existing: [ObjectKey: JSONValue], isConnected: (ObjectKey) -> Bool, now: Timestamp
  ) -> [Directive] {
    var directives: [Directive] = []
    var found: Set<ObjectKey> = []
    let foreign = existing.values.filter { !isOurs($0) }.compactMap { $0[path: "spec", "connection", protocolName] }
    for device in report where !foreign.contains(where: { $0.holds(device.connection) }) {
      let key = key(of: device, existing)
      guard found.insert(key).inserted else { continue }
      lastSeen[key] = now
      if let object = existing[key] {
        // A Device of the same name that discovery did not make belongs to a person.
        guard isOurs(object) else { continue }
        directives.append(.apply(desiredObject(device, key), identity: device.identity))
      } else {
        directives.append(.create(desiredObject(device, key), identity: device.identity))
      }
    }
    for (key, object) in existing.sorted(by: { $0.key < $1.key }) where isOurs(object) && !found.contains(key) {
      // A link to where another device is now proves nothing.
      let connection = object[path: "spec", "connection", protocolName]
      if isConnected(key), !report.contains(where: { connection?.holds($0.connection) ?? false }) {
        lastSeen[key] = now
        continue
      }
      let seen = lastSeen[key] ?? now
      lastSeen[key] = seen
      guard now - seen >= gracePeriod else { continue }
      lastSeen[key] = nil
      if DiscoveryReconciler.isWrittenByOthers(object) {
        directives.append(.letGo(key))
      } else {
        directives.append(.delete(key, uid: object[path: "metadata", "uid"]?.string ?? ""))
      }
    }
    return directives
  }

  /// Whether anything but discovery and the gateway itself owns a field of the object's spec (managedFields).
  public static func isWrittenByOthers(_ object: JSONValue) -> Bool {
    (object[path: "metadata", "managedFields"]?.array ?? []).contains { entry in
      entry[path: "fieldsV1", "f:spec"] != nil
        && !(entry["manager"]?.string ?? "").hasPrefix(managerPrefix)
    }
  }

  /// The part of a new Device that is set at creation alone: people change it, discovery never again.
  public func creationFields() -> JSONValue {
    var spec: JSONValue = ["writes": "Disabled"]
    if discovery[path: "spec", "admission"]?.string == "Manual" { spec["admitted"] = false }
    return spec
  }

  /// The Device as it is created, before `object` is applied to it.
  func creation(of object: JSONValue) -> JSONValue {
    let key = object.objectKey
    return [
      "apiVersion": object["apiVersion"] ?? .null, "kind": object["kind"] ?? .null,
      "metadata": [
        "name": .string(key.name), "namespace": .string(key.namespace),
        "labels": [Self.discoveryLabel: .string(discovery.objectKey.name)],
      ],
      "spec": creationFields(),
    ]
  }

  /// The DeviceModels that the finds bring along, each once: to be there before the Devices.
  public func standardModels(of report: [DiscoveredDevice]) -> [JSONValue] {
    guard discovery[path: "spec", "template", "spec", "modelRef", "name"] == nil else { return [] }
    var seen: Set<DiscoveredModel> = []
    return report.compactMap(\.standardModel).filter { seen.insert($0).inserted }.map { model in
      [
        "apiVersion": "selvedge.dev/v1alpha1", "kind": "DeviceModel",
        "metadata": [
          "name": .string(DeviceNaming.name(of: model)),
          "labels": [Self.standardModelLabel: .string(protocolName)],
        ],
        "spec": model.specification,
      ]
    }
  }

  private func isOurs(_ object: JSONValue) -> Bool {
    object.metadata.labels[DiscoveryReconciler.discoveryLabel] == discovery.objectKey.name
  }

  /// The Device that the find is, or is to be: the one that has its name, else the one that is known to be it under a
  /// former name, else a former name that nobody else has.
  private func key(of device: DiscoveredDevice, _ existing: [ObjectKey: JSONValue]) -> ObjectKey {
    let own = key(of: device, id: device.stableID)
    guard existing[own] == nil, !device.formerIDs.isEmpty else { return own }
    let ours = existing.filter { isOurs($0.value) }
    if let known = ours.filter({ identity(of: $0.value) == device.stableID }).keys.min() { return known }
    let former = device.formerIDs.map { key(of: device, id: $0) }
    return former.first { key in ours[key].map { identity(of: $0) == nil } ?? false } ?? own
  }

  private func key(of device: DiscoveredDevice, id: String) -> ObjectKey {
    let name =
      device.isNameExact && !DeviceNaming.legal(device.nameHint).isEmpty
      ? DeviceNaming.legal(device.nameHint)
      : DeviceNaming.name(hint: device.nameHint, discovery: discovery.objectKey.name, stableID: id)
    return ObjectKey(namespace: discovery.objectKey.namespace, name: name)
  }

  private func identity(of object: JSONValue) -> String? {
    object[path: "metadata", "annotations", Self.identityAnnotation]?.string
  }

  private func desiredObject(_ device: DiscoveredDevice, _ key: ObjectKey) -> JSONValue {
    let template = discovery[path: "spec", "template"] ?? [:]
    var labels = template[path: "metadata", "labels"]?.object ?? [:]
    labels[DiscoveryReconciler.discoveryLabel] = .string(discovery.objectKey.name)
    var spec = template["spec"]?.object ?? [:]
    var annotations = template[path: "metadata", "annotations"]?.object ?? [:]
    // What the person who wrote the Discovery says goes before what the device's protocol says.
    if let fallback = spec.removeValue(forKey: "modelRef")?["name"]
      ?? device.standardModel.map({ .string(DeviceNaming.name(of: $0)) })
    {
      annotations[DeviceResolver.fallbackModelAnnotation] = fallback
    }
    if key != self.key(of: device, id: device.stableID) {
      annotations[Self.identityAnnotation] = .string(device.stableID)
    }
    for key in ["writes", "admitted"] { spec[key] = nil }
    if let modelName = device.modelName { spec["modelRef"] = ["name": .string(modelName)] }
    spec["connection"] = [protocolName: device.connection]
    if device.connection["serial"] != nil || protocolName == "udev" { spec["nodeName"] = .string(nodeName) }
    var metadata: JSONValue = [
      "name": .string(key.name), "namespace": .string(key.namespace), "labels": .object(labels),
    ]
    if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
    return ["apiVersion": "selvedge.dev/v1alpha1", "kind": "Device", "metadata": metadata, "spec": .object(spec)]
  }
}

extension JSONValue {
  /// Whether every member that `part` names, at any depth, is here with the same value.
  fileprivate func holds(_ part: JSONValue) -> Bool {
    guard let members = part.object else { return self == part }
    return members.allSatisfy { self[$0.key]?.holds($0.value) ?? false }
  }
}
