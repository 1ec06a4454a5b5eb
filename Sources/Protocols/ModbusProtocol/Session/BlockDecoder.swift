package import DeviceKit

/// Decodes a whole block of plain numbers straight into the batch's columns: what each property costs is its arithmetic.
///
/// Made once a plan. Only for items whose codec is an integer or a float of a number or integer property; it gives what
/// ``RegisterCodec/decode(_:)`` gives, or nothing, and then the caller decodes item by item.
package struct BlockDecoder: Sendable {
  private enum Raw: Sendable { case unsigned, signed16, signed32, signed64, float32, float64 }

  private struct Step: Sendable {
    var start: Int
    var count: Int
    var raw: Raw
    var reverses: Bool
    var swaps: Bool
    /// Number = (raw × multiplier + addend) / divisor, exactly; nil: the raw integer.
    var scaling: (multiplier: Int64, addend: Int64, divisor: Double)?
    /// The raw bits that mean no value, where ``hasSentinel``.
    var sentinel: UInt64 = 0
    var hasSentinel = false
  }

  private let steps: [Step]
  private let points: [PointID]
  private let kinds: [SampleKind]

  /// Nil where an item of the block is not plain.
  /// `bindings` and `points` are by the items' index.
  package init?(_ block: ReadBlock, _ bindings: [PropertyBinding], _ points: [PointID]) {
    var steps: [Step] = []
    var kinds: [SampleKind] = []
    steps.reserveCapacity(block.items.count)
    kinds.reserveCapacity(block.items.count)
    for item in block.items {
      let codec = bindings[item.item].codec
      guard !block.table.holdsBits, let (step, kind) = Self.step(codec, at: item.address - block.address) else {
        return nil
      }
      steps.append(step)
      kinds.append(kind)
    }
    self.steps = steps
    self.kinds = kinds
    self.points = block.items.map { points[$0.item] }
  }

  private static func step(_ codec: RegisterCodec, at start: Int) -> (Step, SampleKind)? {
    // Whatever else a codec can be told makes it another one than this.
    var plain = RegisterCodec(codec.encoding, order: codec.order, type: codec.type)
    plain.transform = codec.transform
    plain.notAvailable = codec.notAvailable
    guard codec == plain, codec.notAvailable.count <= 1, codec.type == .number || codec.type == .integer else {
      return nil
    }
    let raw: Raw
    switch codec.encoding {
    case .uint16, .uint32: raw = .unsigned
    case .int16: raw = .signed16
    case .int32: raw = .signed32
    case .int64: raw = .signed64
    case .float32: raw = .float32
    case .float64: raw = .float64
    default: return nil
    }
    var step = Step(
      start: start, count: codec.registerCount, raw: raw, reverses: codec.order.reversesRegisters,
      swaps: codec.order.swapsBytes)
    if let sentinel = codec.notAvailable.first { (step.sentinel, step.hasSentinel) = (sentinel, true) }
    let isFloat = codec.encoding.isFloat
    guard codec.type == .number || !isFloat else { return nil }
    if codec.transform.isIdentity {
      if codec.type == .number, !isFloat { step.scaling = (1, 0, 1) }
    } else {
      // Products of 32-bit raw values with these stay exact in Double's 53 bits, so that the division rounds once.
      guard codec.type == .number, !isFloat, codec.registerCount <= 2, let exact = codec.transform.decimal,
        exact.multiplier.magnitude <= 1 << 20, exact.addend.magnitude <= 1 << 51
      else { return nil }
      step.scaling = (exact.multiplier, exact.addend, exact.divisor)
    }
    // A 64-bit integer as a number is rounded to it; that is left to the codec.
    if codec.type == .number, raw == .signed64 { return nil }
    return (step, codec.type == .number ? .number : .integer)
  }

  /// Appends all items of the block, Good. False, and nothing appended, where one of them has no value.
  package func decode(_ registers: [UInt16], at time: Int64, into batch: inout SampleBatch) -> Bool {
    var isWhole = true
    let payloads = [UInt64](unsafeUninitializedCapacity: steps.count) { payloads, count in
      registers.withUnsafeBufferPointer { registers in
        steps.withUnsafeBufferPointer { steps in
          for index in 0..<steps.count {
            let word = Self.word(steps[index], registers)
            let payload = Self.payload(steps[index], word)
            if steps[index].hasSentinel, steps[index].sentinel == word { isWhole = false }
            if steps[index].raw == .float32 || steps[index].raw == .float64,
              !Double(bitPattern: payload).isFinite
            {
              isWhole = false
            }
            payloads[index] = payload
          }
          count = steps.count
        }
      }
    }
    guard isWhole else { return false }
    batch.append(points: points, kinds: kinds, payloads: payloads, quality: .good, time: time)
    return true
  }

  @inline(__always)
  private static func word(_ step: Step, _ registers: UnsafeBufferPointer<UInt16>) -> UInt64 {
    precondition(step.start + step.count <= registers.count)
    var word: UInt64 = 0
    if step.count == 1 {
      word = UInt64(step.swaps ? registers[step.start].byteSwapped : registers[step.start])
    } else {
      for index in 0..<step.count {
        let register = registers[step.reverses ? step.start + step.count - 1 - index : step.start + index]
        word = word << 16 | UInt64(step.swaps ? register.byteSwapped : register)
      }
    }
    return word
  }

  @inline(__always)
  private static func payload(_ step: Step, _ word: UInt64) -> UInt64 {
    let integer: Int64
    switch step.raw {
    case .unsigned, .signed64: integer = Int64(bitPattern: word)
    case .signed16: integer = Int64(Int16(truncatingIfNeeded: word))
    case .signed32: integer = Int64(Int32(truncatingIfNeeded: word))
    case .float32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: word))).bitPattern
    case .float64: return word
    }
    guard let scaling = step.scaling else { return UInt64(bitPattern: integer) }
    return (Double(integer &* scaling.multiplier &+ scaling.addend) / scaling.divisor).bitPattern
  }
}
