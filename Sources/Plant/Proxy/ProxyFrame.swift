/// A request or reply between a proxy's client and server: unit and data unit, without either framing.
struct ProxyFrame: Equatable {
  var transaction: UInt16 = 0
  var unit: UInt8
  var pdu: [UInt8]

  /// As Modbus TCP has it.
  var mbap: [UInt8] {
    let length = pdu.count + 1
    return [UInt8(transaction >> 8), UInt8(transaction & 0xFF), 0, 0, UInt8(length >> 8), UInt8(length & 0xFF), unit]
      + pdu
  }

  /// As a serial line has it (Modbus over Serial Line V1.02, section 2.5.1).
  var rtu: [UInt8] {
    let bytes = [unit] + pdu
    let checksum = Self.checksum(bytes)
    return bytes + [UInt8(checksum & 0xFF), UInt8(checksum >> 8)]
  }

  /// Takes a whole frame off the front of `bytes`; nil until it is there.
  static func take(_ bytes: inout [UInt8], isRTU: Bool) -> ProxyFrame? {
    isRTU ? takeRequest(&bytes) : takeMBAP(&bytes)
  }

  static func takeMBAP(_ bytes: inout [UInt8]) -> ProxyFrame? {
    guard bytes.count >= 8 else { return nil }
    let size = 6 + (Int(bytes[4]) << 8 | Int(bytes[5]))
    guard bytes.count >= size, size >= 8 else { return nil }
    defer { bytes.removeFirst(size) }
    return ProxyFrame(
      transaction: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), unit: bytes[6], pdu: Array(bytes[7..<size]))
  }

  private static func takeRequest(_ bytes: inout [UInt8]) -> ProxyFrame? {
    guard bytes.count >= 4 else { return nil }
    let size: Int
    switch bytes[1] {
    case 1...6: size = 8
    case 15, 16: size = bytes.count > 6 ? 9 + Int(bytes[6]) : .max
    case 17: size = 4
    case 22: size = 10
    case 23: size = bytes.count > 10 ? 13 + Int(bytes[10]) : .max
    case 43: size = 7
    default: size = bytes.count
    }
    guard bytes.count >= size else { return nil }
    let frame = Array(bytes[..<size])
    bytes.removeFirst(size)
    return ProxyFrame(unit: frame[0], pdu: Array(frame[1..<size - 2]))
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
    }
    return crc
  }
}
