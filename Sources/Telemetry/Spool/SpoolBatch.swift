package import SinkKit

/// Records that are out with the sink.
package struct SpoolBatch: Sendable {
  package var records: [TelemetryRecord]
  /// Nanoseconds since 1970 at which the first of them was appended.
  package var appendedAt: Int64
  let end: CursorFile.Position
  /// Records between that were too old or damaged.
  let expired: UInt64
  let corrupt: UInt64
}
