extension TelemetryEngine {
  /// The points of the query's series, out of what the gateway keeps: all that pipelines had put out before the call.
  public nonisolated func answer(_ query: TelemetryQuery) async throws(QueryProblem) -> TelemetryAnswer {
    try await historian.answer(query)
  }

  /// The series that the gateway keeps records of, in pages.
  public nonisolated func keptSeries(_ selection: TelemetryQuery.Selection, limit: Int, after: String? = nil)
    async throws(QueryProblem) -> KeptSeries
  {
    try await historian.series(selection, limit: limit, after: after)
  }
}
