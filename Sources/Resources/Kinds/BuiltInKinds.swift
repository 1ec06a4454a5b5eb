internal import Documents
internal import YAML

/// The kinds of Kubernetes itself that an embedded gateway serves, described as CRDs are.
public enum BuiltInKinds {
  /// Namespaces, Secrets, ConfigMaps, events, Leases and the read-only CustomResourceDefinitions.
  public static let all: [ResourceDefinition] = [
    namespaces, configMaps, secrets, events, leases, customResourceDefinitions,
  ]

  /// The kinds whose objects are encrypted wherever they are stored.
  public static let confidential: Set<ResourceName> = [secrets.name]

  public static let customResourceDefinitions = definition(
    #"""
    spec:
      group: apiextensions.k8s.io
      scope: Cluster
      names:
        kind: CustomResourceDefinition
        plural: customresourcedefinitions
        singular: customresourcedefinition
        shortNames: [crd, crds]
        categories: [api-extensions]
      versions:
      - name: v1
        served: true
        additionalPrinterColumns:
        - {name: Created At, type: string, jsonPath: .metadata.creationTimestamp, description: When it was created.}
        schema:
          openAPIV3Schema:
            type: object
            properties:
              spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
              status: {type: object, x-kubernetes-preserve-unknown-fields: true}
    """#, verbs: ["get", "list", "watch"])

  static func definition(_ text: String, verbs: [String] = ResourceDefinition.allVerbs) -> ResourceDefinition {
    do {
      guard let definition = ResourceDefinition(crd: try YAMLDocument.one(in: text), verbs: verbs) else {
        preconditionFailure("a built-in kind lacks a part")
      }
      return definition
    } catch {
      preconditionFailure("the text of a built-in kind: \(error)")
    }
  }
}

extension ResourceDefinition {
  /// Whether the kind is one of Kubernetes itself, and not a custom resource.
  public var isBuiltIn: Bool {
    group.isEmpty
      || (BuiltInKinds.all + [BuiltInKinds.eventsGroup]).contains {
        $0.group == group && $0.plural == plural && $0.version == version
      }
  }
}
