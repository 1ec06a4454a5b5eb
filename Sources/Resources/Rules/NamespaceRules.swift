public import Documents

/// What is special about namespaces.
public struct NamespaceRules: KindRules {
  /// These are never deleted.
  public static let permanent: Set<String> = ["default", "kube-system"]

  public init() {}

  /// A namespace with the label and the phase that every one has.
  public func completing(_ object: JSONValue) -> JSONValue {
    var object = object
    var metadata = object.metadata
    metadata.labels["kubernetes.io/metadata.name"] = metadata.name
    object.metadata = metadata
    if object["status"] == nil { object["status"] = ["phase": "Active"] }
    return object
  }

  /// Those who hold a namespace that is going, besides the gateway itself, which empties it.
  public static func holders(of namespace: JSONValue) -> [String] {
    (namespace[path: "spec", "finalizers"]?.array ?? []).compactMap(\.string).filter { $0 != "kubernetes" }
  }

  /// `spec` with the finalizers of `namespace`: they are changed by `namespaces/NAME/finalize` alone.
  public static func withFinalizers(of namespace: JSONValue, in spec: JSONValue?) -> JSONValue? {
    var members = spec?.object ?? [:]
    members["finalizers"] = namespace[path: "spec", "finalizers"]
    return members.isEmpty && spec == nil ? JSONValue?.none : .object(members)
  }

  /// Why nothing can be made in a namespace that is going.
  public static func terminating(_ namespace: String, refusing name: String, of kind: ResourceName) -> APIStatus {
    APIStatus(
      code: 403, reason: "Forbidden",
      message:
        "\(kind) \"\(name)\" is forbidden: unable to create new content in namespace \(namespace) because it is being terminated",
      name: name, group: kind.group, kind: kind.plural,
      causes: [
        APIStatus.Cause(
          reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated",
          field: "metadata.namespace")
      ])
  }
}
