internal import Documents
internal import Resources

extension ResourceEndpoint {
  /// How many objects are held at a time where a client lists without a limit.
  static let pageSize = 500

  func get(_ name: String, _ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    if case .at(let version) = try ListParameters.Version(call.query) { try await reach(version) }
    let object = try await backend.get(resource, key(name))
    var reply = APIReply.json(rendering.single(object), pretty: call.query.flag("pretty"))
    reply.add(warnings: advice(key: key(name)))
    return reply
  }

  private func advice(key: ObjectKey? = nil) -> [String] {
    (backend as? any AdvisingBackend)?.advice(resource, namespace: path.namespace, key: key) ?? []
  }

  func list(_ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let parameters = try ListParameters(call.query, of: definition, namespace: path.namespace)
    var options = parameters.options
    let pagesItself = options.limit == nil
    if pagesItself { options.limit = Self.pageSize }
    let isPretty = call.query.flag("pretty")
    let first = try await page(options, parameters, isPretty: isPretty)
    var following: (@Sendable (String) async throws(APIStatus) -> ListPage)?
    if pagesItself {
      following = { [backend, resource, options] token throws(APIStatus) in
        var next = options
        next.continueToken = token
        return try await ListPage.fetched(from: backend, resource, next, isPretty: isPretty)
      }
    }
    let body = ListBody(rendering: rendering, first: first, following: following, isPretty: isPretty)
    var reply = APIReply(code: 200, contentType: "application/json", body: .list(body))
    reply.add(warnings: advice())
    return reply
  }

  /// A page that satisfies the version asked for; 410 for an exact version that the backend does not have any more.
  private func page(
    _ options: ListOptions, _ parameters: ListParameters, isPretty: Bool = false
  ) async throws(APIStatus) -> ListPage {
    guard case .at(let version) = parameters.version, options.continueToken == nil else {
      return try await ListPage.fetched(from: backend, resource, options, isPretty: isPretty)
    }
    var options = options
    if parameters.isExact { options.exactVersion = version }
    var list = try await ListPage.fetched(from: backend, resource, options, isPretty: isPretty)
    if list.resourceVersion < version {
      try await reach(version)
      list = try await ListPage.fetched(from: backend, resource, options, isPretty: isPretty)
    }
    guard !parameters.isExact || list.resourceVersion == version else {
      throw .expired("The resourceVersion for the provided list is too old.")
    }
    return list
  }

  /// Waits up to 3 s for a version from the future; 504 where it does not come.
  private func reach(_ version: UInt64) async throws(APIStatus) {
    var current: UInt64 = 0
    for attempt in 0...30 {
      current = try await backend.list(resource, ListOptions(namespace: path.namespace, limit: 1)).resourceVersion
      if current >= version { return }
      if attempt < 30 { try? await Task.sleep(for: .milliseconds(100)) }
    }
    throw APIStatus(
      code: 504, reason: "Timeout", message: "Timeout: Too large resource version: \(version), current: \(current)",
      causes: [.init(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")],
      retryAfterSeconds: 1)
  }

  func watch(_ call: APICall) async throws(APIStatus) -> APIReply {
    let rendering = try ObjectRendering(call, of: kind, now: now)
    let parameters = try ListParameters(
      call.query, of: definition, namespace: path.namespace, name: path.name)
    try gauge.check()
    let seconds = parameters.timeoutSeconds ?? Int.random(in: 1_800...3_600)
    let body = WatchBody(
      events: try await events(parameters),
      encoder: WatchEncoder(
        rendering, allowsBookmarks: parameters.allowsBookmarks,
        marksInitialEvents: parameters.sendsInitialEvents == true),
      timeLimit: .seconds(seconds), gauge: gauge)
    var reply = APIReply(code: 200, contentType: "application/json", body: .watch(body))
    // The connection is given up with the stream: clients must not keep it for another request.
    reply.headers = [("Connection", "close"), ("Cache-Control", "no-cache, private")]
    return reply
  }

  /// The stream from the version asked for. One that is compacted is told inside the stream, as clients expect it.
  private func events(_ parameters: ListParameters) async throws(APIStatus) -> AsyncStream<WatchEvent> {
    let options = parameters.options
    var single = options
    single.limit = 1
    do throws(APIStatus) {
      switch (parameters.version, parameters.sendsInitialEvents) {
      case (.at, true?):
        _ = try await page(single, parameters)
        return try await backend.watch(resource, options, since: nil)
      case (.at(let version), _): return try await events(options, since: version)
      case (_, false?):
        let current = try await backend.list(resource, single).resourceVersion
        return try await backend.watch(resource, options, since: current)
      case (_, _): return try await backend.watch(resource, options, since: nil)
      }
    } catch {
      guard error.code == 410 else { throw error }
      let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
      continuation.yield(WatchEvent(change: .error, object: error.json, resourceVersion: 0))
      continuation.finish()
      return stream
    }
  }

  private func events(_ options: ListOptions, since version: UInt64) async throws(APIStatus) -> AsyncStream<WatchEvent>
  {
    do throws(APIStatus) {
      return try await backend.watch(resource, options, since: version)
    } catch {
      guard error.code == 504 else { throw error }
      try await reach(version)
      return try await backend.watch(resource, options, since: version)
    }
  }
}
