extension TelemetryEngine {
  /// A page of the records that are set aside for a sink, by its `namespace/name`; nil for a sink that nobody knows.
  public func quarantine(of sink: String, after id: UInt64 = 0, limit: Int) async throws(SpoolError) -> QuarantinePage?
  {
    try await lanes[sink]?.quarantined(after: id, limit: limit)
  }

  /// Has records that are set aside tried again, all where `ids` is nil. Returns how many there are; nil for a sink that
  /// nobody knows.
  public func retryQuarantined(of sink: String, _ ids: [UInt64]? = nil) async -> Int? { await lanes[sink]?.retry(ids) }

  /// Drops records that are set aside, for good. Returns how many there were; nil for a sink that nobody knows.
  public func dropQuarantined(of sink: String, _ ids: [UInt64]? = nil) async throws(SpoolError) -> Int? {
    try await lanes[sink]?.discard(ids)
  }
}
