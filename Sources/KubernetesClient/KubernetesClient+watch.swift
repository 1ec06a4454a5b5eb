internal import Documents
internal import Resources
internal import Synchronization

/// Where a watch begins.
enum WatchStart: Sendable, Hashable {
  /// After a version.
  case after(UInt64)
  /// With everything there is, ended by a bookmark that says so (WatchList).
  case initialEvents
}

/// One event as a server sends it.
struct ServerEvent: Sendable {
  var event: WatchEvent
  /// Whether it is the bookmark that ends the initial events.
  var endsInitialEvents: Bool
}

extension KubernetesClient {
  /// Watches until the server ends the stream, which it does in good order after some minutes, until `take` says that
  /// it is enough, or until an error. A stream that outlasts the time that was asked for is broken: its other end is
  /// gone, or somebody in between holds it.
  ///
  /// - Parameters:
  ///   - opened: called once the server has agreed.
  ///   - take: whether to go on. An error event is thrown and not handed on.
  func watch(
    _ kind: ResourceDefinition, _ options: ListOptions, _ start: WatchStart,
    opened: @escaping @Sendable () async -> Void = {}, take: @escaping @Sendable (ServerEvent) async -> Bool
  ) async throws(APIStatus) {
    var end = ClientFigures.WatchEnd.ended
    // Whoever is cancelled begins no other.
    defer { if !Task.isCancelled { connection.note(watchEnd: end) } }
    do throws(APIStatus) {
      if try await !watchOnce(kind, options, start, opened: opened, take: take) { end = .abandoned }
    } catch {
      end = error.isExpired ? .expired : error.isUnreachable ? .unreachable : .refused
      throw error
    }
  }

  /// Whether `take` wanted everything.
  private func watchOnce(
    _ kind: ResourceDefinition, _ options: ListOptions, _ start: WatchStart,
    opened: @escaping @Sendable () async -> Void, take: @escaping @Sendable (ServerEvent) async -> Bool
  ) async throws(APIStatus) -> Bool {
    let milliseconds = Int64.random(
      in: tuning.shortestWatch.inMilliseconds...max(tuning.shortestWatch, tuning.longestWatch).inMilliseconds)
    let seconds = max(1, milliseconds / 1_000)
    var query = Self.selectors(options)
    query += [("watch", "1"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", "\(seconds)")]
    switch start {
    case .after(let version): query.append(("resourceVersion", "\(version)"))
    case .initialEvents: query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
    }
    let request = APIRequest.get(kind.call("watch"), kind.path(namespace: options.namespace), query)
    let reading = Mutex(
      (decoder: LineDecoder(limit: tuning.maximumObjectBytes), fault: APIStatus?.none, isEnough: false))
    @Sendable func consume(_ part: [UInt8]) async -> Bool {
      let events: [ServerEvent] = reading.withLock { reading in
        var events: [ServerEvent] = []
        do throws(APIStatus) {
          for line in try reading.decoder.consume(part) { events.append(try Self.event(line, of: kind)) }
        } catch {
          reading.fault = error
        }
        return events
      }
      for event in events {
        guard await take(event) else {
          reading.withLock { $0.isEnough = true }
          return false
        }
      }
      return reading.withLock { $0.fault == nil }
    }
    try await within(.seconds(seconds) + tuning.watchGrace) { () async throws(APIStatus) in
      try await self.connection.stream(request, isWatch: true, opened: opened, consume: consume)
    }
    let (_, fault, isEnough) = reading.withLock { $0 }
    if let fault { throw fault }
    return !isEnough
  }

  /// `body`, cancelled past the limit, which is thrown as a server that does not answer.
  private func within(
    _ limit: Duration, _ body: @escaping @Sendable () async throws(APIStatus) -> Void
  ) async throws(APIStatus) {
    let outcome = await withTaskGroup(of: Result<Void, APIStatus>?.self) { group in
      group.addTask {
        do throws(APIStatus) {
          return .success(try await body())
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    guard let outcome else { throw .unreachable("a watch that the server should have ended was still open") }
    return try outcome.get()
  }

  private static func event(_ line: [UInt8], of kind: ResourceDefinition) throws(APIStatus) -> ServerEvent {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: line)
    } catch {
      throw .unreadable("an event: \(error)")
    }
    guard let change = json["type"]?.string.flatMap(WatchEvent.Change.init(rawValue:)), let object = json["object"]
    else { throw .unreadable("an event without type or object") }
    if change == .error { throw APIStatus(json: object) }
    guard let version = UInt64(object.metadata.resourceVersion) else {
      throw .unreadable("an event without a decimal resourceVersion")
    }
    return ServerEvent(
      event: WatchEvent(change: change, object: identified(object, as: kind), resourceVersion: version),
      endsInitialEvents: change == .bookmark
        && object.metadata.annotations["k8s.io/initial-events-end"] == "true")
  }
}

extension Duration {
  var inMilliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
