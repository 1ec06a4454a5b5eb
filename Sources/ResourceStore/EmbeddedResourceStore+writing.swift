public import Documents
public import Resources
internal import SQLite

extension EmbeddedResourceStore {
  public func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    let kind = try kind(resource, verb: "create")
    return try await writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
      try batch.create(kind, namespace: namespace, object, options)
    }
  }

  public func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    let kind = try kind(resource, verb: "update")
    try check(subresource, of: kind)
    return try await writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
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
  ) async throws(APIStatus) -> WriteResult {
    let kind = try kind(resource, verb: "patch")
    try check(subresource, of: kind)
    return try await writing(isDryRun: options.isDryRun) { batch throws(APIStatus) in
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
    guard subresource.map({ kind.definition.has($0) }) ?? true else { throw .noSuchPath }
  }
}
