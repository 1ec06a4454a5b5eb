/// The built-in kinds whose protobuf form is read, by apiVersion and kind. The numbers are those of the published
/// generated.proto of each group.
enum KindShapes {
  static let all: [String: ProtobufShape] = [
    "v1/Namespace": object([
      2: ("spec", .message(ProtobufShape([1: ("finalizers", .strings)]))),
      3: (
        "status",
        .message(ProtobufShape([1: ("phase", .string), 2: ("conditions", .messages(MetaShapes.condition))]))
      ),
    ]),
    "v1/ConfigMap": object([2: ("data", .map), 3: ("binaryData", .byteMap), 4: ("immutable", .bool)]),
    "v1/Secret": object([
      2: ("data", .byteMap), 3: ("type", .string), 4: ("stringData", .map), 5: ("immutable", .bool),
    ]),
    "v1/Event": object([
      2: ("involvedObject", .message(objectReference)), 3: ("reason", .string), 4: ("message", .string),
      5: ("source", .message(eventSource)), 6: ("firstTimestamp", .time), 7: ("lastTimestamp", .time),
      8: ("count", .integer), 9: ("type", .string), 10: ("eventTime", .microTime),
      11: ("series", .message(eventSeries)), 12: ("action", .string), 13: ("related", .message(objectReference)),
      14: ("reportingComponent", .string), 15: ("reportingInstance", .string),
    ]),
    "events.k8s.io/v1/Event": object([
      2: ("eventTime", .microTime), 3: ("series", .message(eventSeries)), 4: ("reportingController", .string),
      5: ("reportingInstance", .string), 6: ("action", .string), 7: ("reason", .string),
      8: ("regarding", .message(objectReference)), 9: ("related", .message(objectReference)), 10: ("note", .string),
      11: ("type", .string), 12: ("deprecatedSource", .message(eventSource)), 13: ("deprecatedFirstTimestamp", .time),
      14: ("deprecatedLastTimestamp", .time), 15: ("deprecatedCount", .integer),
    ]),
    "coordination.k8s.io/v1/Lease": object([
      2: (
        "spec",
        .message(
          ProtobufShape([
            1: ("holderIdentity", .string), 2: ("leaseDurationSeconds", .integer), 3: ("acquireTime", .microTime),
            4: ("renewTime", .microTime), 5: ("leaseTransitions", .integer), 6: ("strategy", .string),
            7: ("preferredHolder", .string),
          ]))
      )
    ]),
    "authentication.k8s.io/v1/SelfSubjectReview": object([:]),
    "authorization.k8s.io/v1/SelfSubjectAccessReview": object([
      2: (
        "spec",
        .message(
          ProtobufShape([
            1: ("resourceAttributes", .message(resourceAttributes)),
            2: ("nonResourceAttributes", .message(ProtobufShape([1: ("path", .string), 2: ("verb", .string)]))),
          ]))
      )
    ]),
    "authorization.k8s.io/v1/SelfSubjectRulesReview": object([
      2: ("spec", .message(ProtobufShape([1: ("namespace", .string)])))
    ]),
  ]

  private static func object(_ fields: [Int: (name: String, kind: ProtobufShape.Kind)]) -> ProtobufShape {
    ProtobufShape(fields.merging([1: ("metadata", .message(MetaShapes.objectMeta))]) { field, _ in field })
  }

  private static let objectReference = ProtobufShape([
    1: ("kind", .string), 2: ("namespace", .string), 3: ("name", .string), 4: ("uid", .string),
    5: ("apiVersion", .string), 6: ("resourceVersion", .string), 7: ("fieldPath", .string),
  ])
  private static let eventSource = ProtobufShape([1: ("component", .string), 2: ("host", .string)])
  private static let eventSeries = ProtobufShape([1: ("count", .integer), 2: ("lastObservedTime", .microTime)])
  private static let resourceAttributes = ProtobufShape([
    1: ("namespace", .string), 2: ("verb", .string), 3: ("group", .string), 4: ("version", .string),
    5: ("resource", .string), 6: ("subresource", .string), 7: ("name", .string),
  ])
}
