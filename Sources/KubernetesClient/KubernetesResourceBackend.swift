public import Documents
public import Logging
public import Resources
internal import Synchronization

/// The second ``ResourceBackend``: resources live in a cluster, behind its API server.
///
/// Reads and writes go to the server. Kinds that are followed are in a cache on the disk besides: a watch of one from
/// nowhere is told what the cache holds and then the changes, and while the server is away reads are answered from it.
/// Secrets are never listed or watched: those that followed objects refer to are read by name.
public final class KubernetesResourceBackend: ResourceBackend {
  /// A kind to follow.
  public struct Following: Sendable {
    public var resource: ResourceName
    /// What is wanted of it; several where one selector cannot say it. Empty: everything.
    public var selectors: [FieldSelector]
    public init(_ resource: ResourceName, selectors: [FieldSelector] = []) {
      self.resource = resource
      self.selectors = selectors
    }
  }

  /// What is kept of the cluster, and where.
  public struct Keeping: Sendable {
    public var directory: String
    /// The key that Secrets are sealed under; made where there is none.
    public var secretKeyFile: String
    public var following: [Following]
    /// The followed kinds whose Secrets are read; empty: no Secrets are.
    public var secretReferrers: [ResourceName]
    /// Where Secrets may be read; nil: wherever one is referred to.
    public var secretNamespaces: Set<String>?
    public init(
      directory: String, secretKeyFile: String, following: [Following], secretReferrers: [ResourceName] = [],
      secretNamespaces: Set<String>? = nil
    ) {
      self.directory = directory
      self.secretKeyFile = secretKeyFile
      self.following = following
      self.secretReferrers = secretReferrers
      self.secretNamespaces = secretNamespaces
    }
  }

  public let definitions: [ResourceDefinition]
  let client: KubernetesClient
  let kinds: [ResourceName: ResourceDefinition]
  let cache: ClusterCache?
  let followed: Set<ResourceName>
  private let followers: [Follower]
  private let secrets: SecretFollower?
  private let trimmer: StatusTrimmer
  /// The newest version of each kind that a write of this backend was answered with.
  private let written = Mutex<[ResourceName: UInt64]>([:])

  /// - Parameters:
  ///   - definitions: the kinds to be spoken of; the server serves them at these groups and versions.
  ///   - keeping: nil: nothing is followed or kept.
  ///
  /// Throws ``CacheError`` where nothing can be kept.
  public init(client: KubernetesClient, definitions: [ResourceDefinition], keeping: Keeping? = nil, logger: Logger)
    throws(CacheError)
  {
    self.client = client
    self.definitions = definitions
    let kinds = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.kinds = kinds
    trimmer = StatusTrimmer(client: client, logger: logger)
    guard let keeping else {
      cache = nil
      self.followed = []
      followers = []
      secrets = nil
      return
    }
    var followed: [ClusterCache.Followed] = []
    var scopes: [(kind: ResourceDefinition, selections: [ListOptions])] = []
    for one in keeping.following {
      guard let kind = kinds[one.resource] else { continue }
      let selections: [ListOptions] =
        one.selectors.isEmpty ? [ListOptions()] : one.selectors.map { ListOptions(fieldSelector: $0) }
      followed.append(.init(definition: kind, selectors: selections.map { $0.fieldSelector?.text ?? "" }))
      scopes.append((kind, selections))
    }
    let secretKind = keeping.secretReferrers.isEmpty ? nil : kinds[BuiltInKinds.secrets.name]
    if let secretKind { followed.append(.init(definition: secretKind, selectors: [""])) }
    let cache = try ClusterCache.open(
      directory: keeping.directory, identity: client.connection.access.identity,
      secretKeyFile: keeping.secretKeyFile, followed: followed, logger: logger)
    self.cache = cache
    self.followed = Set(followed.map(\.definition.name))
    followers = scopes.flatMap { kind, selections in
      selections.indices.map { index in
        Follower(
          client: client, cache: cache, kind: kind, scope: ScopeName(resource: kind.name, index: index),
          selections: selections, logger: logger)
      }
    }
    secrets = secretKind.map {
      SecretFollower(
        client: client, cache: cache, kind: $0, referrers: keeping.secretReferrers,
        namespaces: keeping.secretNamespaces, logger: logger)
    }
  }

