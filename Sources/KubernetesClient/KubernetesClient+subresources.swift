package import Documents
package import Resources

extension KubernetesClient {
  /// Reads a part of an object that has an address of its own.
  package func get(
    _ kind: ResourceDefinition, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem]
  ) async throws(APIStatus) -> JSONValue {
    try Self.object(
      try await connection.send(
        .get(
          ClientFigures.Call("get", "\(kind.plural)/\(subresource.name)"),
          kind.path(namespace: key.namespace, name: key.name, subresource: subresource.name),
          query.map { (APIRequest.encoded($0.name), $0.value) })), of: kind)
  }

  /// Sends one, once: it may do something that is not to be done twice.
  package func create(
    _ kind: ResourceDefinition, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try await write(
      APIRequest(
        call: ClientFigures.Call("create", "\(kind.plural)/\(subresource.name)"), method: "POST",
        path: kind.path(namespace: key.namespace, name: key.name, subresource: subresource.name),
        query: Self.query(options), contentType: "application/json", body: object.serialised(), isRepeatable: false),
      kind, options)
  }
}
