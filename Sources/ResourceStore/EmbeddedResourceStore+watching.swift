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
      initial.limit = InitialObjects.pageSize
      initial.continueToken = nil
      let first = try list(resource, initial)
      let last = WatchEvent(change: .bookmark, object: bookmark(resource, version), resourceVersion: version)
      guard first.continueToken != nil else {
        let events = first.items.map { InitialObjects.added($0, version) } + [last]
        return watchers.add(resource, filter, beginningWith: events, told: version)
      }
      let live = watchers.add(resource, filter, beginningWith: [], told: version)
      let start = InitialObjects(store: self, resource: resource, options: initial, page: first, end: last, live: live)
      return AsyncStream { await start.next() }
    }
    guard since >= compacted else { throw .expired("too old resource version: \(since) (\(compacted))") }
    guard since <= version else {
      throw APIStatus(
        code: 504, reason: "Timeout", message: "Too large resource version: \(since), current: \(version)",
        causes: [
          APIStatus.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")
        ], retryAfterSeconds: 1)
    }
    let held = recent.changes(of: resource, after: since)
    let missed = if let held { held } else { try guarded { try table.changes(of: resource, after: since) } }
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
