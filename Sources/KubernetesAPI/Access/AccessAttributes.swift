internal import Resources

/// What a request wants to do to what: all that the decision about it depends on, besides the user
/// (Kubernetes, section Authorization Overview).
public struct AccessAttributes: Sendable, Hashable {
  /// get list watch create update patch delete deletecollection; for a path the method in lower case.
  public var verb: String
  public var group = ""
  /// The plural.
  public var resource = ""
  public var subresource = ""
  /// Empty: the cluster scope, or all namespaces.
  public var namespace = ""
  public var name = ""
  /// Set where the request names no resource: `/metrics`.
  public var path: String?

  public init(
    verb: String, group: String, resource: String, subresource: String = "", namespace: String = "", name: String = ""
  ) {
    self.verb = verb
    self.group = group
    self.resource = resource
    self.subresource = subresource
    self.namespace = namespace
    self.name = name
  }

  /// - Parameter path: as sent; empty segments do not count, as they do not for the routes.
  public init(verb: String, path: String) {
    self.verb = verb
    self.path = "/" + path.split(separator: "/").joined(separator: "/")
  }

  /// What a call to the API wants.
  init(_ call: APICall) {
    guard case .resource(let path) = APIRoute(path: call.path) else {
      self.init(verb: call.method?.rawValue.lowercased() ?? "", path: call.path)
      return
    }
    let watches = call.query.flag("watch")
    let verb: String
    switch call.method {
    case .get where path.name == nil: verb = watches ? "watch" : "list"
    case .get: verb = watches && path.subresource == nil ? "watch" : "get"
    case .post: verb = "create"
    case .put: verb = "update"
    case .patch: verb = "patch"
    case .delete: verb = path.name == nil ? "deletecollection" : "delete"
    case nil: verb = ""
    }
    self.init(
      verb: verb, group: path.group, resource: path.plural, subresource: path.subresource ?? "",
      namespace: path.namespace ?? "", name: path.name ?? "")
    // A list or watch of one name counts as one of that object: informers of a single object rely on it.
    if name.isEmpty, verb == "list" || verb == "watch" { name = Self.selectedName(call.query["fieldSelector"]) }
    // A namespace lies within itself.
    if group.isEmpty, resource == "namespaces", namespace.isEmpty { namespace = name }
  }

  private static func selectedName(_ fieldSelector: String?) -> String {
    for term in (fieldSelector ?? "").split(separator: ",") {
      for prefix in ["metadata.name==", "metadata.name="] where term.hasPrefix(prefix) {
        return String(term.dropFirst(prefix.count))
      }
    }
    return ""
  }

  /// Whether the request would change an object: what the audit log keeps.
  var isWrite: Bool {
    path == nil && ["create", "update", "patch", "delete", "deletecollection"].contains(verb)
      && !["authorization.k8s.io", "authentication.k8s.io"].contains(group)
  }

  /// 403 in Kubernetes' words.
  func forbidden(_ user: UserInfo) -> APIStatus {
    if let path {
      return APIStatus(
        code: 403, reason: "Forbidden", message: "forbidden: User \"\(user.name)\" cannot \(verb) path \"\(path)\"")
    }
    let whole = subresource.isEmpty ? resource : "\(resource)/\(subresource)"
    let scope = namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(namespace)\""
    let subject = "\(ResourceName(group: group, plural: resource))\(name.isEmpty ? "" : " \"\(name)\"")"
    return APIStatus(
      code: 403, reason: "Forbidden",
      message:
        "\(subject) is forbidden: User \"\(user.name)\" cannot \(verb) resource \"\(whole)\" in API group \"\(group)\" \(scope)",
      name: name, group: group, kind: resource)
  }
}

extension APIStatus {
  /// For a request without credentials, or with wrong ones.
  static let unauthorized = APIStatus(code: 401, reason: "Unauthorized", message: "Unauthorized")
}
