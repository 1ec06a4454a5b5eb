internal import Documents
public import Resources
internal import Synchronization

extension KubernetesResourceBackend {
  /// Events that a watcher may be behind, beyond those it begins with.
  public static let watcherCapacity = 1_024

  public func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    let kind = try kind(resource)
    try check(options.fieldSelector, kind)
    if let since = resourceVersion {
      // A server tells of a version that it does not know in the midst of the stream; here it is refused at once.
      var single = options
      single.limit = 1
      _ = try await client.list(kind, single, .exactly(since)) { _ in }
      return stream(kind, options, beginningWith: [], after: since)
    }
    if let cache, followed.contains(resource) {
      await catchUp(resource, cache)
      return try await cache.watch(resource, options)
    }
    var all = options
    all.limit = nil
    let list = try await listed(kind, all)
    let events = list.items.map {
      WatchEvent(
        change: .added, object: $0, resourceVersion: UInt64($0.metadata.resourceVersion) ?? list.resourceVersion)
    }
    return stream(
      kind, options, beginningWith: events + [ClusterCache.bookmark(kind, list.resourceVersion)],
      after: list.resourceVersion)
  }

  private func check(_ selector: FieldSelector?, _ kind: ResourceDefinition) throws(APIStatus) {
    for requirement in selector?.requirements ?? [] {
      let path = requirement.path
      guard
        path == "metadata.name" || path == "metadata.namespace" || kind.selectableFields.contains(path)
          || kind.isBuiltIn
      else { throw .badRequest("field label not supported: \(path)") }
    }
  }

  /// Who has written sees what was written: the follower is given a moment to hear of it.
  private func catchUp(_ resource: ResourceName, _ cache: ClusterCache) async {
    let wanted = lastWritten(resource)
    let deadline = ContinuousClock.now + .seconds(3)
    while await cache.newest(resource) < wanted, client.isReachable, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  /// A watch of the server's that is resumed where it ends; over with an error event, or when nobody listens.
  private func stream(
    _ kind: ResourceDefinition, _ options: ListOptions, beginningWith events: [WatchEvent], after version: UInt64
  ) -> AsyncStream<WatchEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: WatchEvent.self, bufferingPolicy: .bufferingOldest(events.count + Self.watcherCapacity + 1))
    for event in events { continuation.yield(event) }
    let last = Mutex(version)
    // Cancelled with the stream.
    let task = Task { [client] in
      var backoff = Backoff(first: client.tuning.firstPause, longest: client.tuning.longestPause)
      while !Task.isCancelled {
        let began = ContinuousClock.now
        do throws(APIStatus) {
          try await client.watch(kind, options, .after(last.withLock { $0 })) { news in
            last.withLock { $0 = max($0, news.event.resourceVersion) }
            return Self.hand(news.event, to: continuation)
          }
        } catch {
          guard error.isUnreachable || error.code == 429 || error.code >= 500 && error.code != 504 else {
            continuation.yield(WatchEvent(change: .error, object: error.json, resourceVersion: last.withLock { $0 }))
            return continuation.finish()
          }
        }
        // What ends as it begins is given time.
        if ContinuousClock.now - began > .seconds(5) { backoff.reset() }
        try? await Task.sleep(for: backoff.next(random: .random(in: 0...1)))
      }
    }
    continuation.onTermination = { _ in task.cancel() }
    return stream
  }

  /// Whether the watcher keeps up; one that does not is told so and cut off.
  private static func hand(_ event: WatchEvent, to continuation: AsyncStream<WatchEvent>.Continuation) -> Bool {
    switch continuation.yield(event) {
    case .enqueued(let remaining) where remaining <= 1:
      let status = APIStatus.expired("the watcher did not keep up: list again and watch from there")
      continuation.yield(
        WatchEvent(change: .error, object: status.json, resourceVersion: event.resourceVersion))
      continuation.finish()
      return false
    case .enqueued: return true
    default: return false
    }
  }
}