  /// Follows until the task is cancelled; then what is known is on the disk, and the connections are closed.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for follower in followers { group.addTask { await follower.run() } }
      if let secrets { group.addTask { await secrets.run() } }
      if let cache { group.addTask { await cache.run() } }
    }
    await cache?.flush()
    await client.close()
  }

  /// Whether the server answered when it was last asked.
  public var isReachable: Bool { client.isReachable }

  /// What was asked of the server, and what came of it.
  public var figures: ClientFigures { client.figures }

  // MARK: Reading

  func kind(_ resource: ResourceName) throws(APIStatus) -> ResourceDefinition {
    guard let kind = kinds[resource] else { throw .noSuchPath }
    return kind
  }

  public func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    let kind = try kind(resource)
    do throws(APIStatus) {
      return try await client.get(kind, key)
    } catch {
      guard error.isUnreachable, let cache, await cache.isSettled(resource) else { throw error }
      return try await cache.object(resource, key)
    }
  }

  public func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    let kind = try kind(resource)
    do throws(APIStatus) {
      return try await listed(kind, options)
    } catch {
      // The rest of a list, or one of a past version, is the server's to give.
      guard error.isUnreachable, options.continueToken == nil, options.exactVersion == nil, let cache,
        await cache.isSettled(resource)
      else { throw error }
      // All of it, whatever the limit: there is no server to hold a token for.
      return ObjectList(
        items: try await cache.objects(resource).filter(options.selects), resourceVersion: await cache.newest(resource))
    }
  }

  func listed(_ kind: ResourceDefinition, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    let items = Mutex<[JSONValue]>([])
    let page = try await client.list(kind, options, options.exactVersion.map { .exactly($0) } ?? .latest) { item in
      items.withLock { $0.append(item) }
    }
    return ObjectList(
      items: items.withLock { $0 }, resourceVersion: page.version, continueToken: page.continueToken,
      remainingItemCount: page.remainingItemCount)
  }

  // MARK: Writing

  public func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    noted(try await client.create(try kind(resource), namespace: namespace, object, options), resource)
  }

  public func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    noted(
      try await client.update(try kind(resource), key, object, subresource: subresource, options), resource)
  }

  public func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    let kind = try kind(resource)
    guard subresource == .status, case .apply(let configuration, let force) = patch else {
      return noted(try await client.patch(kind, key, patch, subresource: subresource, options), resource)
    }
    let status = configuration["status"]
    do throws(APIStatus) {
      return noted(try await applyStatus(configuration, force, kind, key, options), resource)
    } catch {
      // The cluster's kinds have changed since their schemas were read.
      guard status != nil, StatusTrimmer.isAboutField(error) else { throw error }
      await trimmer.forget(kind)
      return noted(try await applyStatus(configuration, force, kind, key, options), resource)
    }
  }

  private func applyStatus(
    _ configuration: JSONValue, _ force: Bool, _ kind: ResourceDefinition, _ key: ObjectKey, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    let (trimmed, removed) = await trimmer.trimmed(configuration, of: kind, among: definitions)
    var result = try await client.patch(kind, key, .apply(trimmed, force: force), subresource: .status, options)
    result.warnings += removed.map { "unknown field \"\($0)\"" }
    return result
  }

  /// The server tells of a deletion by a Status alone; the object as it was is read before.
  public func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    let kind = try kind(resource)
    let last = try await client.get(kind, key)
    let answer = try await client.delete(kind, key, options)
    guard answer["kind"]?.string == "Status" else {
      return (KubernetesClient.identified(answer, as: kind), false)
    }
    return (last, true)
  }

  private func noted(_ result: WriteResult, _ resource: ResourceName) -> WriteResult {
    if let version = UInt64(result.object.metadata.resourceVersion) {
      written.withLock { $0[resource] = max($0[resource] ?? 0, version) }
    }
    return result
  }

  /// The newest version that a write of this backend came to.
  func lastWritten(_ resource: ResourceName) -> UInt64 { written.withLock { $0[resource] ?? 0 } }
}
