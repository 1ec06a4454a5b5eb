internal import Documents

extension BuiltInKinds {
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

  /// The members of an event by their names in `events.k8s.io/v1` and in `v1`; all others are called the same
  /// (k8s.io/kubernetes, pkg/apis/events/v1/conversion.go).
  package static let eventNames: [(served: String, stored: String)] = [
    ("regarding", "involvedObject"), ("note", "message"), ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"), ("reportingController", "reportingComponent"),
  ]

  /// The same events in the form of their own group; kept as ``events``.
  public static let eventsGroup: ResourceDefinition = {
    let names = Dictionary(uniqueKeysWithValues: eventNames.map { (".\($0.stored)", ".\($0.served)") })
    /// A path of members, with or without braces and dots before it.
    func renamed(_ path: String) -> String {
      var path = path
      for (old, new) in names where path.hasPrefix(old) || path.contains("{" + old) {
        for end in ["", ".", "}"] {
          guard end.isEmpty ? path == old : path.contains(old + end) else { continue }
          path = path.split(separator: old + end, omittingEmptySubsequences: false).joined(separator: new + end)
        }
      }
      return path
    }
    var definition = events
    definition.group = "events.k8s.io"
    for index in definition.columns.indices {
      definition.columns[index].jsonPath = renamed(definition.columns[index].jsonPath)
    }
    definition.selectableFields = definition.selectableFields.map { String(renamed("." + $0).dropFirst()) }
    var properties: [String: JSONValue] = [:]
    for (name, schema) in definition.schema["properties"]?.object ?? [:] {
      properties[String(renamed("." + name).dropFirst())] = schema
    }
    definition.schema["properties"] = .object(properties)
    definition.schema["required"] = nil
    return definition
  }()
}
