internal import DeviceKit
internal import Documents
internal import HTTPClient
internal import HTTPDelivery
internal import SinkKit

/// Sends the records of one Sink by OTLP/HTTP.
actor OTLPWriter {
  private let specification: OTLPSpecification
  private let receiver: Receiver
  private var starts = CounterStarts<OTLPSeries>()

  init(_ specification: OTLPSpecification, receiver: Receiver) {
    self.specification = specification
    self.receiver = receiver
  }

  func deliver(_ records: [TelemetryRecord]) async -> SinkOutcome {
    let export = specification.mapping.export(of: records, starts: starts)
    guard export.points > 0 else { return Self.outcome(export.unsupported, nil, of: records.count) }
    let reply: Receiver.Reply
    do throws(SinkError) {
      let request = Receiver.Request(
        url: specification.url, contentType: "application/x-protobuf",
        contentEncoding: specification.compression.contentEncoding,
        body: specification.compression.encoded(export.encoded()))
      reply = try await receiver.post(request, words: OTLPAnswer.words)
    } catch {
      return .retry(error, after: nil)
    }
    let outcome = await receiver.outcome(of: reply, rules: .otlp)
    guard outcome == .delivered else { return outcome }
    starts = export.starts
    // The receiver must not be sent again what it rejects ("Partial Success").
    let partial = OTLPAnswer.partialSuccess(reply.answer.body).flatMap { $0.rejected > 0 ? $0.rejected : nil }
    return Self.outcome(export.unsupported, partial.map { ($0, reply.said) }, of: records.count)
  }

  private static func outcome(_ unsupported: Int, _ rejected: (points: Int, said: String)?, of count: Int)
    -> SinkOutcome
  {
    var causes: [String: Int] = [:]
    var error = SinkError(
      reason: "UnsupportedValue", message: "texts, objects and what is no number are no data points")
    if unsupported > 0 { causes["unsupportedValue"] = unsupported }
    if let rejected {
      causes["rejectedByReceiver"] = min(rejected.points, count - unsupported)
      error = SinkError(
        reason: "PartialSuccess", message: "the receiver rejected \(rejected.points) data points: \(rejected.said)")
    }
    return causes.isEmpty ? .delivered : .deliveredExcept(causes, error)
  }
}
