public import Documents
public import Resources

/// What a gateway knows of the cluster, to look at: on the node, with or without an API server. Nothing can be written
/// here, and Secrets are not shown.
public struct ClusterView: ResourceBackend {
  public let definitions: [ResourceDefinition]
  private let cache: ClusterCache

  /// Nil where the backend keeps nothing.
  public init?(_ backend: KubernetesResourceBackend) {
    guard let cache = backend.cache else { return nil }
    self.cache = cache
    let shown = backend.followed.subtracting(BuiltInKinds.confidential)
    definitions = backend.definitions.filter { shown.contains($0.name) }.map { definition in
      var definition = definition
      definition.verbs = ["get", "list", "watch"]
      return definition
    }
  }

  private func check(_ resource: ResourceName) throws(APIStatus) {
    guard definitions.contains(where: { $0.name == resource }) else { throw .noSuchPath }
  }

  public func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try check(resource)
    return try await cache.object(resource, key)
  }

  /// All of it, whatever the limit.
  public func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try check(resource)
    return ObjectList(
      items: try await cache.objects(resource).filter(options.selects), resourceVersion: await cache.newest(resource))
  }

  /// From nowhere or from the newest version; from any other one lists again.
  public func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    try check(resource)
    return try await cache.watch(resource, options, since: resourceVersion)
  }

  private static let readOnly = APIStatus(
    code: 405, reason: "MethodNotAllowed",
    message: "this gateway's resources are the cluster's: write to the cluster's API server")

  public func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  { throw Self.readOnly }

  public func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult { throw Self.readOnly }

  public func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult { throw Self.readOnly }

  public func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  { throw Self.readOnly }
}
