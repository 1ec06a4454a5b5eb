package import DeviceKit

/// Columns of samples as bare pointers: a batch's, valid while ``SampleBatch/withColumns(_:)`` runs its body, or those
/// that a stage made, valid until the next stage has run.
package struct BatchColumns {
  package let count: Int
  let sourceTimes: UnsafePointer<Int64>
  let gatewayTimes: UnsafePointer<Int64>
  let kinds: UnsafePointer<SampleKind>
  let payloads: UnsafePointer<UInt64>
  let qualities: UnsafePointer<Quality>
  let sideValues: [Value]

  /// The value of the sample at `row`; nil where it has none.
  func value(at row: Int) -> Value? { Value(kind: kinds[row], payload: payloads[row], sideValues: sideValues) }

  /// The sample's value as a number; nil where it has none. A boolean counts as 1 or 0.
  @inline(__always)
  func number(at row: Int) -> Double? {
    switch kinds[row] {
    case .number: Double(bitPattern: payloads[row])
    case .integer: Double(Int64(bitPattern: payloads[row]))
    case .unsigned: Double(payloads[row])
    case .boolean: payloads[row] == 0 ? 0 : 1
    case .none, .side: nil
    }
  }
}

extension Value {
  /// The value that a sample's kind and payload mean; nil where it has none.
  init?(kind: SampleKind, payload: UInt64, sideValues: [Value]) {
    switch kind {
    case .none: return nil
    case .boolean: self = .boolean(payload != 0)
    case .integer: self = .integer(Int64(bitPattern: payload))
    case .unsigned: self = .unsigned(payload)
    case .number: self = .number(Double(bitPattern: payload))
    case .side: self = sideValues[Int(payload)]
    }
  }
}

extension SampleBatch {
  /// Runs `body` on the batch's points and columns; nothing for an empty batch.
  package func withColumns(_ body: (UnsafePointer<PointID>, BatchColumns) -> Void) {
    guard !isEmpty else { return }
    let sideValues = sideValues
    points.withUnsafeBufferPointer { points in
      sourceTimes.withUnsafeBufferPointer { sourceTimes in
        gatewayTimes.withUnsafeBufferPointer { gatewayTimes in
          kinds.withUnsafeBufferPointer { kinds in
            payloads.withUnsafeBufferPointer { payloads in
              qualities.withUnsafeBufferPointer { qualities in
                guard let points = points.baseAddress, let sourceTimes = sourceTimes.baseAddress,
                  let gatewayTimes = gatewayTimes.baseAddress, let kinds = kinds.baseAddress,
                  let payloads = payloads.baseAddress, let qualities = qualities.baseAddress
                else { return }
                body(
                  points,
                  BatchColumns(
                    count: count, sourceTimes: sourceTimes, gatewayTimes: gatewayTimes, kinds: kinds,
                    payloads: payloads, qualities: qualities, sideValues: sideValues))
              }
            }
          }
        }
      }
    }
  }
}
