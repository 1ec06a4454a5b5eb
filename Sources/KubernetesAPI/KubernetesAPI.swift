public import Documents
public import Logging
public import Resources

/// The Kubernetes-style API over any number of resource backends: discovery, OpenAPI, and every verb on every kind that
/// the backends define.
///
/// Who may do what is its ``AccessControl``'s to say. Add it to a router with ``register(on:)``.
public struct KubernetesAPI: Sendable {
  let catalogue: Catalogue
  let openAPI: OpenAPIDocuments
  let gauge: WatchGauge
  let now: @Sendable () -> Timestamp
  let version: String
  let requestGuard: LocalRequestGuard
  let access: AccessControl
  let logger: Logger

  /// - Parameters:
  ///   - backends: where resources live; of two that define the same kind the first serves it. Events of the core
  ///     group are served as `events.k8s.io/v1` too.
  ///   - now: the wall clock, for ages in tables.
  ///   - version: the daemon's version; shown as build metadata of the Kubernetes version.
  ///   - requestGuard: who may ask: by default those who address the gateway by a loopback name.
  ///   - access: who may do what, and where writes are put on record: by default everybody may do everything.
  ///   - maximumWatches: further ones are refused with 429.
  ///   - answersReviews: whether clients can ask who they are and what they may do; not where another server answers
  ///     that.
  public init(
    backends: [any ResourceBackend], now: @escaping @Sendable () -> Timestamp, version: String, logger: Logger,
    requestGuard: LocalRequestGuard = LocalRequestGuard(), access: AccessControl = AccessControl(),
    maximumWatches: Int = 1_024, answersReviews: Bool = true
  ) {
    let events = backends.first { $0.definitions.contains { $0.name == EventForm.stored.name } }
    catalogue = Catalogue(
      backends: backends + (events.map { [EventsGroupBackend(base: $0)] } ?? []),
      answersReviews: answersReviews)
    openAPI = OpenAPIDocuments(catalogue, version: version)
    gauge = WatchGauge(limit: maximumWatches)
    self.now = now
    self.version = version
    self.requestGuard = requestGuard
    self.access = access
    self.logger = logger
  }

  /// The largest body that is read: 3 MiB, as Kubernetes has it.
  static let maximumBodySize = 3 * 1024 * 1024

  /// Answers a call if its user may have an answer; errors come as a Status. A write goes on record.
  package func reply(to call: APICall) async -> APIReply {
    let attributes = AccessAttributes(call)
    let trail = attributes.isWrite ? self.trail(of: call, attributes) : nil
    let reply = await reply(to: call, attributes, trail)
    trail?.close(code: reply.code, reason: reply.reason)
    return reply
  }

  func trail(of call: APICall, _ attributes: AccessAttributes) -> WriteTrail {
    var entry = AuditEntry(time: now(), user: call.user, source: call.source, attributes: attributes)
    entry.isDryRun = !call.query.all("dryRun").allSatisfy(\.isEmpty)
    return WriteTrail(entry, access)
  }

  private func reply(to call: APICall, _ attributes: AccessAttributes, _ trail: WriteTrail?) async -> APIReply {
    do throws(APIStatus) {
      try access.authorize(call.user, attributes)
      guard let route = APIRoute(path: call.path) else { throw .noSuchPath }
      if case .resource(let path) = route { return try await resource(path, call, trail) }
      guard call.method == .get else { throw .methodNotAllowed }
      return try document(route, call)
    } catch {
      return .failure(error)
    }
  }

  private func resource(_ path: ResourcePath, _ call: APICall, _ trail: WriteTrail?) async throws(APIStatus)
    -> APIReply
  {
    guard let entry = catalogue.entry(group: path.group, version: path.version, plural: path.plural) else {
      throw .noSuchPath
    }
    guard let backend = entry.backend else {
      guard path.name == nil, path.namespace == nil else { throw .noSuchPath }
      guard call.method == .post else { throw .methodNotAllowed }
      let review = try RequestBodyReader.object(call).value
      let answer = AccessReview(user: call.user, policy: access.policy()).answer(review, to: entry.definition)
      return .json(answer, code: 201)
    }
    return try await ResourceEndpoint(
      kind: entry, backend: trail.map { AuditedBackend(base: backend, trail: $0) } ?? backend,
      path: path, gauge: gauge, now: now
    ).reply(to: call)
  }

  private func document(_ route: APIRoute, _ call: APICall) throws(APIStatus) -> APIReply {
    let discovery = DiscoveryDocuments(catalogue: catalogue)
    switch route {
    case .openAPIv2: return try openAPI.version2(accept: call.accept)
    case .openAPIv3Index: return openAPI.index()
    case .openAPIv3(let group, let version):
      return try openAPI.document(group: group, version: version, query: call.query)
    case .coreVersions, .groups:
      if let version = AggregatedDiscovery.version(accept: call.accept) {
        return aggregated(version, isCore: route == .coreVersions, call)
      }
    default: break
    }
    guard case .object = try Representation(accept: call.accept) else { throw .notAcceptable }
    let document: JSONValue? =
      switch route {
      case .version: VersionDocument.json(version: version)
      case .coreVersions: discovery.coreVersions(authority: call.authority)
      case .groups: discovery.groups()
      case .group(let group): discovery.group(group)
      case .resources(let group, let version): discovery.resources(group: group, version: version)
      default: nil
      }
    guard let document else { throw .noSuchPath }
    var reply = APIReply.json(document, pretty: call.query.flag("pretty"))
    reply.headers = [("Vary", "Accept")]
    return reply
  }

  private func aggregated(_ version: String, isCore: Bool, _ call: APICall) -> APIReply {
    let discovery = AggregatedDiscovery(catalogue: catalogue, version: version)
    let bytes = discovery.document(isCore: isCore).serialised()
    let tag = "\"\(ContentHash.text(of: bytes))\""
    let isKnown = call.ifNoneMatch == tag
    var reply = APIReply(
      code: isKnown ? 304 : 200, contentType: discovery.contentType, body: .bytes(isKnown ? [] : bytes))
    reply.headers = [("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public")]
    return reply
  }
}
