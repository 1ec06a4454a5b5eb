package import Documents

/// A backend that answers as its base does, but for what it answers itself. What the base is besides a
/// ``ResourceBackend``, such as an ``EncodedObjectSource``, is not passed on.
package protocol ForwardingBackend: ResourceBackend {
  var base: any ResourceBackend { get }
}

extension ForwardingBackend {
  package var definitions: [ResourceDefinition] { base.definitions }

  package func get(_ resource: ResourceName, _ key: ObjectKey) async throws(APIStatus) -> JSONValue {
    try await base.get(resource, key)
  }

  package func list(_ resource: ResourceName, _ options: ListOptions) async throws(APIStatus) -> ObjectList {
    try await base.list(resource, options)
  }

  package func create(_ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await base.create(resource, namespace: namespace, object, options)
  }

  package func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await base.update(resource, key, object, subresource: subresource, options)
  }

  package func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await base.patch(resource, key, patch, subresource: subresource, options)
  }

  package func delete(_ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions)
    async throws(APIStatus) -> (object: JSONValue, isGone: Bool)
  {
    try await base.delete(resource, key, options)
  }

  package func watch(_ resource: ResourceName, _ options: ListOptions, since resourceVersion: UInt64?)
    async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    try await base.watch(resource, options, since: resourceVersion)
  }
}
