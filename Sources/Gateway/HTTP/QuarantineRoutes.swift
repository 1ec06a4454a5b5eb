internal import Documents
internal import HTTPTypes
internal import Hummingbird
internal import KubernetesAPI
internal import NIOCore
internal import Resources
internal import SinkKit
internal import Telemetry

/// /selvedge/v1/namespaces/NAMESPACE/sinks/SINK/quarantine: the records that a Sink's receiver refuses for good. GET lists
/// them or shows one, POST …/retry has them tried again, DELETE drops them.
///
/// Asked about as `sinks/quarantine` in selvedge.dev, with the verbs get, create and delete.
struct QuarantineRoutes {
  private static let path = "/selvedge/v1/namespaces/:namespace/sinks/:sink/quarantine"
  private static let mostRecords = 1_000

  let telemetry: TelemetryEngine
  let access: AccessControl
  let now: @Sendable () -> Timestamp

  func register(on router: Router<some RequestContext>) {
    let path = Self.path
    router.get(RouterPath(path)) { request, context in
      await answer(request, context, "get") { (place) throws(APIStatus) in try await list(place, request) }
    }
    router.get(RouterPath(path + "/:id")) { request, context in
      await answer(request, context, "get") { (place) throws(APIStatus) in try await show(place) }
    }
    for retry in [path + "/retry", path + "/:id/retry"] {
      router.post(RouterPath(retry)) { request, context in
        await answer(request, context, "create") { (place) throws(APIStatus) in
          let count = await telemetry.retryQuarantined(of: place.sink, place.ids)
          return try Self.done("retrying", count, place)
        }
      }
    }
    for drop in [path, path + "/:id"] {
      router.delete(RouterPath(drop)) { request, context in
        await answer(request, context, "delete") { (place) throws(APIStatus) in
          let count = try await onDisk { () async throws(SpoolError) in
            try await telemetry.dropQuarantined(of: place.sink, place.ids)
          }
          return try Self.done("dropped", count, place)
        }
      }
    }
  }

  /// What a request's path names.
  private struct Place {
    var key: ObjectKey
    /// Nil: all records.
    var id: UInt64?
    var sink: String { key.description }
    var ids: [UInt64]? { id.map { [$0] } }

    var unknown: APIStatus {
      guard let id else { return .notFound(ResourceName(group: "selvedge.dev", plural: "sinks"), name: key.name) }
      return APIStatus(
        code: 404, reason: "NotFound", message: "no record \(id) is in quarantine for the Sink \"\(key.name)\"")
    }
  }

  private func answer(
    _ request: Request, _ context: some RequestContext, _ verb: String,
    _ body: (Place) async throws(APIStatus) -> Response
  ) async -> Response {
    let parameters = context.parameters
    let key = ObjectKey(namespace: parameters.get("namespace") ?? "", name: parameters.get("sink") ?? "")
    let attributes = AccessAttributes(
      verb: verb, group: "selvedge.dev", resource: "sinks", subresource: "quarantine", namespace: key.namespace,
      name: key.name)
    return await access.answer(request, context, as: attributes, at: now()) { () throws(APIStatus) in
      var place = Place(key: key)
      if let text = parameters.get("id") {
        guard let id = UInt64(text), id > 0 else {
          throw .badRequest("id: \"\(text)\" is no record's number; list them with GET …/quarantine")
        }
        place.id = id
      }
      return try await body(place)
    }
  }

  private func onDisk<Answer: Sendable>(_ body: () async throws(SpoolError) -> Answer) async throws(APIStatus) -> Answer
  {
    do throws(SpoolError) {
      return try await body()
    } catch {
      throw APIStatus(code: 503, reason: "ServiceUnavailable", message: error.message)
    }
  }

  private func page(_ place: Place, after id: UInt64, limit: Int) async throws(APIStatus) -> QuarantinePage {
    let page = try await onDisk { () async throws(SpoolError) in
      try await telemetry.quarantine(of: place.sink, after: id, limit: limit)
    }
    guard let page else { throw Place(key: place.key).unknown }
    return page
  }

  private func list(_ place: Place, _ request: Request) async throws(APIStatus) -> Response {
    let parameters = try RouteParameters(request.uri.query ?? "", known: ["limit", "continue"], now: now())
    let limit = try parameters.number("limit", in: 1...Self.mostRecords, default: 100)
    let after = try parameters.number("continue", in: 0...Int.max, default: 0)
    let page = try await page(place, after: UInt64(after), limit: limit)
    var json: JSONValue = [
      "total": .integer(Int64(clamping: page.status.held)), "bytes": .integer(page.status.bytes),
      "records": .array(page.records.map(\.json)),
    ]
    if let next = page.next { json["continue"] = .string("\(next)") }
    return Self.response(json)
  }

  private func show(_ place: Place) async throws(APIStatus) -> Response {
    guard let id = place.id, let record = try await page(place, after: id - 1, limit: 1).records.first, record.id == id
    else { throw place.unknown }
    return Self.response(record.json)
  }

  private static func done(_ word: String, _ count: Int?, _ place: Place) throws(APIStatus) -> Response {
    guard let count else { throw Place(key: place.key).unknown }
    guard count > 0 || place.id == nil else { throw place.unknown }
    return response([word: .integer(Int64(count))])
  }

  private static func response(_ json: JSONValue) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.serialised())))
  }
}

extension QuarantinedRecord {
  fileprivate var json: JSONValue {
    [
      "id": .integer(Int64(clamping: id)), "time": .string(time.description), "reason": .string(reason),
      "retries": .integer(Int64(clamping: retries)), "retrying": .bool(isWaiting), "record": record.json,
    ]
  }
}
