internal import Documents
internal import HTTPTypes
internal import Hummingbird
internal import KubernetesAPI
internal import NIOCore
internal import Resources
internal import Telemetry

/// GET /selvedge/v1/namespaces/NAMESPACE/telemetry/query and …/series: what the gateway keeps of the pipelines' output.
///
/// Asked about as the resource `telemetry` in twin.selvedge.dev, verb get.
struct TelemetryRoutes {
  private static let queryParameters = [
    "pipeline", "device", "property", "field", "start", "end", "step", "limit", "continue",
  ]
  private static let seriesParameters = ["pipeline", "device", "property", "limit", "continue"]

  let telemetry: TelemetryEngine
  let access: AccessControl
  let now: @Sendable () -> Timestamp

  func register(on router: Router<some RequestContext>) {
    router.get("/selvedge/v1/namespaces/:namespace/telemetry/query") { request, context in
      await answer(request, context) { (namespace, text) throws(APIStatus) in try await query(namespace, text) }
    }
    router.get("/selvedge/v1/namespaces/:namespace/telemetry/series") { request, context in
      await answer(request, context) { (namespace, text) throws(APIStatus) in try await series(namespace, text) }
    }
  }

  private func answer(
    _ request: Request, _ context: some RequestContext,
    _ body: (_ namespace: String, _ query: String) async throws(APIStatus) -> Response
  ) async -> Response {
    let namespace = context.parameters.get("namespace") ?? ""
    let attributes = AccessAttributes(
      verb: "get", group: "twin.selvedge.dev", resource: "telemetry", namespace: namespace)
    return await access.answer(request, context, as: attributes, at: now()) { () throws(APIStatus) in
      try await body(namespace, request.uri.query ?? "")
    }
  }

  private func selection(_ namespace: String, _ parameters: RouteParameters)
    throws(APIStatus) -> TelemetryQuery.Selection
  {
    TelemetryQuery.Selection(
      namespace: namespace, pipeline: try parameters.pattern("pipeline"), device: try parameters.pattern("device"),
      property: try parameters.pattern("property"))
  }

  // MARK: Query

  private func query(_ namespace: String, _ text: String) async throws(APIStatus) -> Response {
    let parameters = try RouteParameters(text, known: Self.queryParameters, now: now())
    let query = TelemetryQuery(
      selection: try selection(namespace, parameters), fields: parameters.list("field"),
      start: try parameters.moment("start", default: .seconds(3_600)),
      end: try parameters.moment("end", default: .zero),
      step: try parameters.duration("step"),
      limit: try parameters.number("limit", in: 1...TelemetryQuery.mostPoints, default: 2_000),
      after: parameters.text("continue"))
    let answer: TelemetryAnswer
    do throws(QueryProblem) {
      answer = try await telemetry.answer(query)
    } catch {
      throw error.status
    }
    var head: JSONValue = ["start": .string(query.start.description), "end": .string(query.end.description)]
    if let step = query.step { head["stepSeconds"] = .double(step.seconds) }
    let series = answer.series.map { series in
      var json = series.description.json(of: series.pipeline)
      json["fields"] = .array(series.fields.map(JSONValue.string))
      if !series.approximate.isEmpty { json["approximate"] = .array(series.approximate.map(JSONValue.string)) }
      return SeriesDocument.Series(json: json, points: series.points)
    }
    return Self.response(SeriesDocument(head: head, keptSince: answer.keptSince, next: answer.next, series: series))
  }

  // MARK: Series

  private func series(_ namespace: String, _ text: String) async throws(APIStatus) -> Response {
    let parameters = try RouteParameters(text, known: Self.seriesParameters, now: now())
    let limit = try parameters.number("limit", in: 1...TelemetryQuery.mostPoints, default: 1_000)
    let selection = try selection(namespace, parameters)
    let kept: KeptSeries
    do throws(QueryProblem) {
      kept = try await telemetry.keptSeries(selection, limit: limit, after: parameters.text("continue"))
    } catch {
      throw error.status
    }
    let series = kept.series.map { series in
      var json = series.description.json(of: series.pipeline)
      json["fields"] = .array(series.fields.map(JSONValue.string))
      return SeriesDocument.Series(json: json)
    }
    return Self.response(SeriesDocument(head: [:], keptSince: kept.keptSince, next: kept.next, series: series))
  }

  private static func response(_ document: SeriesDocument) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody { writer in
        var document = document
        while let piece = document.next() { try await writer.write(ByteBuffer(bytes: piece)) }
        try await writer.finish(nil)
      })
  }
}
