import Documents
import Foundation
import KubernetesAPI
import Testing
import YAML

@Suite("Who may do what")
struct AccessPolicyTests {
  static func user(_ name: String, _ groups: String...) -> UserInfo {
    UserInfo(name: name, groups: groups + [UserInfo.authenticatedGroup])
  }

  /// `verb resource[.group][/subresource][:name][@namespace]`, or `verb /path`.
  static func attributes(_ text: String) -> AccessAttributes {
    let words = text.split(separator: " ").map(String.init)
    if words[1].hasPrefix("/") { return AccessAttributes(verb: words[0], path: words[1]) }
    var rest = words[1]
    func cut(_ mark: Character) -> String {
      guard let index = rest.firstIndex(of: mark) else { return "" }
      defer { rest = String(rest[..<index]) }
      return String(rest[rest.index(after: index)...])
    }
    let namespace = cut("@")
    let name = cut(":")
    let subresource = cut("/")
    let group = cut(".")
    return AccessAttributes(
      verb: words[0], group: group, resource: rest, subresource: subresource, namespace: namespace, name: name)
  }

  @Test(
    "The ready-made roles",
    arguments: [
      ("list devices.selvedge.dev@default", true, true, true),
      ("get devices.selvedge.dev/status:b@default", true, true, true),
      ("watch twins.twin.selvedge.dev", true, true, true), ("get configmaps:a@default", true, true, true),
      ("patch devices.selvedge.dev:b@default", false, true, true),
      ("create devices.selvedge.dev@default", false, true, true),
      ("delete devices.selvedge.dev:b@default", false, true, true),
      ("deletecollection devices.selvedge.dev@default", false, false, true),
      ("patch devices.selvedge.dev/status:b@default", false, false, true),
      ("patch twins.twin.selvedge.dev:b@default", false, true, true),
      ("delete devicemodels.selvedge.dev:m", false, false, true),
      ("patch discoveries.selvedge.dev:d@default", false, false, true),
      ("create sinks.selvedge.dev@default", false, false, true), ("get secrets:s@default", false, false, true),
      ("list secrets@default", false, false, true), ("watch secrets", false, false, true),
      ("create namespaces", false, false, true), ("get /metrics", true, true, true), ("get /", true, true, true),
      ("get /apis/selvedge.dev/v1alpha1", true, true, true), ("get /openapi/v3", true, true, true),
      ("get /debug", false, false, true), ("post /metrics", false, false, true),
      ("create selfsubjectaccessreviews.authorization.k8s.io", true, true, true),
    ] as [(String, Bool, Bool, Bool)])
  func readyMade(request: String, viewer: Bool, worker: Bool, admin: Bool) {
    let policy = AccessPolicy()
    let attributes = Self.attributes(request)
    #expect(policy.allows(Self.user("v", "selvedge:viewers"), attributes) == viewer)
    #expect(policy.allows(Self.user("o", "selvedge:operators"), attributes) == worker)
    #expect(policy.allows(Self.user("a", "selvedge:admins"), attributes) == admin)
    #expect(policy.allows(Self.user("m", "system:masters"), attributes))
  }

  @Test(
    "Who has no role may see what is served; a stranger only whether it lives",
    arguments: [
      ("get /apis", true, false), ("get /version", true, true), ("get /livez", true, true), ("get /readyz", true, true),
      ("get /metrics", false, false), ("get /", false, false), ("list devices.selvedge.dev", false, false),
      ("create selfsubjectreviews.authentication.k8s.io", true, false),
    ])
  func withoutRole(request: String, known: Bool, stranger: Bool) {
    #expect(AccessPolicy().allows(Self.user("x"), Self.attributes(request)) == known)
    #expect(AccessPolicy().allows(.anonymous, Self.attributes(request)) == stranger)
  }

  static let manifests = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: shift}
    rules:
    - {apiGroups: [selvedge.dev], resources: [devices], verbs: [get, patch], resourceNames: [boiler-1]}
    - {apiGroups: [selvedge.dev], resources: ["*/status"], verbs: [get]}
    - {nonResourceURLs: [/debug/*], verbs: [get]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: hall, namespace: hall-2}
    rules:
    - {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: shift}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: shift}
    subjects:
    - {apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: hall, namespace: hall-2}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: hall}
    subjects:
    - {kind: Group, name: night}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: looking, namespace: hall-3}
    roleRef: {kind: ClusterRole, name: viewer}
    subjects:
    - {kind: User, name: bob}
    """

  @Test(
    "Roles and bindings of a file",
    arguments: [
      ("alice", "", "patch devices.selvedge.dev:boiler-1@default", true),
      ("alice", "", "patch devices.selvedge.dev:boiler-2@default", false),
      ("alice", "", "list devices.selvedge.dev@default", false),
      ("alice", "", "get devices.selvedge.dev/status:boiler-2@default", true),
      ("alice", "", "get devices.selvedge.dev/scale:boiler-1@default", false),
      ("alice", "", "get devices.other.dev:boiler-1@default", false), ("alice", "", "get /debug/x", true),
      ("alice", "", "get /debug", false), ("carl", "", "get devices.selvedge.dev:boiler-1@default", false),
      ("carl", "night", "delete secrets:s@hall-2", true), ("carl", "night", "delete secrets:s@default", false),
      ("carl", "night", "list devices.selvedge.dev", false), ("carl", "night", "get /metrics", false),
      ("bob", "", "list devices.selvedge.dev@hall-3", true), ("bob", "", "list devices.selvedge.dev@default", false),
      ("bob", "", "get /metrics", false), ("night", "", "delete secrets:s@hall-2", false),
    ])
  func manifests(name: String, group: String, request: String, isAllowed: Bool) throws {
    let policy = try AccessPolicy(manifests: YAMLDocument.all(in: Self.manifests))
    let user = group.isEmpty ? Self.user(name) : Self.user(name, group)
    #expect(policy.allows(user, Self.attributes(request)) == isAllowed)
  }

  @Test(
    "What is wrong is told with its place",
    arguments: [
      ("kind: ClusterRole", "kind: ClusterRol", "document 1: kind is \"ClusterRol\""),
      ("resourceNames", "resourceName", "document 1, ClusterRole \"shift\": rules[0].resourceName: is no field here"),
      ("verbs: [get, patch]", "verbs: []", "rules[0].verbs: names no verb"),
      ("apiGroups: [selvedge.dev], resources: [devices]", "resources: [devices]", "rules[0].apiGroups"),
      ("resources: [devices]", "resources: devices", "rules[0].resources: must be a list of texts"),
      ("kind: ClusterRole, name: shift", "kind: ClusterRole, name: shft", "ClusterRoleBinding \"shift\": roleRef.name"),
      (
        "{kind: User, name: bob}", "{kind: ServiceAccount, name: bob}",
        "document 5, RoleBinding \"hall-3/looking\": subjects[0].kind"
      ),
      ("metadata: {name: shift}", "metadata: {name: viewer}", "there is a role of this name already"),
      ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1", "apiVersion"),
    ])
  func mistakes(right: String, wrong: String, message: String) throws {
    let range = try #require(Self.manifests.range(of: right))
    let documents = try YAMLDocument.all(in: Self.manifests.replacingCharacters(in: range, with: wrong))
    #expect {
      try AccessPolicy(manifests: documents)
    } throws: {
      "\($0)".contains(message) && !"\($0)".contains("\n")
    }
  }
}
