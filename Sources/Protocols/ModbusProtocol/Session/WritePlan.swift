package import DeviceKit

/// What a device was seen to refuse with exception 1; until then everything is taken to be served.
package struct WriteSupport: Sendable, Hashable {
  /// Function codes that the device does not serve.
  package var refused: Set<UInt8> = []
  package init() {}
}

/// A change to be sent, and the writes (by index) that it carries out.
package struct WriteStep: Sendable, Hashable {
  package enum Change: Sendable, Hashable {
    case coils(address: Int, [Bool])
    case registers(address: Int, [UInt16])
    /// Bits of one holding register: those in `mask` become those of `bits`.
    case bits(address: Int, mask: UInt16, bits: UInt16)
  }
  package var change: Change
  package var writes: [Int]

  package init(change: Change, writes: [Int]) {
    self.change = change
    self.writes = writes
  }

  /// This step and `next` as one, where they meet without gap or overlap in one request; the order is kept.
  package func joined(with next: WriteStep) -> WriteStep? {
    let change: Change
    switch (self.change, next.change) {
    case (.coils(let address, let values), .coils(let nextAddress, let more))
    where nextAddress == address + values.count
      && values.count + more.count <= ModbusRequest.maximumCoilsPerWrite:
      change = .coils(address: address, values + more)
    case (.registers(let address, let values), .registers(let nextAddress, let more))
    where nextAddress == address + values.count
      && values.count + more.count <= ModbusRequest.maximumRegistersPerWrite:
      change = .registers(address: address, values + more)
    case (.bits(let address, let mask, let bits), .bits(let nextAddress, let nextMask, let nextBits))
    where address == nextAddress && mask & nextMask == 0:
      change = .bits(address: address, mask: mask | nextMask, bits: bits | nextBits)
    default: return nil
    }
    return WriteStep(change: change, writes: writes + next.writes)
  }

  /// `steps` with neighbours joined, where the writes on both sides of the seam may be.
  package static func coalesced(
    _ steps: [WriteStep], where mayJoin: (_ left: Int, _ right: Int) -> Bool = { _, _ in true }
  ) -> [WriteStep] {
    var result: [WriteStep] = []
    for step in steps {
      if let last = result.last, let left = last.writes.last, let right = step.writes.first, mayJoin(left, right),
        let joined = last.joined(with: step)
      {
        result[result.count - 1] = joined
      } else {
        result.append(step)
      }
    }
    return result
  }
}

extension PropertyBinding {
  /// The change that gives the property `value`; checks access, table, the model's bounds and the encoding's range.
  package func change(to value: Value) throws(DeviceError) -> WriteStep.Change {
    func refusal(_ reason: String, _ message: String) -> DeviceError {
      DeviceError(reason: reason, message: "property '\(property.name)': \(message)", isPermanent: true)
    }
    guard property.access.canWrite else { throw refusal("AccessDenied", "is read-only") }
    guard table.isWritable else {
      throw refusal("AccessDenied", "lies in table \(table.rawValue), which devices do not let be written")
    }
    if let number = value.number {
      if let minimum = property.minimum, number < minimum {
        throw refusal("OutOfRange", "\(value.shown) is below \(minimum)")
      }
      if let maximum = property.maximum, number > maximum {
        throw refusal("OutOfRange", "\(value.shown) is above \(maximum)")
      }
    }
    if !property.allowed.isEmpty,
      !property.allowed.contains(where: { Value($0, as: property.type).map(value.isSame) ?? false })
    {
      throw refusal("OutOfRange", "\(value.shown) is not among the allowed values")
    }
    do {
      if table == .coil { return .coils(address: Int(address), [try codec.encodeBit(value)]) }
      if let bit = codec.bit {
        let place = codec.place(ofBit: bit)
        return .bits(
          address: Int(address) + place.register, mask: 1 << place.bit,
          bits: try codec.encodeBit(value) ? 1 << place.bit : 0)
      }
      return .registers(address: Int(address), try codec.encode(value))
    } catch {
      throw refusal(error.reason, error.message)
    }
  }
}

extension RegisterCodec {
  /// The register, counted from the value's first, and the bit in it, where bit `bit` of the value lies.
  func place(ofBit bit: Int) -> (register: Int, bit: UInt16) {
    let fromLowest = bit / 16
    let register = order.reversesRegisters ? fromLowest : registerCount - 1 - fromLowest
    return (register, UInt16(order.swapsBytes ? bit % 16 ^ 8 : bit % 16))
  }
}

extension Value {
  /// Whether both are the same value, 15 and 15.0 counting as one.
  func isSame(_ other: Value) -> Bool {
    if let number, let otherNumber = other.number { return number == otherNumber }
    return self == other
  }
}
