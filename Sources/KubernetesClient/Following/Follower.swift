internal import Documents
package import Logging
package import Resources
internal import Synchronization

/// Keeps a copy of one scope of a kind as the server has it: from the version that the copy came to, or from a whole
/// list where there is none, or where the server has forgotten it (410).
///
/// A watch that ends is begun anew where it stopped; trouble makes growing, jittered pauses.
package struct Follower: Sendable {
  let client: KubernetesClient
  let cache: any FollowedCopy
  let kind: ResourceDefinition
  let scope: ScopeName
  /// All scopes of the kind, this one among them: where an object may have moved to.
  let selections: [ListOptions]
  let logger: Logger

  package init(
    client: KubernetesClient, cache: any FollowedCopy, kind: ResourceDefinition, scope: ScopeName,
    selections: [ListOptions], logger: Logger
  ) {
    self.client = client
    self.cache = cache
    self.kind = kind
    self.scope = scope
    self.selections = selections
    self.logger = logger
  }

  private var options: ListOptions { selections[scope.index] }

  /// What one pass came to.
  private final class Progress: Sendable {
    struct State {
      var version: UInt64?
      /// What a list that is under way has shown; nil: none is.
      var seen: Set<ObjectKey>?
      /// Whether the server has said anything worth going on with.
      var isGood = false
      /// Whether the list that was asked for as a watch has ended.
      var hasListed = false
    }
    let state: Mutex<State>
    let epoch: Int
    init(version: UInt64?, epoch: Int, lists: Bool) {
      state = Mutex(State(version: version, seen: lists ? [] : nil))
      self.epoch = epoch
    }
  }

  /// Follows until the task is cancelled.
  package func run() async {
    var backoff = Backoff(first: client.tuning.firstPause, longest: client.tuning.longestPause)
    var usesWatchList = client.tuning.usesWatchList
    var isTold = false
    while !Task.isCancelled {
      let epoch = await cache.epoch
      let version = await cache.version(scope)
      let progress = Progress(version: version, epoch: epoch, lists: version == nil)
      let began = ContinuousClock.now
      var fault: APIStatus?
      do throws(APIStatus) {
        if version == nil, !usesWatchList { try await list(progress) }
        try await watch(progress)
      } catch {
        fault = error
      }
      let outcome = progress.state.withLock { $0 }
      let lasted = ContinuousClock.now - began
      if outcome.hasListed || outcome.isGood && lasted > .seconds(5) {
        backoff.reset()
        isTold = false
      }
      if version == nil, usesWatchList, !outcome.hasListed, [nil, 400, 422].contains(fault?.code), !Task.isCancelled {
        // A server that does not know of lists as watches says so (422), or says nothing.
        logger.info("lists are asked for page by page", metadata: ["resource": "\(scope.resource)"])
        usesWatchList = false
        continue
      }
      guard let fault else {
        // In order; but a server that ends every watch at once is given time.
        if lasted < .seconds(1) { try? await Task.sleep(for: backoff.next(random: .random(in: 0...1))) }
        continue
      }
      if fault.isExpired {
        // Compacted, or of another time of the cluster: everything is read again.
        await cache.forgetVersion(scope)
      } else if !fault.isUnreachable, !isTold {
        logger.warning(
          "watch refused", metadata: ["resource": "\(scope.resource)", "error": "\(fault.message)"])
        isTold = true
      }
      await cache.settle(scope, isLive: false)
      try? await Task.sleep(for: backoff.next(random: .random(in: 0...1)))
    }
  }

  // MARK: A list, page by page

  private func list(_ progress: Progress) async throws(APIStatus) {
    var page = options
    page.limit = client.tuning.pageSize
    var version: UInt64 = 0
    repeat {
      let read = try await client.list(kind, page) { object in await take(object, progress) }
      version = read.version
      page.continueToken = read.continueToken
    } while page.continueToken != nil
    try await finishList(progress, version)
  }

  private func take(_ object: JSONValue, _ progress: Progress) async {
    guard let version = UInt64(object.metadata.resourceVersion) else { return }
    progress.state.withLock { _ = $0.seen?.insert(object.objectKey) }
    await cache.put(object, version, in: scope)
  }

  /// What the scope knew and the list did not show is gone from it.
  private func finishList(_ progress: Progress, _ version: UInt64) async throws(APIStatus) {
    let seen = progress.state.withLock { state in
      defer { state.seen = nil }
      return state.seen ?? []
    }
    for key in await cache.missing(besides: seen, in: scope).sorted() {
      try await gone(key, last: nil, version)
    }
    progress.state.withLock {
      $0.version = version
      $0.hasListed = true
      $0.isGood = true
    }
    await cache.settle(scope, isLive: true)
    guard await cache.reached(version, in: scope, epoch: progress.epoch) else { throw Self.unkept }
  }

  /// News were lost on their way to the disk.
  private static let unkept = APIStatus(code: 507, reason: "InternalError", message: "the copy lost news")

  // MARK: The watch

  private func watch(_ progress: Progress) async throws(APIStatus) {
    let (version, lists) = progress.state.withLock { ($0.version, $0.seen != nil) }
    let fault = Mutex<APIStatus?>(nil)
    let start: WatchStart = if let version, !lists { .after(version) } else { .initialEvents }
    try await client.watch(
      kind, options, start,
      opened: {
        if start == .initialEvents { return }
        progress.state.withLock { $0.isGood = true }
        await cache.settle(scope, isLive: true)
      },
      take: { event in
        do throws(APIStatus) {
          try await take(event, progress)
          return true
        } catch {
          fault.withLock { $0 = error }
          return false
        }
      })
    if let fault = fault.withLock({ $0 }) { throw fault }
  }

  private func take(_ news: ServerEvent, _ progress: Progress) async throws(APIStatus) {
    let event = news.event
    switch event.change {
    case .added, .modified: await take(event.object, progress)
    case .deleted: try await gone(event.object.objectKey, last: event.object, event.resourceVersion)
    case .bookmark:
      if progress.state.withLock({ $0.seen != nil }) {
        if news.endsInitialEvents { try await finishList(progress, event.resourceVersion) }
        return
      }
    case .error: return
    }
    // While a list is under way, its objects are of no order: there is no version to go on from yet.
    guard progress.state.withLock({ $0.seen == nil }) else { return }
    progress.state.withLock { $0.isGood = true }
    guard await cache.reached(event.resourceVersion, in: scope, epoch: progress.epoch) else { throw Self.unkept }
  }

  /// An object left the scope. Where it may be in another one by now, the server is asked, so that a Device that is
  /// assigned to this node does not go and come back.
  private func gone(_ key: ObjectKey, last: JSONValue?, _ version: UInt64) async throws(APIStatus) {
    guard await cache.remove(key, last: last, version, in: scope) else { return }
    do throws(APIStatus) {
      let object = try await client.get(kind, key)
      let known = UInt64(object.metadata.resourceVersion) ?? version
      if let index = selections.firstIndex(where: { $0.selects(object) }) {
        await cache.put(object, known, in: ScopeName(resource: scope.resource, index: index))
        _ = index == scope.index ? false : await cache.remove(key, last: last, version, in: scope)
      } else {
        await cache.confirmGone(key, last: object, known, in: scope)
      }
    } catch {
      guard error.code == 404 else { throw error }
      await cache.confirmGone(key, last: last, version, in: scope)
    }
  }
}
