internal import Documents
internal import Resources

/// The reviews by which a client asks who it is and what it may do (authorization.k8s.io/v1, authentication.k8s.io/v1).
struct AccessReview {
  let user: UserInfo
  let policy: AccessPolicy

  static let definitions: [ResourceDefinition] = [
    definition(group: "authorization.k8s.io", plural: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview"),
    definition(group: "authorization.k8s.io", plural: "selfsubjectrulesreviews", kind: "SelfSubjectRulesReview"),
    definition(group: "authentication.k8s.io", plural: "selfsubjectreviews", kind: "SelfSubjectReview"),
  ].compactMap { $0 }

  private static func definition(group: String, plural: String, kind: String) -> ResourceDefinition? {
    let schema: JSONValue = [
      "type": "object", "description": "Asks the server about the client's own rights.",
      "properties": [
        "spec": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
      ],
    ]
    return ResourceDefinition(
      crd: [
        "spec": [
          "group": .string(group), "scope": "Cluster", "names": ["plural": .string(plural), "kind": .string(kind)],
          "versions": [["name": "v1", "served": true, "schema": ["openAPIV3Schema": schema]]],
        ]
      ], verbs: ["create"])
  }

  /// `review` with its status filled in.
  func answer(_ review: JSONValue, to definition: ResourceDefinition) -> JSONValue {
    var answer = review
    answer["apiVersion"] = .string(definition.apiVersion)
    answer["kind"] = .string(definition.kind)
    if answer["metadata"] == nil { answer["metadata"] = [:] }
    let spec = review["spec"] ?? [:]
    answer["status"] =
      switch definition.kind {
      case "SelfSubjectAccessReview": access(spec)
      case "SelfSubjectRulesReview": rules(in: spec["namespace"]?.string ?? "")
      default: ["userInfo": user.json]
      }
    return answer
  }

  private func access(_ spec: JSONValue) -> JSONValue {
    func text(_ part: String, _ key: String) -> String { spec[path: part, key]?.string ?? "" }
    let attributes: AccessAttributes
    if spec["resourceAttributes"]?.object != nil {
      let part = "resourceAttributes"
      attributes = AccessAttributes(
        verb: text(part, "verb"), group: text(part, "group"), resource: text(part, "resource"),
        subresource: text(part, "subresource"), namespace: text(part, "namespace"), name: text(part, "name"))
    } else if spec["nonResourceAttributes"]?.object != nil {
      let part = "nonResourceAttributes"
      attributes = AccessAttributes(verb: text(part, "verb"), path: text(part, "path"))
    } else {
      return ["allowed": false, "evaluationError": "spec names neither resourceAttributes nor nonResourceAttributes"]
    }
    guard let reason = policy.permission(for: user, to: attributes) else { return ["allowed": false] }
    return ["allowed": true, "reason": .string(reason)]
  }

  private func rules(in namespace: String) -> JSONValue {
    let rules = policy.rules(for: user, in: namespace)
    return [
      "resourceRules": .array(rules.filter(\.nonResourceURLs.isEmpty).map(\.json)),
      "nonResourceRules": .array(rules.filter { !$0.nonResourceURLs.isEmpty }.map(\.json)), "incomplete": false,
    ]
  }
}
