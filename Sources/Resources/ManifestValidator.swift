public import Documents

/// Checks manifests without a server: the same rules, strictly. Only rules that compare with the object before, which
/// nobody knows here, are left out.
public struct ManifestValidator: Sendable {
  /// One thing that is wrong with a document.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The path of the field; empty for the document as a whole.
    public var field: String
    public var message: String
    public var description: String { field.isEmpty ? message : "\(field): \(message)" }
  }
  private let kinds: [String: (definition: ResourceDefinition, schema: Schema)]

  /// Throws ``SchemaError`` where a definition's schema is none.
  public init(_ definitions: [ResourceDefinition]) throws {
    var kinds: [String: (ResourceDefinition, Schema)] = [:]
    for definition in definitions {
      kinds["\(definition.apiVersion)/\(definition.kind)"] = (definition, try Schema(definition.schema))
    }
    self.kinds = kinds
  }

  /// What is wrong with one document; empty for a manifest that the gateway takes.
  public func validate(_ document: JSONValue) -> [Problem] {
    guard document.object != nil else { return [Problem(field: "", message: "a manifest must be a mapping")] }
    guard let apiVersion = document["apiVersion"]?.string else {
      return [Problem(field: "apiVersion", message: "Required value")]
    }
    guard let kind = document["kind"]?.string else { return [Problem(field: "kind", message: "Required value")] }
    guard let (definition, schema) = kinds["\(apiVersion)/\(kind)"] else {
      let known = kinds.values.map { "\($0.definition.kind) in \($0.definition.apiVersion)" }.sorted()
      return [
        Problem(
          field: "", message: "no kind \"\(kind)\" in \"\(apiVersion)\"; known are \(known.joined(separator: ", "))")
      ]
    }
    let rules = BuiltInKinds.rules(of: definition.name)
    let (pruned, unknown) = schema.pruning(rules.folding(document))
    let (_, unknownMetadata) = MetadataRules.schema.pruning(pruned["metadata"] ?? [:])
    var problems = (unknown + unknownMetadata.map { "metadata.\($0)" }).map {
      Problem(field: $0, message: "unknown field")
    }
    var causes = MetadataRules.faults(in: pruned.metadata)
    if causes.isEmpty || !pruned.metadata.name.isEmpty {
      let object = schema.defaulting(pruned)
      causes += schema.refusals(of: object) + rules.faults(in: object, since: nil)
    }
    if !pruned.metadata.namespace.isEmpty {
      if !definition.isNamespaced {
        problems.append(
          Problem(field: "metadata.namespace", message: "\(kind) is cluster-scoped: leave the namespace out"))
      } else if let fault = NameRule.fault(inLabel: pruned.metadata.namespace) {
        problems.append(Problem(field: "metadata.namespace", message: fault))
      }
    }
    for cause in causes where cause != Schema.unjudged {
      let problem = Problem(field: cause.field, message: cause.message)
      if !problems.contains(problem) { problems.append(problem) }
    }
    return problems
  }
}
