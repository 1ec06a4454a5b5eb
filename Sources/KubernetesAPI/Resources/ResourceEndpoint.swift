internal import Documents
internal import Resources

/// One kind at one address: answers every verb through the kind's backend.
struct ResourceEndpoint: Sendable {
  let kind: Catalogue.Entry
  let backend: any ResourceBackend
  let path: ResourcePath
  let gauge: WatchGauge
  let now: @Sendable () -> Timestamp

  var definition: ResourceDefinition { kind.definition }
  var resource: ResourceName { definition.name }
  var namespace: String { path.namespace ?? "" }

  func reply(to call: APICall) async throws(APIStatus) -> APIReply {
    switch try verb(of: call) {
    case .get(let name): return try await get(name, call)
    case .list: return try await list(call)
    case .watch: return try await watch(call)
    case .create: return try await create(call)
    case .update(let name): return try await update(name, call)
    case .patch(let name): return try await patch(name, call)
    case .delete(let name): return try await delete(name, call)
    case .deleteCollection: return try await deleteCollection(call)
    case .getPart(let name, let subresource): return try await getPart(name, subresource, call)
    case .createPart(let name, let subresource): return try await createPart(name, subresource, call)
    }
  }

  enum Verb: Equatable {
    case get(String), list, watch, create, update(String), patch(String), delete(String), deleteCollection
    case getPart(String, NamedSubresource), createPart(String, NamedSubresource)

    /// As a ResourceDefinition lists it.
    var text: String {
      switch self {
      case .get, .getPart: "get"
      case .list: "list"
      case .watch: "watch"
      case .create, .createPart: "create"
      case .update: "update"
      case .patch: "patch"
      case .delete: "delete"
      case .deleteCollection: "deletecollection"
      }
    }
  }

  /// What the call asks for: 404 where the address cannot exist for this kind, 405 where the verb is not served.
  func verb(of call: APICall) throws(APIStatus) -> Verb {
    if let subresource = path.subresource {
      if let named = definition.subresources.first(where: { $0.name == subresource }) {
        return try verb(of: call, named: named)
      }
      guard let subresource = Subresource(rawValue: subresource), definition.has(subresource) else { throw .noSuchPath }
      guard subresource != .finalize || call.method == .put else { throw .methodNotAllowed }
    }
    guard definition.isNamespaced || path.namespace == nil else { throw .noSuchPath }
    guard let method = call.method else { throw .methodNotAllowed }
    let verb: Verb
    if let name = path.name {
      guard path.namespace != nil || !definition.isNamespaced else { throw .noSuchPath }
      switch method {
      case .get: verb = call.query.flag("watch") && path.subresource == nil ? .watch : .get(name)
      case .put: verb = .update(name)
      case .patch: verb = .patch(name)
      case .delete where path.subresource == nil: verb = .delete(name)
      case .delete, .post: throw .methodNotAllowed
      }
    } else {
      let isWhole = path.namespace != nil || !definition.isNamespaced
      switch method {
      case .get: verb = call.query.flag("watch") ? .watch : .list
      case .post where isWhole: verb = .create
      case .delete where isWhole: verb = .deleteCollection
      case .put, .patch, .post, .delete: throw .methodNotAllowed
      }
    }
    guard definition.verbs.contains(verb.text) else { throw .methodNotAllowed }
    return verb
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

  var subresource: Subresource? { path.subresource.flatMap(Subresource.init(rawValue:)) }
}
