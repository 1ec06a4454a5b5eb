/// A request's protocol data unit (Modbus Application Protocol V1.1b3, section 6).
public enum ModbusRequest: Sendable, Hashable {
  /// FC 1 to 4: `count` bits or registers from `address`.
  case read(RegisterTable, address: UInt16, count: UInt16)
  /// FC 5.
  case writeCoil(address: UInt16, value: Bool)
  /// FC 6.
  case writeRegister(address: UInt16, value: UInt16)
  /// FC 15, 1 to 1,968 coils.
  case writeCoils(address: UInt16, values: [Bool])
  /// FC 16, 1 to 123 registers.
  case writeRegisters(address: UInt16, values: [UInt16])
  /// FC 17.
  case reportServerID
  /// FC 22: register = (register AND and) OR (or AND NOT and).
  case maskWrite(address: UInt16, and: UInt16, or: UInt16)
  /// FC 23: writes 1 to 121 registers, then reads 1 to 125.
  case readWriteRegisters(readAddress: UInt16, readCount: UInt16, writeAddress: UInt16, values: [UInt16])
  /// FC 43, MEI type 14: `code` 1 basic, 2 regular, 3 extended, 4 one object.
  case readDeviceIdentification(code: UInt8, objectID: UInt8)

  public static let maximumCoilsPerWrite = 1968
  public static let maximumRegistersPerWrite = 123

  public var functionCode: UInt8 {
    switch self {
    case .read(let table, _, _): table.readFunction
    case .writeCoil: 5
    case .writeRegister: 6
    case .writeCoils: 15
    case .writeRegisters: 16
    case .reportServerID: 17
    case .maskWrite: 22
    case .readWriteRegisters: 23
    case .readDeviceIdentification: 43
    }
  }

  /// Whether it changes nothing at the device, so that it may be sent again after a lost connection.
  public var isReadOnly: Bool {
    switch self {
    case .read, .reportServerID, .readDeviceIdentification: true
    case .writeCoil, .writeRegister, .writeCoils, .writeRegisters, .maskWrite, .readWriteRegisters: false
    }
  }

  /// The bytes of the unit, function code first, at most 253.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = [functionCode]
    switch self {
    case .read(_, let address, let count):
      bytes.reserveCapacity(5)
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: count)
    case .writeCoil(let address, let value):
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: value ? 0xFF00 : 0)
    case .writeRegister(let address, let value):
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: value)
    case .writeCoils(let address, let values):
      precondition((1...Self.maximumCoilsPerWrite).contains(values.count))
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: UInt16(values.count))
      let packed = values.packedBits
      bytes.append(UInt8(packed.count))
      bytes += packed
    case .writeRegisters(let address, let values):
      precondition((1...Self.maximumRegistersPerWrite).contains(values.count))
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: UInt16(values.count))
      bytes.append(UInt8(values.count * 2))
      for value in values { bytes.append(bigEndian: value) }
    case .reportServerID: break
    case .maskWrite(let address, let and, let or):
      bytes.append(bigEndian: address)
      bytes.append(bigEndian: and)
      bytes.append(bigEndian: or)
    case .readWriteRegisters(let readAddress, let readCount, let writeAddress, let values):
      precondition((1...121).contains(values.count))
      bytes.append(bigEndian: readAddress)
      bytes.append(bigEndian: readCount)
      bytes.append(bigEndian: writeAddress)
      bytes.append(bigEndian: UInt16(values.count))
      bytes.append(UInt8(values.count * 2))
      for value in values { bytes.append(bigEndian: value) }
    case .readDeviceIdentification(let code, let objectID):
      bytes += [0x0E, code, objectID]
    }
    return bytes
  }
}

extension [UInt8] {
  package mutating func append(bigEndian value: UInt16) {
    append(UInt8(value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }
}

extension [Bool] {
  /// Eight to a byte, the first in the lowest bit (section 6.1).
  package var packedBits: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
    for (index, isSet) in enumerated() where isSet { bytes[index / 8] |= 1 << (index % 8) }
    return bytes
  }
}
