internal import DeviceKit
internal import Documents

extension TwinState {
  /// What one batch has come to so far of one device.
  private struct Tally {
    /// The version of everything that this batch changes of the device.
    let version: UInt64
    /// -1 before the first sample that belongs to a twin.
    var twin: Int32 = -1
    var changes = 0
    var unknown = 0
  }

  /// Takes a batch in order of its samples. All changes of one device that follow one another share one version; two
  /// devices never do, since a watch is resumed after the version of the last twin that it was told of.
  mutating func ingest(_ batch: SampleBatch, now: () -> Timestamp) {
    let count = batch.count
    var tally = Tally(version: version + 1)
    batchStamp += 1
    var index = 0
    while true {
      index = takePlain(batch, from: index, &tally)
      guard index < count else { break }
      let point = Int(batch.points[index].index)
      let twin = point < slots.count ? slots[point].twin : -1
      if twin >= 0, twin != tally.twin {
        if tally.twin >= 0 {
          settle(tally)
          tally = Tally(version: version + 1)
          batchStamp += 1
        }
        tally.twin = twin
        continue
      }
      take(batch, index, &tally, now)
      index += 1
    }
    statistics.samples += count
    settle(tally)
  }

  private mutating func settle(_ tally: Tally) {
    statistics.unknownPoint += tally.unknown
    statistics.changes += tally.changes
    guard tally.changes > 0 else { return }
    let stamped = bump()
    for twin in touchedTwins {
      twins[twin].version = stamped
      touch(twin, .values)
    }
    touchedTwins.removeAll(keepingCapacity: true)
  }

  /// Takes samples for as long as they are of the tally's device and the expected kind, held in 64 bits, and have no
  /// cause and no wish beside them: nearly all. Returns the index of the first that is not.
  private mutating func takePlain(_ batch: SampleBatch, from start: Int, _ tally: inout Tally) -> Int {
    let columns = (batch.points, batch.kinds, batch.payloads, batch.qualities, batch.sourceTimes, batch.gatewayTimes)
    let points = columns.0.span
    let kinds = columns.1.span
    let payloads = columns.2.span
    let qualities = columns.3.span
    let sourceTimes = columns.4.span
    let gatewayTimes = columns.5.span
    let hasCauses = !batch.causes.isEmpty
    var changes = 0
    var index = start
    // Out of `self` for the time being: its other members are written meanwhile.
    var taken: [TwinSlot] = []
    swap(&taken, &self.slots)
    defer { swap(&taken, &self.slots) }
    var slots = taken.mutableSpan
    while index < points.count {
      let point = Int(points[index].index)
      guard point < slots.count else { break }
      let kind = kinds[index]
      let payload = payloads[index]
      let quality = qualities[index]
      let flags = slots[point].flags
      guard slots[point].twin == tally.twin, flags.intersection(.looked) == .accepts, kind == slots[point].expected,
        kind != .side,
        kind != .number || payload & Self.exponent != Self.exponent, !hasCauses || quality == .good
      else { break }
      slots[point].gatewayTime = gatewayTimes[index]
      slots[point].sourceTime = sourceTimes[index]
      // Whether a value has changed is as good as random: it is computed and stored, never branched on.
      let isDurableChange =
        (slots[point].payload ^ payload)
        | UInt64(slots[point].quality.rawValue ^ quality.rawValue | slots[point].kind.rawValue ^ kind.rawValue) != 0
      let isChanged = isDurableChange || flags.contains(.stale)
      slots[point].payload = payload
      slots[point].kind = kind
      slots[point].quality = quality
      slots[point].version = isChanged ? tally.version : slots[point].version
      changes &+= isChanged ? 1 : 0
      slots[point].flags = flags.subtracting(.stale)
      if !flags.contains(.dirty), isDurableChange {
        slots[point].flags.insert(.dirty)
        groups[Int(slots[point].group)].dirty.append(UInt32(truncatingIfNeeded: point))
      }
      let twin = Int(slots[point].twin)
      if touchStamps[twin] != batchStamp, isChanged {
        touchStamps[twin] = batchStamp
        touchedTwins.append(twin)
      }
      index += 1
    }
    tally.changes += changes
    return index
  }

  /// All ones in a number that is not finite (IEEE 754, binary64).
  private static let exponent: UInt64 = 0x7FF0_0000_0000_0000

  /// Takes any sample.
  private mutating func take(_ batch: SampleBatch, _ index: Int, _ tally: inout Tally, _ now: () -> Timestamp) {
    let point = Int(batch.points[index].index)
    guard point < slots.count, slots[point].flags.contains(.accepts) else {
      tally.unknown += 1
      return
    }
    var slot = slots[point]
    var kind = batch.kinds[index]
    var payload = batch.payloads[index]
    var quality = batch.qualities[index]
    var cause: String?
    var side: Value?
    if kind != slot.expected || kind == .side || (kind == .number && !Double(bitPattern: payload).isFinite) {
      (kind, payload, quality, cause) = conform(batch, index, to: slot, &side)
    }
    var isChanged = false
    slot.gatewayTime = batch.gatewayTimes[index]
    if kind == .none {
      // The last value stays, with the time at which it was true; only how far it can be trusted changes.
      if quality == .good { quality = .uncertain }
    } else {
      slot.sourceTime = batch.sourceTimes[index]
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
    if !batch.causes.isEmpty || cause != nil || slot.flags.contains(.hasCause) {
      let text = quality == .good ? "" : cause ?? batch.causes[index] ?? ""
      if (causes[UInt32(point)] ?? "") != text { isChanged = true }
      causes[UInt32(point)] = text.isEmpty ? nil : text
      if text.isEmpty { slot.flags.remove(.hasCause) } else { slot.flags.insert(.hasCause) }
    }
    if isChanged {
      tally.changes += 1
      slot.version = tally.version
      if isDurableChange, !slot.flags.contains(.dirty) {
        slot.flags.insert(.dirty)
        groups[Int(slot.group)].dirty.append(UInt32(point))
      }
      let twin = Int(slot.twin)
      if touchStamps[twin] != batchStamp {
        touchStamps[twin] = batchStamp
        touchedTwins.append(twin)
      }
    }
    let former = slots[point]
    slots[point] = slot
    if isDurableChange, !slot.flags.isDisjoint(with: .told) {
      noteChange(at: point, from: former, version: tally.version, now: now())
    }
    if slot.flags.contains(.wished), kind != .none, quality == .good {
      apply(.reported(reading(at: point)), twin: Int(slot.twin), property: Int(slot.property), now: now())
    }
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
