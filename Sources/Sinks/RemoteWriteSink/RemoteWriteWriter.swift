internal import DeviceKit
internal import Documents
internal import HTTPClient
internal import HTTPDelivery
internal import SinkKit

/// Sends the records of one Sink by remote write.
///
/// A receiver of 1.0 takes a request whole or, where one sample is out of order, not at all: then the request is halved
/// until the samples stand alone that it will never take. These are counted; most of them it has already, from before a
/// crash.
actor RemoteWriteWriter {
  private let specification: RemoteWriteSpecification
  private let receiver: Receiver
  /// The message in use: older than the specification's once the receiver has shown that it does not know that one.
  private var version: WriteRequest
  /// Whether the receiver has shown that it knows `version`.
  private var isKnown = false
  private var starts = CounterStarts<[MetricSeries.Label]>()
  private var arrived = ArrivedRecords()

  init(_ specification: RemoteWriteSpecification, receiver: Receiver) {
    self.specification = specification
    self.receiver = receiver
    version = specification.version
  }

  func deliver(_ records: [TelemetryRecord]) async -> SinkOutcome {
    var stack = [arrived.waiting(of: records)]
    while let part = stack.popLast() {
      guard !part.isEmpty else { continue }
      if Task.isCancelled {
        return .retry(SinkError(reason: "Cancelled", message: "the sink is being stopped"), after: nil)
      }
      switch await send(part) {
      case .outcome(.delivered): arrived.note(part)
      case .outcome(.deliveredExcept(let causes, let error)): arrived.note(part, except: causes, error)
      case .outcome(let failure): return failure
      case .again: stack.append(part)
      case .disordered(let cause, let error):
        guard part.count > 1 else {
          arrived.note(part, except: [cause: 1], error)
          continue
        }
        // The older half first.
        stack.append(Array(part[(part.count / 2)...]))
        stack.append(Array(part[..<(part.count / 2)]))
      }
    }
    return arrived.conclude(records)
  }

  private enum Step {
    case outcome(SinkOutcome)
    /// With the older message.
    case again
    case disordered(String, SinkError)
  }

  private func send(_ records: [TelemetryRecord]) async -> Step {
    let batch = specification.mapping.batch(of: records, starts: starts)
    let version = version
    let samples = batch.sampleCount
    guard samples > 0 else { return .outcome(Self.outcome(batch.dropped)) }
    let request = Receiver.Request(
      url: specification.receiver.address.url(), contentType: version.contentType, contentEncoding: "snappy",
      fields: [HTTPCall.Field("X-Prometheus-Remote-Write-Version", version.versionField)],
      body: Snappy.compressed(version.encoded(batch.series)))
    let reply: Receiver.Reply
    do throws(SinkError) {
      reply = try await receiver.post(request)
    } catch {
      return .outcome(.retry(error, after: nil))
    }
    let answer = reply.answer
    switch WriteAnswer.read(answer, version: version, samples: samples, isKnown: isKnown) {
    case .unsupportedMessage:
      if self.version == version { self.version = .version1 }
      return .again
    case .disordered(let cause):
      return .disordered(cause, error("Disordered", reply))
    case .partly(let written):
      isKnown = true
      starts = batch.starts
      var causes = batch.dropped
      causes["rejectedByReceiver"] = min(samples - written, records.count - causes.values.reduce(0, +))
      let words = "\(samples - written) of \(samples) samples were not written"
      return .outcome(.deliveredExcept(causes, error("PartialWrite", reply, words)))
    case .plain:
      let outcome = await receiver.outcome(of: reply, rules: .remoteWrite)
      guard outcome == .delivered else { return .outcome(outcome) }
      isKnown = true
      starts = batch.starts
      return .outcome(Self.outcome(batch.dropped))
    }
  }

  private func error(_ reason: String, _ reply: Receiver.Reply, _ words: String = "") -> SinkError {
    let parts = ["the receiver answered \(reply.answer.status)", words, reply.said].filter { !$0.isEmpty }
    return SinkError(reason: reason, message: parts.joined(separator: ": "))
  }

  private static func outcome(_ dropped: [String: Int]) -> SinkOutcome {
    guard !dropped.isEmpty else { return .delivered }
    return .deliveredExcept(
      dropped,
      SinkError(
        reason: "UnsupportedValue",
        message: "texts and objects are no samples; of samples in one millisecond only the last is sent"))
  }
}
