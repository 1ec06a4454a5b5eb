internal import Documents
internal import Resources

extension WriteBatch {
  /// Server-side apply: creates the object where there is none.
  mutating func apply(
    _ kind: ServedKind, _ key: ObjectKey, _ body: JSONValue, force: Bool, _ subresource: Subresource?,
    _ options: WriteOptions
  ) throws(APIStatus) -> WriteResult {
    guard body.object != nil else { throw .badRequest("an apply patch must be one object") }
    guard !options.fieldManager.isEmpty else {
      throw .invalid(
        kind: "PatchOptions", group: "meta.k8s.io", name: "",
        causes: [
          APIStatus.Cause(
            reason: "FieldValueRequired", message: "Required value: is required for apply patch", field: "fieldManager")
        ])
    }
    guard body.metadata.managedFields?.array?.isEmpty ?? true else {
      throw .badRequest("metadata.managedFields must be nil")
    }
    for required in ["apiVersion", "kind"] where body[required]?.string == nil {
      throw .badRequest("an apply patch must say its \(required)")
    }
    guard body.metadata.name.isEmpty || body.metadata.name == key.name else {
      throw .badRequest(
        "the name of the object (\(body.metadata.name)) does not match the name on the URL (\(key.name))")
    }
    var configuration = kind.rules.folding(body.canonical)
    configuration.metadata.name = key.name
    configuration.metadata.managedFields = nil
    // What the other endpoint owns is not taken here.
    if subresource == .status {
      configuration = ["status": configuration["status"] ?? [:]]
    } else if kind.definition.hasStatus {
      configuration["status"] = nil
    }
    let manager = ManagedFields.Manager(
      name: options.fieldManager, operation: .apply, apiVersion: kind.definition.apiVersion,
      subresource: subresource?.rawValue)
    let live = try found(kind, key)
    if live == nil, subresource != nil { throw .notFound(kind.name, name: key.name) }
    if let live, !body.metadata.resourceVersion.isEmpty, body.metadata.resourceVersion != live.metadata.resourceVersion
    {
      throw .conflict(kind.name, name: key.name)
    }
    configuration.metadata.resourceVersion = ""
    let merged = try ServerSideApply.applying(
      configuration, to: live, schema: kind.schema, manager: manager, force: force, now: now)
    let context = ServedKind.Context(options: options, subresource: subresource, now: now)
    guard let live else {
      var (object, warnings) = try kind.creating(
        merged, namespace: key.namespace, context, uid: UniqueID.make(), suffix: UniqueID.suffix)
      try checkNamespace(for: object, kind)
      object.metadata.managedFields = merged.metadata.managedFields
      try put(kind, &object, previous: nil)
      return WriteResult(object: object, isCreated: true, warnings: warnings)
    }
    var (object, warnings) = try kind.updating(live, with: merged, context)
    object.metadata.managedFields = merged.metadata.managedFields
    return try finish(kind, live, object, warnings)
  }
}
