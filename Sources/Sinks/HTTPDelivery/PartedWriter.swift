public import SinkKit

/// Sends each batch in up to `concurrency` parts at a time, each with series of its own: the records of one series stay
/// in one request or in requests that follow each other.
public actor PartedWriter: SinkWriter {
  private let concurrency: Int
  private let deliver: @Sendable ([TelemetryRecord]) async -> SinkOutcome
  private let shut: @Sendable () async -> Void
  private var arrived = ArrivedRecords()

  /// - Parameters:
  ///   - deliver: Sends records in their order. Called for several parts at a time.
  ///   - close: Called once, at the end.
  public init(
    concurrency: Int, deliver: @escaping @Sendable ([TelemetryRecord]) async -> SinkOutcome,
    close: @escaping @Sendable () async -> Void
  ) {
    self.concurrency = concurrency
    self.deliver = deliver
    shut = close
  }

  public func close() async { await shut() }

  public func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    guard concurrency > 1 else { return await deliver(records) }
    var parts = [[TelemetryRecord]](repeating: [], count: concurrency)
    for record in arrived.waiting(of: records) {
      parts[ArrivedRecords.bucket(of: record, among: concurrency)].append(record)
    }
    var failures: [SinkOutcome] = []
    await withTaskGroup(of: ([TelemetryRecord], SinkOutcome).self) { [deliver] group in
      for part in parts where !part.isEmpty { group.addTask { (part, await deliver(part)) } }
      for await (part, outcome) in group {
        switch outcome {
        case .delivered: arrived.note(part)
        case .deliveredExcept(let causes, let error): arrived.note(part, except: causes, error)
        case .retry, .refused: failures.append(outcome)
        }
      }
    }
    return failures.isEmpty ? arrived.conclude(records) : Self.worst(of: failures)
  }

  /// To try again comes before to refuse: what is refused is found once the rest has arrived.
  private static func worst(of failures: [SinkOutcome]) -> SinkOutcome {
    var longest: SinkOutcome?
    var wait = Duration.zero
    for case .retry(let error, let after) in failures {
      wait = max(wait, after ?? .zero)
      longest = .retry(error, after: wait == .zero ? nil : wait)
    }
    return longest ?? failures[0]
  }
}
