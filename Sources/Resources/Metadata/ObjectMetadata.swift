public import Documents

/// One entry of `metadata.ownerReferences`.
public struct OwnerReference: Sendable, Hashable {
  public var apiVersion: String
  public var kind: String
  public var name: String
  public var uid: String
  public var isController: Bool
  public var blocksOwnerDeletion: Bool
  public init(
    apiVersion: String, kind: String, name: String, uid: String, isController: Bool = false,
    blocksOwnerDeletion: Bool = false
  ) {
    self.apiVersion = apiVersion
    self.kind = kind
    self.name = name
    self.uid = uid
    self.isController = isController
    self.blocksOwnerDeletion = blocksOwnerDeletion
  }

  init(_ json: JSONValue) {
    self.init(
      apiVersion: json["apiVersion"]?.string ?? "", kind: json["kind"]?.string ?? "", name: json["name"]?.string ?? "",
      uid: json["uid"]?.string ?? "", isController: json["controller"]?.bool ?? false,
      blocksOwnerDeletion: json["blockOwnerDeletion"]?.bool ?? false)
  }

  var json: JSONValue {
    var json: JSONValue = [
      "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name), "uid": .string(uid),
    ]
    if isController { json["controller"] = true }
    if blocksOwnerDeletion { json["blockOwnerDeletion"] = true }
    return json
  }
}

/// A typed view of an object's `metadata` (meta/v1 ObjectMeta). Setting an empty value removes the member.
public struct ObjectMetadata: Sendable, Hashable {
  public var json: JSONValue
  public init(_ json: JSONValue = [:]) { self.json = json }

  private subscript(text key: String) -> String {
    get { json[key]?.string ?? "" }
    set { json[key] = newValue.isEmpty ? JSONValue?.none : .string(newValue) }
  }
  private subscript(map key: String) -> [String: String] {
    get { (json[key]?.object ?? [:]).compactMapValues(\.string) }
    set { json[key] = newValue.isEmpty ? JSONValue?.none : .object(newValue.mapValues { .string($0) }) }
  }
  private subscript(time key: String) -> Timestamp? {
    get { json[key]?.string.flatMap { Timestamp($0) } }
    set { json[key] = newValue.map { .string($0.secondsText) } }
  }

  public var name: String {
    get { self[text: "name"] }
    set { self[text: "name"] = newValue }
  }
  public var generateName: String {
    get { self[text: "generateName"] }
    set { self[text: "generateName"] = newValue }
  }
  /// Empty for cluster-scoped kinds.
  public var namespace: String {
    get { self[text: "namespace"] }
    set { self[text: "namespace"] = newValue }
  }
  public var uid: String {
    get { self[text: "uid"] }
    set { self[text: "uid"] = newValue }
  }
  /// Opaque to clients; a decimal number for the embedded store.
  public var resourceVersion: String {
    get { self[text: "resourceVersion"] }
    set { self[text: "resourceVersion"] = newValue }
  }
  public var generation: Int64 {
    get { json["generation"]?.integer ?? 0 }
    set { json["generation"] = .integer(newValue) }
  }
  public var labels: [String: String] {
    get { self[map: "labels"] }
    set { self[map: "labels"] = newValue }
  }
  public var annotations: [String: String] {
    get { self[map: "annotations"] }
    set { self[map: "annotations"] = newValue }
  }
  public var finalizers: [String] {
    get { json["finalizers"]?.array?.compactMap(\.string) ?? [] }
    set { json["finalizers"] = newValue.isEmpty ? JSONValue?.none : .array(newValue.map { .string($0) }) }
  }
  public var ownerReferences: [OwnerReference] {
    get { json["ownerReferences"]?.array?.map { OwnerReference($0) } ?? [] }
    set { json["ownerReferences"] = newValue.isEmpty ? JSONValue?.none : .array(newValue.map(\.json)) }
  }
  public var creationTimestamp: Timestamp? {
    get { self[time: "creationTimestamp"] }
    set { self[time: "creationTimestamp"] = newValue }
  }
  /// Set once the object is to go and finalizers hold it.
  public var deletionTimestamp: Timestamp? {
    get { self[time: "deletionTimestamp"] }
    set { self[time: "deletionTimestamp"] = newValue }
  }
  public var managedFields: JSONValue? {
    get { json["managedFields"] }
    set { json["managedFields"] = newValue }
  }
}

extension JSONValue {
  /// The object's metadata, typed.
  public var metadata: ObjectMetadata {
    get { ObjectMetadata(self["metadata"] ?? [:]) }
    set { self["metadata"] = newValue.json }
  }

  /// Where the object stands within its kind.
  public var objectKey: ObjectKey {
    let metadata = metadata
    return ObjectKey(namespace: metadata.namespace, name: metadata.name)
  }
}
