extension AccessPolicy {
  /// The roles that need no writing: name and rules.
  static let readyMadeRoles: [String: [AccessRule]] = [
    "viewer": viewing,
    "operator": viewing + operating,
    "admin": AccessRule.everything,
  ]

  /// Every object but Secrets, /metrics and the dashboard.
  private static let viewing: [AccessRule] = {
    let verbs = ["get", "list", "watch"]
    return [
      AccessRule(
        verbs: verbs, apiGroups: ["selvedge.dev", "twin.selvedge.dev", "apiextensions.k8s.io"], resources: ["*"]),
      AccessRule(
        verbs: verbs, apiGroups: ["", "events.k8s.io", "coordination.k8s.io"],
        resources: ["namespaces", "namespaces/status", "events", "configmaps", "leases"]),
      AccessRule(verbs: ["get"], nonResourceURLs: ["/", "/metrics"]),
    ]
  }()

  /// Devices and their desired values. What makes the gateway look elsewhere, or send elsewhere (Discoveries, Brokers,
  /// Sinks, Pipelines), what devices mean (DeviceModels) and Secrets are an admin's.
  private static let operating: [AccessRule] = [
    AccessRule(
      verbs: ["create", "update", "patch", "delete"], apiGroups: ["selvedge.dev"], resources: ["devices"]),
    AccessRule(verbs: ["update", "patch"], apiGroups: ["twin.selvedge.dev"], resources: ["twins"]),
    // To try again what a receiver refused; to drop it is an admin's.
    AccessRule(verbs: ["create"], apiGroups: ["selvedge.dev"], resources: ["sinks/quarantine"]),
    AccessRule(verbs: ["create", "patch"], apiGroups: ["", "events.k8s.io"], resources: ["events"]),
  ]

  /// What everybody may read who has proved who they are: what is served, and their own rights
  /// (Kubernetes' roles system:discovery and system:basic-user).
  private static let discovering = [
    AccessRule(
      verbs: ["get"],
      nonResourceURLs: ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version"] + health),
    AccessRule(
      verbs: ["create"], apiGroups: ["authorization.k8s.io"],
      resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
    AccessRule(verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"]),
  ]

  private static let health = ["/livez", "/readyz", "/healthz"]

  static let readyMadeGrants: [Grant] = [
    Grant(
      groups: [UserInfo.unauthenticatedGroup],
      rules: [AccessRule(verbs: ["get"], nonResourceURLs: health + ["/version"])],
      origin: "the public paths"),
    Grant(groups: [UserInfo.authenticatedGroup], rules: discovering, origin: "discovery"),
    group("selvedge:viewers", role: "viewer"),
    group("selvedge:operators", role: "operator"),
    group("selvedge:admins", role: "admin"),
  ]

  private static func group(_ group: String, role: String) -> Grant {
    Grant(groups: [group], rules: readyMadeRoles[role] ?? [], origin: "the group \"\(group)\" of role \"\(role)\"")
  }
}
