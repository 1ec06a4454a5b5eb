internal import Documents
internal import Resources

/// Discovery in one document: APIGroupDiscoveryList of apidiscovery.k8s.io, v2 and v2beta1 (the two differ in name only).
struct AggregatedDiscovery: Sendable {
  let catalogue: Catalogue
  /// `v2` or `v2beta1`.
  let version: String

  /// The version that an Accept header prefers to the legacy documents; nil for these. A `profile` asks for a variant
  /// that is not served: its next choice counts.
  static func version(accept: String) -> String? {
    for range in MediaRange.accepted(by: accept) {
      if range.takesJSON { return nil }
      if range.essence == "application/json", range.parameters["g"] == "apidiscovery.k8s.io",
        range.parameters["as"] == "APIGroupDiscoveryList", range.parameters["profile"] == nil,
        let version = range.parameters["v"], ["v2", "v2beta1"].contains(version)
      {
        return version
      }
    }
    return nil
  }

  /// Clients recognise the document by these very parameters.
  var contentType: String { "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList" }

  /// The document of `/api` (the core group alone) or `/apis` (all others).
  func document(isCore: Bool) -> JSONValue {
    [
      "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
      "items": .array((isCore ? [""] : catalogue.groups).map(group)),
    ]
  }

  private func group(_ group: String) -> JSONValue {
    var metadata: JSONValue = ["creationTimestamp": .null]
    if !group.isEmpty { metadata["name"] = .string(group) }
    return [
      "metadata": metadata,
      "versions": .array(
        catalogue.versions(of: group).map { version in
          [
            "version": .string(version), "freshness": "Current",
            "resources": .array((catalogue.definitions(group: group, version: version) ?? []).map(resource)),
          ]
        }),
    ]
  }

  private func resource(_ definition: ResourceDefinition) -> JSONValue {
    let kind: JSONValue = [
      "group": .string(definition.group), "version": .string(definition.version), "kind": .string(definition.kind),
    ]
    var resource: JSONValue = [
      "resource": .string(definition.plural), "responseKind": kind,
      "scope": definition.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(definition.singular),
      "verbs": .array(definition.verbs.map(JSONValue.string)),
    ]
    if !definition.shortNames.isEmpty { resource["shortNames"] = .array(definition.shortNames.map(JSONValue.string)) }
    if !definition.categories.isEmpty { resource["categories"] = .array(definition.categories.map(JSONValue.string)) }
    let parts = definition.servedSubresources
    if !parts.isEmpty {
      resource["subresources"] = .array(
        parts.map { part in
          [
            "subresource": .string(part.name), "responseKind": kind.merging(["kind": .string(part.kind)]),
            "verbs": .array(part.verbs.map(JSONValue.string)),
          ]
        })
    }
    return resource
  }
}
