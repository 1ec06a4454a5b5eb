package import Documents
package import Resources

extension TwinAggregate {
  package func create(
    _ resource: ResourceName, namespace: String, _ object: JSONValue, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource)
    throw notAllowed("a Twin comes with its Device: create the Device")
  }

  package func delete(
    _ resource: ResourceName, _ key: ObjectKey, _ options: DeleteOptions
  ) async throws(APIStatus) -> (object: JSONValue, isGone: Bool) {
    try check(resource)
    throw notAllowed("a Twin goes with its Device: delete the Device")
  }

  private func notAllowed(_ message: String) -> APIStatus {
    APIStatus(code: 405, reason: "MethodNotAllowed", message: message, group: kind.group, kind: kind.plural)
  }

  package func update(
    _ resource: ResourceName, _ key: ObjectKey, _ object: JSONValue, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource, subresource)
    return try await write(key, options) { holder, shown throws(APIStatus) in
      try await holder.update(key, try original(object, shown, key), options)
    }
  }

  package func patch(
    _ resource: ResourceName, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource, subresource)
    return try await write(key, options) { holder, shown throws(APIStatus) in
      let translated: Patch
      switch patch {
      case .merge(let document): translated = .merge(try original(document, shown, key))
      case .json(let operations): translated = .json(try original(operations: operations, shown, key))
      case .apply(let configuration, let force):
        translated = .apply(try original(configuration, shown, key), force: force)
      }
      return try await holder.patch(key, translated, options)
    }
  }

  package func get(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem]
  ) async throws(APIStatus) -> JSONValue {
    try check(resource)
    return try await asked(key) { holder, _ throws(APIStatus) in try await holder.get(key, subresource, query) }
  }

  package func create(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource)
    return try await asked(key) { holder, _ throws(APIStatus) in
      try await holder.create(key, subresource, object, options)
    }
  }

  // MARK: Versions

  /// A body as its gateway understands it: the version that it makes itself conditional on is the gateway's own.
  private func original(_ body: JSONValue, _ shown: MergedTwins.Shown, _ key: ObjectKey) throws(APIStatus) -> JSONValue
  {
    guard let text = body[path: "metadata", "resourceVersion"], !text.isNull, text != "" else { return body }
    var body = body
    var metadata = body["metadata"] ?? [:]
    metadata["resourceVersion"] = try original(version: text, shown, key)
    body["metadata"] = metadata
    return body
  }

  private func original(operations: JSONValue, _ shown: MergedTwins.Shown, _ key: ObjectKey) throws(APIStatus)
    -> JSONValue
  {
    // What is no list its gateway refuses.
    guard let list = operations.array else { return operations }
    var translated: [JSONValue] = []
    for var operation in list {
      if operation["path"] == "/metadata/resourceVersion", let text = operation["value"] {
        operation["value"] = try original(version: text, shown, key)
      }
      translated.append(operation)
    }
    return .array(translated)
  }

  private func original(version: JSONValue, _ shown: MergedTwins.Shown, _ key: ObjectKey) throws(APIStatus)
    -> JSONValue
  {
    guard version.string == "\(shown.version)" else { throw .conflict(kind.name, name: key.name) }
    return .string("\(shown.origin)")
  }

  // MARK: Asking

  private func write(
    _ key: ObjectKey, _ options: WriteOptions,
    _ body: (any TwinHolder, MergedTwins.Shown) async throws(APIStatus) -> WriteResult
  ) async throws(APIStatus) -> WriteResult {
    var asked: MergedTwins.Shown?
    var result = try await self.asked(key) { holder, shown throws(APIStatus) in
      asked = shown
      return try await body(holder, shown)
    }
    guard var shown = asked else { return result }
    // Whoever reads next reads what was written.
    if !options.isDryRun { change { $0.put(result.object, from: shown.gateway) } }
    let origin = UInt64(result.object.metadata.resourceVersion)
    if let now = read({ $0.shown[key] }), now.gateway == shown.gateway, now.origin == origin { shown = now }
    result.object = MergedTwins.shown(result.object, shown, version: shown.version)
    return result
  }

  private func asked<Result>(
    _ key: ObjectKey, _ body: (any TwinHolder, MergedTwins.Shown) async throws(APIStatus) -> Result
  ) async throws(APIStatus) -> Result {
    let (holder, shown) = try holder(of: key)
    do throws(APIStatus) {
      let result = try await body(holder, shown)
      note(.answered)
      return result
    } catch {
      throw refusal(error, key, shown.gateway)
    }
  }

  /// What a gateway's refusal means to who asks this server.
  private func refusal(_ error: APIStatus, _ key: ObjectKey, _ gateway: String) -> APIStatus {
    switch (error.code, error.reason) {
    case (_, "ServerUnreachable"):
      note(.unreachable)
      return Self.unavailable(kind, key, "its gateway cannot be asked: \(error.message)")
    case (401, _):
      // Its word about this server, and none about the user.
      note(.unreachable)
      return Self.unavailable(
        kind, key,
        "gateway \"\(gateway)\" does not take this server's certificate: its authority is not the one of --twins-tls")
    default:
      note(.refused)
      return error
    }
  }
}
