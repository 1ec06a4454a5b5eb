internal import DeviceKit
public import SinkKit

/// Which records of a batch have arrived while others of it have not: by the last number of each series, since within
/// a series records arrive in their order. What has arrived is not sent again when the batch comes back, whole or in
/// pieces.
public struct ArrivedRecords: Sendable {
  private struct Series: Hashable {
    var pipeline: String
    var device: DeviceKey
    var property: String
    init(_ record: TelemetryRecord) {
      (pipeline, device, property) = (record.pipeline, record.series.device, record.series.property)
    }
  }

  private var last: [Series: UInt64] = [:]
  /// What the receiver has rejected of records that have arrived, to be told with the batch.
  private var rejected: [String: Int] = [:]
  private var rejection: SinkError?

  public init() {}

  /// A number that is the same for all records of a series, within this process.
  public static func bucket(of record: TelemetryRecord, among count: Int) -> Int {
    Int(UInt(bitPattern: Series(record).hashValue) % UInt(count))
  }

  /// Those of `records` that have not arrived.
  public func waiting(of records: [TelemetryRecord]) -> [TelemetryRecord] {
    guard !last.isEmpty else { return records }
    return records.filter { record in last[Series(record)].map { record.sequence > $0 } ?? true }
  }

  /// Says that these have arrived, but for `causes` of them.
  public mutating func note(_ records: [TelemetryRecord], except causes: [String: Int] = [:], _ error: SinkError? = nil)
  {
    for record in records { last[Series(record)] = record.sequence }
    rejected.merge(causes, uniquingKeysWith: +)
    rejection = error ?? rejection
  }

  /// Says that the whole batch is done: the outcome, and nothing is remembered of its series.
  public mutating func conclude(_ records: [TelemetryRecord]) -> SinkOutcome {
    for record in records where (last[Series(record)] ?? .max) <= record.sequence { last[Series(record)] = nil }
    defer { (rejected, rejection) = ([:], nil) }
    guard let rejection, !rejected.isEmpty else { return .delivered }
    return .deliveredExcept(rejected, rejection)
  }
}
