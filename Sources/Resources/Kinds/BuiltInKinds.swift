internal import Documents
internal import YAML

/// The kinds of Kubernetes itself that an embedded gateway serves, described as CRDs are.
public enum BuiltInKinds {
  /// Namespaces, events and the read-only CustomResourceDefinitions.
  public static let all: [ResourceDefinition] = [namespaces, events, customResourceDefinitions]

  public static let namespaces = definition(
    #"""
    spec:
      group: ""
      scope: Cluster
      names: {kind: Namespace, plural: namespaces, singular: namespace, shortNames: [ns]}
      versions:
      - name: v1
        served: true
        subresources: {status: {}}
        additionalPrinterColumns:
        - {name: Status, type: string, jsonPath: .status.phase, description: The status of the namespace.}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        selectableFields: [{jsonPath: .status.phase}]
        schema:
          openAPIV3Schema:
            type: object
            properties:
              spec:
                type: object
                properties:
                  finalizers: {type: array, items: {type: string}, x-kubernetes-list-type: atomic}
              status: {type: object, x-kubernetes-preserve-unknown-fields: true}
    """#)

  public static let events = definition(
    #"""
    spec:
      group: ""
      scope: Namespaced
      names: {kind: Event, plural: events, singular: event, shortNames: [ev]}
      versions:
      - name: v1
        served: true
        additionalPrinterColumns:
        - {name: Last Seen, type: date, jsonPath: .lastTimestamp, description: Since it happened last.}
        - {name: Type, type: string, jsonPath: .type, description: Normal or Warning.}
        - {name: Reason, type: string, jsonPath: .reason, description: What happened.}
        - {name: Object, type: string, jsonPath: '{.involvedObject.kind}/{.involvedObject.name}', description: What it happened to.}
        - {name: Message, type: string, jsonPath: .message, description: What happened; for people.}
        - {name: Count, type: integer, priority: 1, jsonPath: .count, description: How often it happened.}
        selectableFields:
        - {jsonPath: .involvedObject.kind}
        - {jsonPath: .involvedObject.namespace}
        - {jsonPath: .involvedObject.name}
        - {jsonPath: .involvedObject.uid}
        - {jsonPath: .involvedObject.apiVersion}
        - {jsonPath: .involvedObject.resourceVersion}
        - {jsonPath: .involvedObject.fieldPath}
        - {jsonPath: .reason}
        - {jsonPath: .reportingComponent}
        - {jsonPath: .source}
        - {jsonPath: .type}
        schema:
          openAPIV3Schema:
            type: object
            required: [involvedObject]
            properties:
              involvedObject:
                type: object
                x-kubernetes-map-type: atomic
                properties:
                  apiVersion: {type: string}
                  kind: {type: string}
                  namespace: {type: string}
                  name: {type: string}
                  uid: {type: string}
                  resourceVersion: {type: string}
                  fieldPath: {type: string}
              reason: {type: string, maxLength: 128}
              message: {type: string, maxLength: 4096}
              type: {type: string, maxLength: 64}
              count: {type: integer, format: int32}
              firstTimestamp: {type: string, nullable: true}
              lastTimestamp: {type: string, nullable: true}
              eventTime: {type: string, nullable: true}
              action: {type: string}
              reportingComponent: {type: string}
              reportingInstance: {type: string}
              source: {type: object, properties: {component: {type: string}, host: {type: string}}}
              series: {type: object, nullable: true, x-kubernetes-preserve-unknown-fields: true}
              related: {type: object, nullable: true, x-kubernetes-preserve-unknown-fields: true}
    """#)

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

  private static func definition(_ text: String, verbs: [String] = ResourceDefinition.allVerbs) -> ResourceDefinition {
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
