package import Documents
package import KubernetesClient
package import Resources

/// One gateway, as the one that a twin's changes and parts are asked of.
package protocol TwinHolder: Sendable {
  func update(_ key: ObjectKey, _ object: JSONValue, _ options: WriteOptions) async throws(APIStatus) -> WriteResult
  func patch(_ key: ObjectKey, _ patch: Patch, _ options: WriteOptions) async throws(APIStatus) -> WriteResult
  func get(_ key: ObjectKey, _ part: NamedSubresource, _ query: [QueryItem]) async throws(APIStatus) -> JSONValue
  func create(_ key: ObjectKey, _ part: NamedSubresource, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
}

/// A gateway behind its own API.
package struct RemoteTwinHolder: TwinHolder {
  let client: KubernetesClient
  let kind: ResourceDefinition

  package init(client: KubernetesClient, kind: ResourceDefinition) {
    self.client = client
    self.kind = kind
  }

  package func update(_ key: ObjectKey, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await client.update(kind, key, object, subresource: nil, options)
  }

  package func patch(_ key: ObjectKey, _ patch: Patch, _ options: WriteOptions) async throws(APIStatus) -> WriteResult {
    try await client.patch(kind, key, patch, subresource: nil, options)
  }

  package func get(_ key: ObjectKey, _ part: NamedSubresource, _ query: [QueryItem])
    async throws(APIStatus) -> JSONValue
  {
    try await client.get(kind, key, subresource: part, query)
  }

  package func create(_ key: ObjectKey, _ part: NamedSubresource, _ object: JSONValue, _ options: WriteOptions)
    async throws(APIStatus) -> WriteResult
  {
    try await client.create(kind, key, subresource: part, object, options)
  }
}
