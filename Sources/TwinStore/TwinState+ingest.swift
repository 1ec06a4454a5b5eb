internal import DeviceKit
internal import Documents

extension TwinState {
  /// Takes a batch in order of its samples. All changes of one batch share one version.
  mutating func ingest(_ batch: SampleBatch, now: () -> Timestamp) {
    let points = batch.points
    let kinds = batch.kinds
    let payloads = batch.payloads
    let qualities = batch.qualities
    let sourceTimes = batch.sourceTimes
    let gatewayTimes = batch.gatewayTimes
    let hasCauses = !batch.causes.isEmpty
    let next = version + 1
    var changes = 0
    var unknown = 0
    batchStamp += 1
    for index in points.indices {
      let point = Int(points[index].index)
      guard point < slots.count, slots[point].flags.contains(.accepts) else {
        unknown += 1
        continue
      }
      var slot = slots[point]
      var kind = kinds[index]
      var payload = payloads[index]
      var quality = qualities[index]
      var cause: String?
      var side: Value?
      if kind != slot.expected || kind == .side || (kind == .number && !Double(bitPattern: payload).isFinite) {
        (kind, payload, quality, cause) = conform(batch, index, to: slot, &side)
      }
      var isChanged = false
      slot.gatewayTime = gatewayTimes[index]
      if kind == .none {
        // The last value stays, with the time at which it was true; only how far it can be trusted changes.
        if quality == .good { quality = .uncertain }
      } else {
        slot.sourceTime = sourceTimes[index]
        let isEqual =
          slot.kind == kind
          && (kind == .side ? sides[UInt32(point)] == side : slot.payload == payload)
        if !isEqual {
          slot.kind = kind
          slot.payload = kind == .side ? 0 : payload
          if kind == .side { sides[UInt32(point)] = side }
          isChanged = true
        }
      }
      let isDurableChange = isChanged || slot.quality != quality
      if isDurableChange || slot.flags.contains(.stale) {
        slot.quality = quality
        slot.flags.remove(.stale)
        isChanged = true
      }
      if hasCauses || cause != nil || slot.flags.contains(.hasCause) {
        let text = quality == .good ? "" : cause ?? batch.causes[index] ?? ""
        if (causes[UInt32(point)] ?? "") != text { isChanged = true }
        causes[UInt32(point)] = text.isEmpty ? nil : text
        if text.isEmpty { slot.flags.remove(.hasCause) } else { slot.flags.insert(.hasCause) }
      }
      if isChanged {
        changes += 1
        slot.version = next
        if isDurableChange, !slot.flags.contains(.dirty) {
          slot.flags.insert(.dirty)
          dirtyReported.append(UInt32(point))
        }
        let twin = Int(slot.twin)
        if touchStamps[twin] != batchStamp {
          touchStamps[twin] = batchStamp
          touchedTwins.append(twin)
        }
      }
      if isDurableChange, !slot.flags.isDisjoint(with: .told) {
        let former = slots[point]
        slots[point] = slot
        noteChange(at: point, from: former, version: next, now: now())
      }
      slots[point] = slot
      if slot.flags.contains(.wished), kind != .none, quality == .good {
        apply(.reported(reading(at: point)), twin: Int(slot.twin), property: Int(slot.property), now: now())
      }
    }
    statistics.samples += points.count
    statistics.unknownPoint += unknown
    statistics.changes += changes
    guard changes > 0 else { return }
    let stamped = bump()
    for twin in touchedTwins {
      twins[twin].version = stamped
      touch(twin, .values)
    }
    touchedTwins.removeAll(keepingCapacity: true)
  }

  /// A sample that is not plainly of the property's kind: converted where nothing is lost, else without a value.
  /// `side` becomes the value of a sample that is a string, an object or an array.
  private mutating func conform(_ batch: SampleBatch, _ index: Int, to slot: TwinSlot, _ side: inout Value?)
    -> (SampleKind, UInt64, Quality, String?)
  {
    let kind = batch.kinds[index]
    let payload = batch.payloads[index]
    let quality = batch.qualities[index]
    switch (slot.expected, kind) {
    case (_, .none): return (.none, 0, quality, nil)
    case (.number, .number), (.integer, .number):
      let number = Double(bitPattern: payload)
      guard number.isFinite else { return (.none, 0, .bad, "not a finite number") }
      if slot.expected == .integer, let exact = Int64(exactly: number) {
        return (.integer, UInt64(bitPattern: exact), quality, nil)
      }
    case (.integer, .unsigned): return (.unsigned, payload, quality, nil)
    case (.number, .integer):
      return (.number, Double(Int64(bitPattern: payload)).bitPattern, quality, nil)
    case (.number, .unsigned): return (.number, Double(payload).bitPattern, quality, nil)
    case (.side, .side):
      let definition = twins[Int(slot.twin)].properties[Int(slot.property)].definition
      let value = batch.sideValues[Int(payload)]
      switch (value, definition?.type) {
      case (.string, .string), (.object, .object):
        side = value
        return (.side, payload, quality, nil)
      case (.object(let json), .array):
        if let typed = definition.flatMap({ Value(json, for: $0) }) {
          side = typed
          return (.side, payload, quality, nil)
        }
      default: break
      }
    default: break
    }
    statistics.wrongType += 1
    let type = twins[Int(slot.twin)].properties[Int(slot.property)].definition?.type.rawValue ?? ""
    return (.none, 0, .bad, "the device gave a value that is no \(type)")
  }

  func value(at point: Int) -> Value? {
    let slot = slots[point]
    return switch slot.kind {
    case .none: nil
    case .boolean: .boolean(slot.payload != 0)
    case .integer: .integer(Int64(bitPattern: slot.payload))
    case .unsigned: .unsigned(slot.payload)
    case .number: .number(Double(bitPattern: slot.payload))
    case .side: sides[UInt32(point)]
    }
  }

  /// The latest reading of a point as it is to be shown.
  func reading(at point: Int) -> Reading {
    let slot = slots[point]
    var quality = slot.quality
    var cause = causes[UInt32(point)] ?? ""
    if slot.flags.contains(.stale), quality == .good {
      quality = .uncertain
      let isConnected = slot.twin >= 0 && twins[Int(slot.twin)].isConnected
      cause = isConnected ? "not read yet since the link came up" : "the device is not connected"
    }
    if slot.version == 0, slot.kind == .none, cause.isEmpty { cause = "never read" }
    return Reading(
      value(at: point), quality: quality, sourceTime: Timestamp(nanoseconds: slot.sourceTime),
      gatewayTime: Timestamp(nanoseconds: slot.gatewayTime), cause: cause)
  }
}
