/// Who may do what: roles bound to users and groups, as Kubernetes' RBAC has it. Everything not allowed is forbidden.
public struct AccessPolicy: Sendable, Hashable {
  /// The rules of one role, given to some users.
  struct Grant: Sendable, Hashable {
    var users: Set<String> = []
    var groups: Set<String> = []
    /// Where the rules hold; nil: everywhere, and for paths.
    var namespace: String?
    var rules: [AccessRule]
    /// Says which binding and role this is.
    var origin: String

    func reaches(_ user: UserInfo) -> Bool { users.contains(user.name) || user.groups.contains(where: groups.contains) }
  }
  var grants: [Grant]

  /// The policy without a word of the user: the ready-made roles, bound to the ready-made groups.
  public init() { grants = Self.readyMadeGrants }

  /// The policy of a server that only a ``FrontProxy`` asks: whoever has proved who they are, which only that proxy can
  /// say, has these rights. That they may use them the proxy has asked before.
  public static func behindFrontProxy(groups: [String], paths: [String]) -> AccessPolicy {
    var policy = AccessPolicy()
    policy.grants = [
      Grant(
        groups: [UserInfo.authenticatedGroup],
        rules: [
          AccessRule(verbs: ["*"], apiGroups: groups, resources: ["*"]),
          AccessRule(verbs: ["get"], nonResourceURLs: paths),
        ], origin: "the front proxy")
    ]
    return policy
  }

  /// Why the request may pass; nil: it may not.
  public func permission(for user: UserInfo, to attributes: AccessAttributes) -> String? {
    if user.isMaster { return "the group \(UserInfo.mastersGroup) may do everything" }
    for grant in grants where grant.reaches(user) {
      if let namespace = grant.namespace, attributes.path != nil || attributes.namespace != namespace { continue }
      if grant.rules.contains(where: { $0.allows(attributes) }) { return "RBAC: allowed by \(grant.origin)" }
    }
    return nil
  }

  public func allows(_ user: UserInfo, _ attributes: AccessAttributes) -> Bool {
    permission(for: user, to: attributes) != nil
  }

  /// Every rule that holds for the user in a namespace, and for paths.
  func rules(for user: UserInfo, in namespace: String) -> [AccessRule] {
    if user.isMaster { return AccessRule.everything }
    return grants.filter { $0.reaches(user) && ($0.namespace == nil || $0.namespace == namespace) }.flatMap(\.rules)
  }
}
