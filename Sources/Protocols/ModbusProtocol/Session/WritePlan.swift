package import DeviceKit
import Documents

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
    /// Bits of holding registers: those in each one's mask become those of `bits`.
    case bits(address: Int, masks: [UInt16], bits: [UInt16])
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
    case (.bits(let address, let masks, let bits), .bits(let nextAddress, let nextMasks, let nextBits))
    where address == nextAddress && masks.count == nextMasks.count && zip(masks, nextMasks).allSatisfy { $0 & $1 == 0 }:
      change = .bits(
        address: address, masks: zip(masks, nextMasks).map { $0 | $1 }, bits: zip(bits, nextBits).map { $0 | $1 })
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
  /// `power` is what the register of the scale factor holds, where there is one.
  package func change(to value: Value, power: Int = 0) throws(DeviceError) -> WriteStep.Change {
    func refusal(_ reason: String, _ message: String) -> DeviceError {
      DeviceError(reason: reason, message: "property '\(property.name)': \(message)", isPermanent: true)
    }
    guard property.access.canWrite else { throw refusal("AccessDenied", "is read-only") }
    guard table.isWritable else {
      throw refusal("AccessDenied", "lies in table \(table.rawValue), which devices do not let be written")
    }
    for number in value.numbers {
      if let minimum = property.minimum, number < minimum {
        throw refusal("OutOfRange", "\(Value.number(number).shown) is below \(minimum)")
      }
      if let maximum = property.maximum, number > maximum {
        throw refusal("OutOfRange", "\(Value.number(number).shown) is above \(maximum)")
      }
    }
    if !property.allowed.isEmpty,
      !property.allowed.contains(where: { Value($0, as: property.type).map(value.isSame) ?? false })
    {
      throw refusal("OutOfRange", "\(value.shown) is not among the allowed values")
    }
    do {
      if table == .coil { return .coils(address: Int(address), try codec.encodeBits(value)) }
      if codec.isMasked {
        // Registers of which nothing is changed are left alone.
        let (masks, bits) = (codec.masks, try codec.encodeMasked(value))
        let first = masks.firstIndex { $0 != 0 } ?? 0
        let last = masks.lastIndex { $0 != 0 } ?? 0
        return .bits(address: Int(address) + first, masks: Array(masks[first...last]), bits: Array(bits[first...last]))
      }
      return .registers(address: Int(address), try codec.encode(value, power: power))
    } catch {
      throw refusal(error.reason, error.message)
    }
  }
}

extension Value {
  /// The number that the value is, or those that an array has.
  fileprivate var numbers: [Double] {
    if case .object(.array(let elements)) = self { return elements.compactMap(\.number) }
    return number.map { [$0] } ?? []
  }

  /// Whether both are the same value, 15 and 15.0 counting as one.
  func isSame(_ other: Value) -> Bool {
    if let number, let otherNumber = other.number { return number == otherNumber }
    return self == other
  }
}
