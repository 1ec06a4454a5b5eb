/// What all kinds share (apimachinery, meta/v1/generated.proto).
enum MetaShapes {
  static let objectMeta = ProtobufShape([
    1: ("name", .string), 2: ("generateName", .string), 3: ("namespace", .string), 4: ("selfLink", .string),
    5: ("uid", .string), 6: ("resourceVersion", .string), 7: ("generation", .integer),
    8: ("creationTimestamp", .time), 9: ("deletionTimestamp", .time), 10: ("deletionGracePeriodSeconds", .integer),
    11: ("labels", .map), 12: ("annotations", .map), 13: ("ownerReferences", .messages(ownerReference)),
    14: ("finalizers", .strings), 17: ("managedFields", .messages(managedFields)),
  ])

  private static let ownerReference = ProtobufShape([
    1: ("kind", .string), 3: ("name", .string), 4: ("uid", .string), 5: ("apiVersion", .string),
    6: ("controller", .bool), 7: ("blockOwnerDeletion", .bool),
  ])

  private static let managedFields = ProtobufShape([
    1: ("manager", .string), 2: ("operation", .string), 3: ("apiVersion", .string), 4: ("time", .time),
    6: ("fieldsType", .string), 7: ("fieldsV1", .json), 8: ("subresource", .string),
  ])

  static let condition = ProtobufShape([
    1: ("type", .string), 2: ("status", .string), 4: ("lastTransitionTime", .time), 5: ("reason", .string),
    6: ("message", .string),
  ])

  static let deleteOptions = ProtobufShape([
    1: ("gracePeriodSeconds", .integer),
    2: ("preconditions", .message(ProtobufShape([1: ("uid", .string), 2: ("resourceVersion", .string)]))),
    3: ("orphanDependents", .bool), 4: ("propagationPolicy", .string), 5: ("dryRun", .strings),
    6: ("ignoreStoreReadErrorWithClusterBreakingPotential", .bool),
  ])
}
