public import Documents

/// What is wrong with a file that says who may do what: one line with the place. Never holds a credential.
public struct AccessFileError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

extension AccessPolicy {
  /// Adds what the documents of a file say to the ready-made roles and groups.
  /// - Parameter manifests: ClusterRole, Role, ClusterRoleBinding and RoleBinding (rbac.authorization.k8s.io/v1), in any
  ///   order. A key that none of these has is an error: a rule with a mistyped restriction must not hold without it.
  public init(manifests: [JSONValue]) throws(AccessFileError) {
    self.init()
    var roles = AccessPolicy.readyMadeRoles
    var bindings: [AccessManifest] = []
    for (index, document) in manifests.enumerated() where !document.isNull {
      let manifest = try AccessManifest(document, number: index + 1)
      guard manifest.isRole else {
        bindings.append(manifest)
        continue
      }
      guard roles.updateValue(try manifest.rules(), forKey: manifest.roleKey) == nil else {
        throw manifest.error("metadata.name", "there is a role of this name already")
      }
    }
    for binding in bindings {
      let key = try binding.referredRoleKey()
      guard let rules = roles[key] else {
        throw binding.error("roleRef.name", "there is no such role (ready-made are admin, operator and viewer)")
      }
      let (users, groups) = try binding.subjects()
      grants.append(
        Grant(users: users, groups: groups, namespace: binding.namespace, rules: rules, origin: binding.label))
    }
  }
}

/// One document of RBAC, read strictly.
private struct AccessManifest {
  let document: JSONValue
  let number: Int
  let kind: String
  let name: String
  /// Nil for the kinds of the whole cluster.
  let namespace: String?

  init(_ document: JSONValue, number: Int) throws(AccessFileError) {
    self.document = document
    self.number = number
    kind = document["kind"]?.string ?? ""
    name = document[path: "metadata", "name"]?.string ?? ""
    let allowed: [String]
    switch kind {
    case "ClusterRole", "Role": allowed = ["apiVersion", "kind", "metadata", "rules"]
    case "ClusterRoleBinding", "RoleBinding": allowed = ["apiVersion", "kind", "metadata", "roleRef", "subjects"]
    default:
      throw AccessFileError(
        "document \(number): kind is \"\(kind)\"; it can be ClusterRole, Role, ClusterRoleBinding or RoleBinding")
    }
    namespace = kind.hasPrefix("Cluster") ? nil : document[path: "metadata", "namespace"]?.string ?? "default"
    guard document["apiVersion"]?.string == "rbac.authorization.k8s.io/v1" else {
      throw error("apiVersion", "must be rbac.authorization.k8s.io/v1")
    }
    guard !name.isEmpty else { throw error("metadata.name", "is missing") }
    try checkKeys(of: document, allowed, at: "")
  }

  var label: String { "\(kind) \"\(namespace.map { $0 + "/" } ?? "")\(name)\"" }
  var isRole: Bool { kind.hasSuffix("Role") }
  /// Names of ClusterRoles hold no slash.
  var roleKey: String { namespace.map { "\($0)/\(name)" } ?? name }

  func error(_ path: String, _ problem: String) -> AccessFileError {
    AccessFileError("document \(number), \(label): \(path): \(problem)")
  }

  private func checkKeys(of object: JSONValue, _ allowed: [String], at path: String) throws(AccessFileError) {
    guard let unknown = object.object?.keys.filter({ !allowed.contains($0) }).min() else { return }
    throw error(path + unknown, "is no field here; known are \(allowed.joined(separator: ", "))")
  }

  func rules() throws(AccessFileError) -> [AccessRule] {
    guard let list = document["rules"]?.array else { throw error("rules", "must be a list") }
    var rules: [AccessRule] = []
    for (index, rule) in list.enumerated() {
      let place = "rules[\(index)]"
      guard rule.object != nil else { throw error(place, "must be an object") }
      try checkKeys(
        of: rule, ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"], at: place + ".")
      let verbs = try texts(rule, "verbs", at: place)
      guard !verbs.isEmpty else { throw error("\(place).verbs", "names no verb") }
      let groups = try texts(rule, "apiGroups", at: place)
      let resources = try texts(rule, "resources", at: place)
      let names = try texts(rule, "resourceNames", at: place)
      let paths = try texts(rule, "nonResourceURLs", at: place)
      if paths.isEmpty {
        guard !resources.isEmpty else { throw error("\(place).resources", "names no resource") }
        guard !groups.isEmpty else { throw error("\(place).apiGroups", "names no group (\"\" is the core group)") }
        rules.append(AccessRule(verbs: verbs, apiGroups: groups, resources: resources, resourceNames: names))
      } else {
        guard groups.isEmpty, resources.isEmpty, names.isEmpty else {
          throw error("\(place).nonResourceURLs", "a rule is for paths or for resources, not for both")
        }
        guard namespace == nil else { throw error("\(place).nonResourceURLs", "paths lie in no namespace") }
        rules.append(AccessRule(verbs: verbs, nonResourceURLs: paths))
      }
    }
    return rules
  }

  private func texts(_ object: JSONValue, _ key: String, at place: String) throws(AccessFileError) -> [String] {
    guard let value = object[key], !value.isNull else { return [] }
    let texts = value.array?.compactMap(\.string)
    guard let texts, texts.count == value.array?.count else {
      throw error("\(place).\(key)", "must be a list of texts")
    }
    return texts
  }

  func referredRoleKey() throws(AccessFileError) -> String {
    let reference = document["roleRef"] ?? [:]
    try checkKeys(of: reference, ["apiGroup", "kind", "name"], at: "roleRef.")
    guard let name = reference["name"]?.string, !name.isEmpty else { throw error("roleRef.name", "is missing") }
    switch reference["kind"]?.string {
    case "ClusterRole": return name
    case "Role":
      guard let namespace else { throw error("roleRef.kind", "a ClusterRoleBinding refers to a ClusterRole") }
      return "\(namespace)/\(name)"
    default: throw error("roleRef.kind", "must be ClusterRole or Role")
    }
  }

  func subjects() throws(AccessFileError) -> (users: Set<String>, groups: Set<String>) {
    var users: Set<String> = []
    var groups: Set<String> = []
    guard let list = document["subjects"]?.array else { throw error("subjects", "must be a list") }
    for (index, subject) in list.enumerated() {
      let place = "subjects[\(index)]"
      try checkKeys(of: subject, ["apiGroup", "kind", "name"], at: place + ".")
      guard let name = subject["name"]?.string, !name.isEmpty else { throw error("\(place).name", "is missing") }
      switch subject["kind"]?.string {
      case "User": users.insert(name)
      case "Group": groups.insert(name)
      default: throw error("\(place).kind", "must be User or Group")
      }
    }
    return (users, groups)
  }
}
