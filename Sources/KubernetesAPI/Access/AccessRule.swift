internal import Documents

/// One rule of a role (rbac.authorization.k8s.io/v1 PolicyRule): verbs on resources, or on paths.
public struct AccessRule: Sendable, Hashable {
  public var verbs: [String]
  public var apiGroups: [String] = []
  /// `devices`, `devices/status`, `*/status` or `*`, which names every subresource too.
  public var resources: [String] = []
  /// Empty: every name.
  public var resourceNames: [String] = []
  /// `/metrics`, `/openapi/*` or `*`.
  public var nonResourceURLs: [String] = []

  public init(verbs: [String], apiGroups: [String], resources: [String], resourceNames: [String] = []) {
    self.verbs = verbs
    self.apiGroups = apiGroups
    self.resources = resources
    self.resourceNames = resourceNames
  }

  public init(verbs: [String], nonResourceURLs: [String]) {
    self.verbs = verbs
    self.nonResourceURLs = nonResourceURLs
  }

  static let everything = [
    AccessRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]), AccessRule(verbs: ["*"], nonResourceURLs: ["*"]),
  ]

  func allows(_ attributes: AccessAttributes) -> Bool {
    guard verbs.contains("*") || verbs.contains(attributes.verb) else { return false }
    if let path = attributes.path { return nonResourceURLs.contains { Self.covers($0, path) } }
    guard apiGroups.contains("*") || apiGroups.contains(attributes.group), coversResource(attributes) else {
      return false
    }
    return resourceNames.isEmpty || resourceNames.contains(attributes.name)
  }

  private func coversResource(_ attributes: AccessAttributes) -> Bool {
    resources.contains { resource in
      if resource == "*" { return true }
      if attributes.subresource.isEmpty { return resource == attributes.resource }
      return resource == "\(attributes.resource)/\(attributes.subresource)"
        || resource == "*/\(attributes.subresource)"
    }
  }

  private static func covers(_ pattern: String, _ path: String) -> Bool {
    pattern.hasSuffix("*") ? path.hasPrefix(pattern.dropLast()) : pattern == path
  }

  /// As a SelfSubjectRulesReview lists it.
  var json: JSONValue {
    func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
    if !nonResourceURLs.isEmpty { return ["verbs": texts(verbs), "nonResourceURLs": texts(nonResourceURLs)] }
    var json: JSONValue = ["verbs": texts(verbs), "apiGroups": texts(apiGroups), "resources": texts(resources)]
    if !resourceNames.isEmpty { json["resourceNames"] = texts(resourceNames) }
    return json
  }
}
