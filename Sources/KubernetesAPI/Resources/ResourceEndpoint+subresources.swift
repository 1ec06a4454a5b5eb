internal import Documents
internal import Resources

extension ResourceEndpoint {
  /// What a call to a named subresource asks for; 405 where the subresource lacks the verb.
  func verb(of call: APICall, named subresource: NamedSubresource) throws(APIStatus) -> Verb {
    guard let name = path.name, path.namespace != nil || !definition.isNamespaced else { throw .noSuchPath }
    switch call.method {
    case .get where subresource.verbs.contains(.get): return .getPart(name, subresource)
    case .post where subresource.verbs.contains(.create): return .createPart(name, subresource)
    default: throw .methodNotAllowed
    }
  }

  private func subresourceBackend() throws(APIStatus) -> any SubresourceBackend {
    guard let backend = backend as? any SubresourceBackend else { throw .noSuchPath }
    return backend
  }

  func getPart(_ name: String, _ subresource: NamedSubresource, _ call: APICall) async throws(APIStatus) -> APIReply {
    guard case .object = try Representation(accept: call.accept) else { throw .notAcceptable }
    let query = call.query.items.map { QueryItem(name: $0.name, value: $0.value) }
    let object = try await subresourceBackend().get(resource, key(name), subresource: subresource, query)
    return .json(object, pretty: call.query.flag("pretty"))
  }

  func createPart(_ name: String, _ subresource: NamedSubresource, _ call: APICall) async throws(APIStatus) -> APIReply
  {
    guard case .object = try Representation(accept: call.accept) else { throw .notAcceptable }
    let options = try WriteParameters.read(call, kind: "CreateOptions")
    let document = try RequestBodyReader.object(call)
    let warnings = try duplicates(in: document, options)
    let object = try identified(document.value, name: name, kind: subresource.kind)
    let result = try await subresourceBackend().create(resource, key(name), subresource: subresource, object, options)
    var reply = APIReply.json(result.object, code: result.isCreated ? 201 : 200, pretty: call.query.flag("pretty"))
    reply.add(warnings: warnings + result.warnings)
    return reply
  }
}
