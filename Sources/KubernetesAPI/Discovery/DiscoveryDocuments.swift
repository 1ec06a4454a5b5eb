internal import Documents
internal import Resources

/// The discovery documents that every client can read, one for each group and version (meta/v1 APIVersions,
/// APIGroupList, APIGroup, APIResourceList).
struct DiscoveryDocuments: Sendable {
  let catalogue: Catalogue

  /// `/api`.
  func coreVersions(authority: String) -> JSONValue {
    [
      "kind": "APIVersions", "versions": .array(catalogue.versions(of: "").map(JSONValue.string)),
      "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(authority)]],
    ]
  }

  /// `/apis`.
  func groups() -> JSONValue {
    ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(catalogue.groups.map(groupMembers))]
  }

  /// `/apis/G`; nil for a group that is not served.
  func group(_ group: String) -> JSONValue? {
    guard catalogue.groups.contains(group) else { return nil }
    var document = groupMembers(group)
    document["kind"] = "APIGroup"
    document["apiVersion"] = "v1"
    return document
  }

  /// `/api/v1`, `/apis/G/V`; nil for one that is not served.
  func resources(group: String, version: String) -> JSONValue? {
    guard let definitions = catalogue.definitions(group: group, version: version) else { return nil }
    return [
      "kind": "APIResourceList", "apiVersion": "v1",
      "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
      "resources": .array(definitions.flatMap(resources)),
    ]
  }

  private func groupMembers(_ group: String) -> JSONValue {
    let versions = catalogue.versions(of: group).map { version -> JSONValue in
      ["groupVersion": .string("\(group)/\(version)"), "version": .string(version)]
    }
    return ["name": .string(group), "versions": .array(versions), "preferredVersion": versions.first ?? .null]
  }

  private func resources(_ definition: ResourceDefinition) -> [JSONValue] {
    var main: JSONValue = [
      "name": .string(definition.plural), "singularName": .string(definition.singular),
      "namespaced": .bool(definition.isNamespaced), "kind": .string(definition.kind),
      "verbs": .array(definition.verbs.map(JSONValue.string)),
    ]
    if !definition.shortNames.isEmpty { main["shortNames"] = .array(definition.shortNames.map(JSONValue.string)) }
    if !definition.categories.isEmpty { main["categories"] = .array(definition.categories.map(JSONValue.string)) }
    return [main]
      + definition.servedSubresources.map { part in
        [
          "name": .string("\(definition.plural)/\(part.name)"), "singularName": "",
          "namespaced": .bool(definition.isNamespaced), "kind": .string(part.kind),
          "verbs": .array(part.verbs.map(JSONValue.string)),
        ]
      }
  }
}

extension ResourceDefinition {
  /// What clients may do to the status subresource.
  var statusVerbs: [String] { ["get", "patch", "update"].filter(verbs.contains) }

  /// The definition with a named subresource's kind and schema in the place of its own.
  func describing(_ part: NamedSubresource) -> ResourceDefinition {
    var described = self
    described.kind = part.kind
    described.schema = part.schema
    return described
  }

  /// Every subresource, `status` first, as discovery lists them.
  var servedSubresources: [(name: String, kind: String, verbs: [String])] {
    (hasStatus ? [(Subresource.status.rawValue, kind, statusVerbs)] : [])
      + (has(.finalize) ? [(Subresource.finalize.rawValue, kind, ["update"])] : [])
      + subresources.map { ($0.name, $0.kind, $0.verbs.map(\.rawValue)) }
  }
}
