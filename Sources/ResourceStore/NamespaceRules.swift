internal import Documents
internal import Resources

/// What is special about namespaces.
enum NamespaceRules {
  static let permanent: Set<String> = ["default", "kube-system"]

  /// A namespace with the label and the phase that every one has.
  static func adorned(_ object: JSONValue) -> JSONValue {
    var object = object
    var metadata = object.metadata
    metadata.labels["kubernetes.io/metadata.name"] = metadata.name
    object.metadata = metadata
    object["status"] = ["phase": "Active"]
    return object
  }

  static func terminating(_ namespace: String, refusing name: String, of kind: ServedKind) -> APIStatus {
    APIStatus(
      code: 403, reason: "Forbidden",
      message:
        "\(kind.name) \"\(name)\" is forbidden: unable to create new content in namespace \(namespace) because it is being terminated",
      name: name, group: kind.name.group, kind: kind.name.plural,
      causes: [
        APIStatus.Cause(
          reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated",
          field: "metadata.namespace")
      ])
  }
}
