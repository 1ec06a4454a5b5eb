public import DeviceKit
internal import Documents
public import SinkKit
internal import TestSupport
internal import Testing

extension SinkUnderTest {
  /// The sample number `number` of a series: its time and value say which one it is.
  public static func sample(
    _ number: Int, device: String = "boiler-1", property: String = "temperature", value: Value? = nil
  ) -> TelemetryRecord {
    record(number, device: device, property: property, [.init(name: "value", value: value ?? .integer(Int64(number)))])
  }

  public static func record(
    _ number: Int, device: String = "boiler-1", property: String = "temperature", quality: Quality = .good,
    _ fields: [TelemetryRecord.Field]
  ) -> TelemetryRecord {
    TelemetryRecord(
      series: SeriesDescription(
        node: "gateway-1", device: DeviceKey(namespace: "default", name: device), property: property, model: "boiler",
        unit: "Cel", labels: ["line": "a"]),
      pipeline: "default/conformance", sequence: UInt64(number), time: time(number), quality: quality, fields: fields)
  }

  /// The time of sample `number`: one a second, the last of them some minutes ago, since receivers refuse what is too
  /// old or lies ahead.
  static func time(_ number: Int) -> Timestamp { Timestamp(seconds: start + Int64(number)) }
  private static let start: Int64 = {
    let now = MonotonicStart.secondsSince1970
    return now - now % 60 - 40_000
  }()

  func arrival(of record: TelemetryRecord) -> Arrival {
    Arrival(
      device: record.series.device.name, property: record.series.property, time: record.time,
      fields: Dictionary(record.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
  }

  /// Offers the records until they are delivered; the outcomes on the way.
  @discardableResult
  func deliver(
    _ records: [TelemetryRecord], by writer: any SinkWriter, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [SinkOutcome] {
    var outcomes: [SinkOutcome] = []
    try await eventually("\(records.count) records delivered", seen: { "\(outcomes.suffix(3))" }) {
      let outcome = await writer.send(records)
      outcomes.append(outcome)
      if case .refused(let error) = outcome { throw Trouble("refused: \(error.reason): \(error.message)") }
      if case .deliveredExcept = outcome { return true }
      return outcome == .delivered
    }
    return outcomes
  }

  /// Waits until the receiver has every one of these, and gives all that it has.
  @discardableResult
  func await(_ records: [TelemetryRecord]) async throws -> [Arrival] {
    let wanted = Set(records.map(arrival(of:)))
    return try await eventually(
      "all are at the receiver",
      seen: {
        let missing = wanted.subtracting(try await received())
        return "missing \(missing.count) of \(wanted.count): \(missing.prefix(3))"
      }
    ) {
      let all = try await received()
      return wanted.isSubset(of: all) ? all : nil
    }
  }

  /// Whether the first arrivals of each series are in the order of their times.
  public static func isOrdered(_ arrivals: [Arrival]) -> Bool {
    var last: [String: Timestamp] = [:]
    var seen: Set<Arrival> = []
    for arrival in arrivals where seen.insert(arrival).inserted {
      let series = arrival.device + "\u{0}" + arrival.property
      if let before = last[series], before >= arrival.time { return false }
      last[series] = arrival.time
    }
    return true
  }

  /// What an error must be: a reason fit for a condition, words, and no secret.
  func examine(_ error: SinkError, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
      error.reason.wholeMatch(of: /[A-Z][A-Za-z0-9]{2,63}/) != nil, "reason \(error.reason)",
      sourceLocation: sourceLocation)
    #expect(error.message.count > 10, "message \(error.message)", sourceLocation: sourceLocation)
    for secret in secrets {
      #expect(!"\(error.reason) \(error.message)".contains(secret), "a secret is told", sourceLocation: sourceLocation)
    }
  }

  /// The error of a try that fails; a try that does not is recorded as an issue.
  func failure(
    _ outcome: SinkOutcome, sourceLocation: SourceLocation = #_sourceLocation
  ) -> SinkError? {
    switch outcome {
    case .delivered, .deliveredExcept:
      Issue.record("delivered without a receiver", sourceLocation: sourceLocation)
      return nil
    case .refused(let error):
      Issue.record("refused for good: \(error.message)", sourceLocation: sourceLocation)
      return error
    case .retry(let error, _): return error
    }
  }
}
