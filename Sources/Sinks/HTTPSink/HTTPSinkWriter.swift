internal import DeviceKit
internal import Documents
internal import HTTPClient
internal import HTTPDelivery
internal import SinkKit

/// Sends the records of one Sink, as JSON or line protocol.
struct HTTPSinkWriter: Sendable {
  let specification: HTTPSinkSpecification
  let receiver: Receiver

  func deliver(_ records: [TelemetryRecord]) async -> SinkOutcome {
    var body: [UInt8] = []
    var contentType = "application/json"
    var unsupported = 0
    switch specification.format {
    case .json: JSONValue.array(records.map(\.json)).write(to: &body)
    case .ndjson:
      contentType = "application/x-ndjson"
      for record in records {
        record.json.write(to: &body)
        body.append(0x0A)
      }
    case .influx:
      contentType = "text/plain; charset=utf-8"
      (body, unsupported) = specification.lines.lines(of: records)
    }
    guard !body.isEmpty else { return Self.except([:], unsupported) }
    body = specification.compression.encoded(body)
    let request = Receiver.Request(
      url: specification.url, contentType: contentType, contentEncoding: specification.compression.contentEncoding,
      body: body)
    let isInflux = specification.format == .influx
    let count = records.count - unsupported
    let outcome = await receiver.deliver(request, rules: .http) { reply in
      guard isInflux, [400, 422].contains(reply.answer.status),
        let dropped = PartialWrite.dropped(String(decoding: reply.answer.body, as: UTF8.self))
      else { return nil }
      let error = SinkError(
        reason: "PartialWrite", message: "the receiver dropped \(min(dropped, count)) points: \(reply.said)")
      return .deliveredExcept(["partialWrite": min(dropped, count)], error)
    }
    switch outcome {
    case .delivered: return Self.except([:], unsupported)
    case .deliveredExcept(let causes, let error): return Self.except(causes, unsupported, error)
    default: return outcome
    }
  }

  private static func except(_ causes: [String: Int], _ unsupported: Int, _ error: SinkError? = nil) -> SinkOutcome {
    var causes = causes
    if unsupported > 0 { causes["unsupportedValue"] = unsupported }
    guard !causes.isEmpty else { return .delivered }
    return .deliveredExcept(
      causes,
      error ?? SinkError(reason: "UnsupportedValue", message: "the format has no form for the values of some records"))
  }
}
