internal import Documents
internal import Resources

/// Serves the core group's events as `events.k8s.io/v1` too: the same objects under other names of members.
struct EventsGroupBackend: ResourceBackend {
  /// Keeps the core group's events.
  let base: any ResourceBackend
  private let stored = EventForm.stored.name

  var definitions: [ResourceDefinition] { [EventForm.served] }

  func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    EventForm.served(try await base.get(stored, key))
  }

  func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    var list = try await base.list(stored, EventForm.stored(options))
    list.items = list.items.map { EventForm.served($0) }
    return list
  }

  func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    served(try await base.create(stored, namespace: namespace, EventForm.stored(object), options))
  }

  func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    served(try await base.update(stored, key, EventForm.stored(object), subresource: subresource, options))
  }

  func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    switch patch {
    case .merge(let document):
      return served(
        try await base.patch(
          stored, key, .merge(EventForm.stored(document)), subresource: subresource, options))
    case .apply(let document, let force):
      return served(
        try await base.patch(
          stored, key, .apply(EventForm.stored(document), force: force), subresource: subresource, options))
    case .json(let operations):
      // Its paths are of the served form: it is made on that, and holds for the version that it was made on.
      let current = try await get(resource, key)
      let patched = EventForm.stored(try JSONPatch.applying(operations, to: current))
      return served(try await base.update(stored, key, patched, subresource: subresource, options))
    }
  }

  func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    let (object, isGone) = try await base.delete(stored, key, options)
    return (EventForm.served(object), isGone)
  }

  func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let events = Renamed(try await base.watch(stored, EventForm.stored(options), since: resourceVersion))
    return AsyncStream { await events.next() }
  }

  private func served(_ result: WriteResult) -> WriteResult {
    var result = result
    result.object = EventForm.served(result.object)
    return result
  }
}

/// A stream's events in the served form, for one reader.
private actor Renamed {
  private var iterator: AsyncStream<WatchEvent>.Iterator

  init(_ events: AsyncStream<WatchEvent>) { iterator = events.makeAsyncIterator() }

  func next() async -> WatchEvent? {
    var iterator = iterator
    let event = await iterator.next(isolation: self)
    self.iterator = iterator
    return event.map { EventForm.served($0) }
  }
}
