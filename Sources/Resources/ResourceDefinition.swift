public import Documents

/// One served version of a kind, read from its CustomResourceDefinition: names, scope, schema, columns, subresources.
/// Kinds that have no CRD (Twin, Namespace, Event) are described by the same document.
public struct ResourceDefinition: Sendable, Hashable {
  public struct Column: Sendable, Hashable {
    public var name: String
    /// string | integer | number | boolean | date
    public var type: String
    public var format: String
    public var description: String
    public var jsonPath: String
    /// 0: always shown; above: only with `-o wide`.
    public var priority: Int
    /// Whether the cell is the number of members that the path finds, as the format `count` of built-in kinds says.
    var counts: Bool { format == "count" }

    public init(
      name: String, type: String, format: String = "", description: String = "", jsonPath: String, priority: Int = 0
    ) {
      self.name = name
      self.type = type
      self.format = format
      self.description = description
      self.jsonPath = jsonPath
      self.priority = priority
    }
  }
  public var group: String
  public var version: String
  public var kind: String
  public var listKind: String
  public var plural: String
  public var singular: String
  public var shortNames: [String]
  public var categories: [String]
  public var isNamespaced: Bool
  public var hasStatus: Bool
  public var columns: [Column]
  /// Dotted paths beyond metadata.name and metadata.namespace that field selectors may name.
  public var selectableFields: [String]
  /// The structural schema (OpenAPI v3) of the whole object.
  public var schema: JSONValue
  /// What clients may do: create delete deletecollection get list patch update watch.
  public var verbs: [String]
  /// Parts with an address of their own, apart from `status`; a backend that lists any is a ``SubresourceBackend``.
  public var subresources: [NamedSubresource]

  public var name: ResourceName { ResourceName(group: group, plural: plural) }
  /// `selvedge.dev/v1alpha1`; `v1` for the core group.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

  /// Whether the kind has a part that a write can be aimed at.
  public func has(_ subresource: Subresource) -> Bool {
    switch subresource {
    case .status: hasStatus
    case .finalize: group.isEmpty && plural == "namespaces"
    }
  }

  public static let allVerbs = [
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
  ]

  /// Reads a CustomResourceDefinition (apiextensions.k8s.io/v1); its first served version counts. Nil where a part
  /// that Kubernetes requires is missing.
  public init?(
    crd: JSONValue, verbs: [String] = ResourceDefinition.allVerbs, subresources: [NamedSubresource] = []
  ) {
    guard let spec = crd["spec"], let group = spec["group"]?.string, let names = spec["names"],
      let plural = names["plural"]?.string, let kind = names["kind"]?.string,
      let version = spec["versions"]?.array?.first(where: { $0["served"]?.bool ?? true }),
      let versionName = version["name"]?.string
    else { return nil }
    self.group = group
    self.version = versionName
    self.kind = kind
    self.plural = plural
    singular = names["singular"]?.string ?? kind.lowercased()
    listKind = names["listKind"]?.string ?? kind + "List"
    shortNames = names["shortNames"]?.array?.compactMap(\.string) ?? []
    categories = names["categories"]?.array?.compactMap(\.string) ?? []
    isNamespaced = spec["scope"]?.string != "Cluster"
    hasStatus = version[path: "subresources", "status"] != nil
    columns = (version["additionalPrinterColumns"]?.array ?? []).map { column in
      Column(
        name: column["name"]?.string ?? "", type: column["type"]?.string ?? "string",
        format: column["format"]?.string ?? "", description: column["description"]?.string ?? "",
        jsonPath: column["jsonPath"]?.string ?? "", priority: column["priority"]?.int ?? 0)
    }
    selectableFields = (version["selectableFields"]?.array ?? []).compactMap { field in
      field["jsonPath"]?.string.map { String($0.drop { $0 == "." }) }
    }
    schema = version[path: "schema", "openAPIV3Schema"] ?? ["type": "object"]
    self.verbs = verbs
    self.subresources = subresources
  }
}
