internal import Documents
internal import Resources

/// The reviews by which a client asks who it is and what it may do (authorization.k8s.io/v1, authentication.k8s.io/v1).
///
/// Whoever reaches the embedded API may do everything: reaching it is what is guarded.
enum AccessReview {
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
  static func answer(_ review: JSONValue, to definition: ResourceDefinition) -> JSONValue {
    var answer = review
    answer["apiVersion"] = .string(definition.apiVersion)
    answer["kind"] = .string(definition.kind)
    if answer["metadata"] == nil { answer["metadata"] = [:] }
    switch definition.kind {
    case "SelfSubjectAccessReview":
      answer["status"] = ["allowed": true, "reason": "whoever reaches this API may do everything"]
    case "SelfSubjectRulesReview":
      answer["status"] = [
        "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
        "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
      ]
    default:
      answer["status"] = ["userInfo": ["username": "local", "groups": ["system:masters", "system:authenticated"]]]
    }
    return answer
  }
}
