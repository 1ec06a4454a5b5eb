internal import Documents
public import Resources

extension EmbeddedResourceStore {
  public func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let kind = try kind(resource, verb: "watch")
    try check(options.fieldSelector, kind)
    let filter = WatchFilter(options)
    guard let since = resourceVersion else {
      var initial = options
      initial.limit = nil
      initial.continueToken = nil
      var events = try list(resource, initial).items.map { object in
        WatchEvent(
          change: .added, object: object,
          resourceVersion: UInt64(object.metadata.resourceVersion) ?? version)
      }
      events.append(WatchEvent(change: .bookmark, object: bookmark(resource, version), resourceVersion: version))
      return watchers.add(resource, filter, beginningWith: events, told: version)
    }
    guard since >= compacted else { throw .expired("too old resource version: \(since) (\(compacted))") }
    guard since <= version else {
      throw APIStatus(
        code: 504, reason: "Timeout", message: "Too large resource version: \(since), current: \(version)",
        causes: [
          APIStatus.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")
        ], retryAfterSeconds: 1)
    }
    let missed = try guarded { try table.changes(of: resource, after: since) }
    return watchers.add(resource, filter, beginningWith: missed.compactMap { filter.event(for: $0) }, told: version)
  }

  nonisolated func bookmark(_ resource: ResourceName, _ version: UInt64) -> JSONValue {
    let definition = definitions.first { $0.name == resource }
    return [
      "kind": .string(definition?.kind ?? ""), "apiVersion": .string(definition?.apiVersion ?? ""),
      "metadata": ["resourceVersion": .string(String(version))],
    ]
  }
}
