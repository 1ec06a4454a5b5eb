internal import Documents
internal import Logging
internal import Resources

/// Keeps in the cache the Secrets that other objects refer to, each by `get` of its name: nothing is listed and nothing
/// watched, so that a role needs no more than `get` of those names.
///
/// They are read when a reference appears, when what refers to them changes, and again after some time.
struct SecretFollower: Sendable {
  let client: KubernetesClient
  let cache: ClusterCache
  let kind: ResourceDefinition
  /// The kinds that may refer to Secrets; all of them are followed.
  let referrers: [ResourceName]
  /// Where Secrets may be read; nil: wherever one is referred to.
  let namespaces: Set<String>?
  let logger: Logger

  private var scope: ScopeName { ScopeName(resource: kind.name, index: 0) }

  /// Follows until the task is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
      for referrer in referrers {
        group.addTask {
          while !Task.isCancelled {
            if let events = try? await cache.watch(referrer, ListOptions()) {
              for await event in events where event.change != .error { signal.yield() }
            }
            try? await Task.sleep(for: .seconds(1))
          }
        }
      }
      group.addTask {
        // Ends with the group: a tick now and then, and jitter so that gateways do not ask together.
        while !Task.isCancelled {
          try? await Task.sleep(for: client.tuning.secretPeriod * Double.random(in: 0.8...1.2))
          signal.yield()
        }
      }
      group.addTask {
        for referrer in referrers { await cache.waitUntilSettled(referrer) }
        var backoff = Backoff(first: client.tuning.firstPause, longest: .seconds(60))
        var retry: Task<Void, Never>?
        for await _ in changes {
          // A reference seldom comes alone.
          try? await Task.sleep(for: .milliseconds(100))
          // Cancelled below, and by the next round.
          retry?.cancel()
          if await read() {
            backoff.reset()
          } else {
            let pause = backoff.next(random: .random(in: 0...1))
            retry = Task {
              guard (try? await Task.sleep(for: pause)) != nil else { return }
              signal.yield()
            }
          }
        }
        retry?.cancel()
      }
      await group.waitForAll()
    }
  }

  /// One round; false where a Secret is not to be had yet.
  private func read() async -> Bool {
    var wanted: Set<ObjectKey> = []
    for referrer in referrers {
      for object in (try? await cache.objects(referrer)) ?? [] { wanted.formUnion(SecretReferences.of(object)) }
    }
    if let namespaces { wanted = wanted.filter { namespaces.contains($0.namespace) } }
    var isAnswered = true
    var isComplete = true
    for key in wanted.sorted() {
      do throws(APIStatus) {
        let secret = try await client.get(kind, key)
        await cache.put(secret, UInt64(secret.metadata.resourceVersion) ?? 0, in: scope)
      } catch {
        isComplete = false
        switch error.code {
        case 404: await cache.confirmGone(key, last: nil, await cache.newest(kind.name), in: scope)
        case 401, 403:
          logger.warning(
            "a Secret may not be read: grant `get` of it by a Role in its namespace",
            metadata: ["secret": "\(key)", "error": "\(error.message)"])
        default: isAnswered = false
        }
      }
    }
    for key in await cache.keys(kind.name).subtracting(wanted) {
      await cache.confirmGone(key, last: nil, await cache.newest(kind.name), in: scope)
    }
    if isAnswered { _ = await cache.reached(await cache.newest(kind.name), in: scope, epoch: await cache.epoch) }
    await cache.settle(scope, isLive: isAnswered)
    return isComplete
  }
}
