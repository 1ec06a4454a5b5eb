public import Documents
public import Resources
internal import SQLite

extension EmbeddedResourceStore {
  public func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    throws(APIStatus) -> WriteResult
  {
    let kind = try kind(resource, verb: "create")
    return try writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
      try batch.create(kind, namespace: namespace, object, options)
    }
  }

  public func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) throws(APIStatus) -> WriteResult {
    let kind = try kind(resource, verb: "update")
    try check(subresource, of: kind)
    return try writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
      let old = try batch.existing(kind, key)
      guard !object.metadata.resourceVersion.isEmpty else {
        throw .invalid(
          kind: kind.definition.kind, group: resource.group, name: key.name,
          causes: [
            APIStatus.Cause(
              reason: "FieldValueInvalid", message: "Invalid value: 0: must be specified for an update",
              field: "metadata.resourceVersion")
          ])
      }
      return try batch.replace(kind, old, with: object, subresource, options)
    }
  }

  public func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) throws(APIStatus) -> WriteResult {
    let kind = try kind(resource, verb: "patch")
    try check(subresource, of: kind)
    return try writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
      switch patch {
      case .merge(let changes):
        guard changes.object != nil else { throw .badRequest("a merge patch must be an object (RFC 7386)") }
        let old = try batch.existing(kind, key)
        return try batch.replace(kind, old, with: old.merging(changes), subresource, options)
      case .json(let operations):
        let old = try batch.existing(kind, key)
        return try batch.replace(
          kind, old, with: try JSONPatch.applying(operations, to: old), subresource, options)
      case .apply(let configuration, let force):
        return try batch.apply(kind, key, configuration, force: force, subresource, options)
      }
    }
  }

  private func check(_ subresource: Subresource?, of kind: ServedKind) throws(APIStatus) {
    guard subresource == nil || kind.definition.hasStatus else { throw .noSuchPath }
  }

  /// Runs `body` in one transaction. Its changes are published after the commit; of a dry run nothing remains.
  func writing<Result>(
    isDryRun: Bool, _ body: (inout WriteBatch) throws(APIStatus) -> Result
  ) throws(APIStatus) -> Result {
    var batch = WriteBatch(
      store: WriteBatch.Access(kinds: kinds, kindsByText: kindsByText, table: table), version: version, now: clock())
    try guarded { try table.connection.execute("BEGIN IMMEDIATE") }
    do {
      let result = try body(&batch)
      guard !isDryRun, !batch.changes.isEmpty else {
        try guarded { try table.connection.execute("ROLLBACK") }
        return result
      }
      try guarded {
        try table.setCounter("version", batch.version)
        try table.connection.execute("COMMIT")
      }
      version = batch.version
      for (resource, change) in batch.changes {
        cache.remove(ObjectCache.Place(resource: resource, key: change.object.objectKey))
        watchers.publish(change, of: resource)
      }
      keepLogShort()
      return result
    } catch {
      try? table.connection.execute("ROLLBACK")
      throw error
    }
  }
}
