package import DeviceKit

/// Samples that a stage makes, in columns with the slot of each one's series; grows as needed and keeps its room.
package final class SampleColumns {
  package private(set) var count = 0
  private var capacity = 256
  private(set) var slots: UnsafeMutablePointer<Int32>
  private var sourceTimes: UnsafeMutablePointer<Int64>
  private var gatewayTimes: UnsafeMutablePointer<Int64>
  private var kinds: UnsafeMutablePointer<SampleKind>
  private var payloads: UnsafeMutablePointer<UInt64>
  private var qualities: UnsafeMutablePointer<Quality>
  private var sideValues: [Value] = []

  package init() {
    slots = .allocate(capacity: capacity)
    sourceTimes = .allocate(capacity: capacity)
    gatewayTimes = .allocate(capacity: capacity)
    kinds = .allocate(capacity: capacity)
    payloads = .allocate(capacity: capacity)
    qualities = .allocate(capacity: capacity)
  }

  deinit {
    slots.deallocate()
    sourceTimes.deallocate()
    gatewayTimes.deallocate()
    kinds.deallocate()
    payloads.deallocate()
    qualities.deallocate()
  }

  /// Empties it. `sideValues` are those of the columns that rows will be copied from, whose payloads stay valid.
  func removeAll(sideValues: [Value] = []) {
    count = 0
    self.sideValues = sideValues
  }

  /// Appends one sample; a payload of kind `.side` is a place in the side values it was emptied with.
  package func append(
    slot: Int32, kind: SampleKind, payload: UInt64, quality: Quality, sourceTime: Int64, gatewayTime: Int64
  ) {
    if count == capacity { enlarge() }
    slots[count] = slot
    sourceTimes[count] = sourceTime
    gatewayTimes[count] = gatewayTime
    kinds[count] = kind
    payloads[count] = payload
    qualities[count] = quality
    count += 1
  }

  /// Appends one sample of any value; nil: without one.
  package func append(slot: Int32, _ value: Value?, quality: Quality, sourceTime: Int64, gatewayTime: Int64) {
    let isSide = value?.isSide ?? false
    append(
      slot: slot, kind: value?.kind ?? .none, payload: isSide ? UInt64(sideValues.count) : value?.payload ?? 0,
      quality: quality, sourceTime: sourceTime, gatewayTime: gatewayTime)
    if isSide, let value { sideValues.append(value) }
  }

  /// Appends a row of the columns whose side values it was emptied with.
  package func append(_ columns: BatchColumns, row: Int, slot: Int32) {
    append(
      slot: slot, kind: columns.kinds[row], payload: columns.payloads[row], quality: columns.qualities[row],
      sourceTime: columns.sourceTimes[row], gatewayTime: columns.gatewayTimes[row])
  }

  /// The samples for reading; valid until the next change.
  var view: BatchColumns {
    BatchColumns(
      count: count, sourceTimes: sourceTimes, gatewayTimes: gatewayTimes, kinds: kinds, payloads: payloads,
      qualities: qualities, sideValues: sideValues)
  }

  private func enlarge() {
    func larger<Element>(_ old: UnsafeMutablePointer<Element>) -> UnsafeMutablePointer<Element> {
      let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
      new.moveInitialize(from: old, count: count)
      old.deallocate()
      return new
    }
    slots = larger(slots)
    sourceTimes = larger(sourceTimes)
    gatewayTimes = larger(gatewayTimes)
    kinds = larger(kinds)
    payloads = larger(payloads)
    qualities = larger(qualities)
    capacity *= 2
  }
}
