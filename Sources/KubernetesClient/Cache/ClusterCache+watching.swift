internal import Documents
internal import Resources

extension ClusterCache {
  /// Events that a watcher may be behind, beyond those it begins with.
  static let capacity = 1_024

  /// One who watches a kind.
  struct Subscriber {
    let options: ListOptions
    let continuation: AsyncStream<WatchEvent>.Continuation
    /// What it was shown; kept where selectors can take an object out of its sight.
    var shown: Set<ObjectKey>?
  }

  /// An ADDED for every object that is known, a bookmark, then the changes; from the newest version (any other is
  /// Expired) the changes alone. Waits for the kind to be settled; one that does not keep up is cut off with 410.
  func watch(_ resource: ResourceName, _ options: ListOptions, since: UInt64? = nil) async throws(APIStatus)
    -> AsyncStream<WatchEvent>
  {
    await waitUntilSettled(resource)
    guard let kind = kinds[resource] else { throw .noSuchPath }
    if let since, since != kind.newest {
      throw .expired("too old resource version: \(since) (\(kind.newest))")
    }
    let objects = try objects(resource).filter(options.selects)
    let (stream, continuation) = AsyncStream.makeStream(
      of: WatchEvent.self, bufferingPolicy: .bufferingOldest(objects.count + Self.capacity + 2))
    for object in objects where since == nil {
      continuation.yield(
        WatchEvent(
          change: .added, object: object, resourceVersion: UInt64(object.metadata.resourceVersion) ?? kind.newest))
    }
    if since == nil { continuation.yield(Self.bookmark(kind.definition, kind.newest)) }
    nextSubscriber += 1
    let id = nextSubscriber
    let hasSelectors = options.labelSelector != nil || options.fieldSelector != nil
    kinds[resource]?.subscribers[id] = Subscriber(
      options: options, continuation: continuation, shown: hasSelectors ? Set(objects.map(\.objectKey)) : nil)
    continuation.onTermination = { [weak self] _ in
      // Ends by itself at once.
      Task { await self?.forget(id, of: resource) }
    }
    return stream
  }

  private func forget(_ id: UInt64, of resource: ResourceName) { kinds[resource]?.subscribers[id] = nil }

  static func bookmark(_ definition: ResourceDefinition, _ version: UInt64) -> WatchEvent {
    WatchEvent(
      change: .bookmark,
      object: [
        "kind": .string(definition.kind), "apiVersion": .string(definition.apiVersion),
        "metadata": ["resourceVersion": .string(String(version))],
      ], resourceVersion: version)
  }

  func tell(_ resource: ResourceName, _ change: WatchEvent.Change, _ object: JSONValue, _ version: UInt64) {
    guard let subscribers = kinds[resource]?.subscribers, !subscribers.isEmpty else { return }
    let key = object.objectKey
    let event = WatchEvent(change: change, object: object, resourceVersion: version)
    for (id, subscriber) in subscribers {
      var seen = event
      if let shown = subscriber.shown {
        let wasIn = shown.contains(key)
        let isIn = change != .deleted && subscriber.options.selects(object)
        guard wasIn || isIn else { continue }
        let change: WatchEvent.Change = wasIn ? (isIn ? .modified : .deleted) : .added
        seen = WatchEvent(change: change, object: object, resourceVersion: version)
        if isIn {
          kinds[resource]?.subscribers[id]?.shown?.insert(key)
        } else {
          kinds[resource]?.subscribers[id]?.shown?.remove(key)
        }
      } else if !subscriber.options.selects(object) {
        continue
      }
      switch subscriber.continuation.yield(seen) {
      case .enqueued(let remaining) where remaining <= 1:
        let status = APIStatus.expired("the watcher did not keep up: list again and watch from there")
        subscriber.continuation.yield(WatchEvent(change: .error, object: status.json, resourceVersion: version))
        subscriber.continuation.finish()
        kinds[resource]?.subscribers[id] = nil
      case .enqueued: break
      default: kinds[resource]?.subscribers[id] = nil
      }
    }
  }
}

extension ListOptions {
  /// Whether a list or watch with these options shows the object.
  func selects(_ object: JSONValue) -> Bool {
    let metadata = object.metadata
    if let namespace, !namespace.isEmpty, metadata.namespace != namespace { return false }
    if let labelSelector, !labelSelector.matches(metadata.labels) { return false }
    return fieldSelector?.matches(object) ?? true
  }
}
