internal import Documents
internal import Resources

/// The paths and operations of one kind, free of an OpenAPI version's notation.
struct ResourceOperations: Sendable {
  struct Operation: Sendable {
    var method: String
    /// `x-kubernetes-action`.
    var action: String
    /// Names of query parameters; kubectl looks for `dryRun` and `fieldValidation` on a patch.
    var parameters: [String]
    var takesBody: Bool
  }
  struct Path: Sendable {
    var template: String
    /// Names within braces in `template`.
    var parameters: [String]
    var operations: [Operation]
    /// The subresource whose kind is read and written; nil for the resource's own.
    var subresource: NamedSubresource?
  }
  var paths: [Path] = []

  init(_ definition: ResourceDefinition) {
    let root = definition.group.isEmpty ? "/api/\(definition.version)" : "/apis/\(definition.apiVersion)"
    let scope = definition.isNamespaced ? "/namespaces/{namespace}" : ""
    let scopeParameters = definition.isNamespaced ? ["namespace"] : []
    let collection = "\(root)\(scope)/\(definition.plural)"
    let read: [(verb: String, Operation)] = [
      ("list", Operation(method: "get", action: "list", parameters: Self.listParameters, takesBody: false)),
      ("create", Operation(method: "post", action: "post", parameters: Self.writeParameters, takesBody: true)),
      (
        "deletecollection",
        Operation(
          method: "delete", action: "deletecollection", parameters: Self.listParameters + ["dryRun"], takesBody: false)
      ),
    ]
    add(collection, scopeParameters, read.filter { definition.verbs.contains($0.verb) }.map(\.1))
    let named: [(verb: String, Operation)] = [
      ("get", Operation(method: "get", action: "get", parameters: ["resourceVersion"], takesBody: false)),
      ("update", Operation(method: "put", action: "put", parameters: Self.writeParameters, takesBody: true)),
      (
        "patch",
        Operation(method: "patch", action: "patch", parameters: Self.writeParameters + ["force"], takesBody: true)
      ),
      (
        "delete",
        Operation(method: "delete", action: "delete", parameters: ["dryRun", "propagationPolicy"], takesBody: false)
      ),
    ]
    let allowed = named.filter { definition.verbs.contains($0.verb) }
    add("\(collection)/{name}", scopeParameters + ["name"], allowed.map(\.1))
    if definition.hasStatus {
      add(
        "\(collection)/{name}/status", scopeParameters + ["name"],
        allowed.filter { definition.statusVerbs.contains($0.verb) }.map(\.1))
    }
    for subresource in definition.subresources {
      let operations = subresource.verbs.map { verb in
        switch verb {
        case .get: Operation(method: "get", action: "get", parameters: subresource.parameters, takesBody: false)
        case .create: Operation(method: "post", action: "post", parameters: Self.writeParameters, takesBody: true)
        }
      }
      add("\(collection)/{name}/\(subresource.name)", scopeParameters + ["name"], operations, of: subresource)
    }
    if definition.isNamespaced, definition.verbs.contains("list") {
      add("\(root)/\(definition.plural)", [], read.filter { $0.verb == "list" }.map(\.1))
    }
  }

  private mutating func add(
    _ template: String, _ parameters: [String], _ operations: [Operation], of subresource: NamedSubresource? = nil
  ) {
    guard !operations.isEmpty else { return }
    paths.append(
      Path(template: template, parameters: parameters, operations: operations, subresource: subresource))
  }

  private static let writeParameters = ["dryRun", "fieldManager", "fieldValidation"]
  private static let listParameters = [
    "labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch",
    "timeoutSeconds", "watch", "allowWatchBookmarks", "sendInitialEvents",
  ]

  /// The JSON type of a query parameter.
  static func type(ofParameter name: String) -> String {
    switch name {
    case "limit", "timeoutSeconds": "integer"
    case "watch", "allowWatchBookmarks", "sendInitialEvents", "force": "boolean"
    default: "string"
    }
  }

  static func description(ofParameter name: String) -> String {
    switch name {
    case "dryRun": "All: does everything but store."
    case "fieldManager": "Who writes, at most 128 printable characters."
    case "fieldValidation": "Ignore, Warn or Strict: what to do about unknown and duplicate fields."
    case "force": "Server-side apply takes fields from their owners instead of failing."
    case "labelSelector": "Only objects with such labels."
    case "fieldSelector": "Only objects with such fields."
    case "limit": "At most so many items; the rest by continue."
    case "continue": "The token of the page before."
    case "watch": "Streams changes instead of listing."
    case "propagationPolicy": "Background, Foreground or Orphan."
    default: "See the Kubernetes API concepts."
    }
  }
}
