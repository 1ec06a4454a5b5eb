/// A frame of Modbus RTU: unit, protocol data unit, CRC (Modbus over Serial Line V1.02, section 2.5.1).
public enum RTUFrame {
  /// The bytes on the wire.
  public static func bytes(unit: UInt8, pdu: some Collection<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = [unit]
    bytes += pdu
    let checksum = crc(bytes)
    return bytes + [UInt8(truncatingIfNeeded: checksum), UInt8(checksum >> 8)]
  }

  /// CRC-16 with the polynomial 0xA001, low byte first on the wire (section 6.2.2).
  public static func crc(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
    }
    return crc
  }

  /// What a reply's beginning tells of its whole size.
  public enum Extent: Sendable, Hashable {
    case incomplete
    case bytes(Int)
    /// The function code is none whose replies this client knows.
    case unknown
  }

  /// The size of the reply frame that `bytes` begins with: on a stream nothing else marks its end.
  public static func extent(ofReply bytes: ArraySlice<UInt8>) -> Extent {
    let start = bytes.startIndex
    guard bytes.count >= 3 else { return .incomplete }
    let function = bytes[start + 1]
    switch function {
    case 0x80...: return .bytes(5)
    case 1, 2, 3, 4, 17, 23: return .bytes(5 + Int(bytes[start + 2]))
    case 5, 6, 15, 16: return .bytes(8)
    case 22: return .bytes(10)
    case 43:
      guard bytes[start + 2] == 0x0E else { return .unknown }
      guard bytes.count >= 8 else { return .incomplete }
      var position = 8
      for _ in 0..<bytes[start + 7] {
        guard bytes.count >= position + 2 else { return .incomplete }
        position += 2 + Int(bytes[start + position + 1])
      }
      return .bytes(position + 2)
    default: return .unknown
    }
  }
}

/// Cuts a byte stream of RTU replies into frames. A frame with a bad checksum leaves no way to find the next one, so
/// everything received is thrown away with it.
public struct RTUReplyParser: Sendable {
  private var buffer: [UInt8] = []
  public init() {}

  public enum Step: Sendable, Hashable {
    case incomplete
    case frame(unit: UInt8, pdu: ArraySlice<UInt8>)
    case dropped(DropCause)
  }

  /// The longest frame: 253 bytes of data unit, the unit and the checksum.
  public static let maximumSize = 256

  public mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

  public var isEmpty: Bool { buffer.isEmpty }

  public mutating func next() -> Step {
    switch RTUFrame.extent(ofReply: buffer[...]) {
    case .incomplete:
      guard buffer.count <= Self.maximumSize else { return drop(.malformed("more than \(Self.maximumSize) bytes")) }
      return .incomplete
    case .unknown: return drop(.malformed("a reply with function \(buffer[1])"))
    case .bytes(let size):
      guard size <= Self.maximumSize else { return drop(.malformed("a frame that claims \(size) bytes")) }
      guard buffer.count >= size else { return .incomplete }
      let frame = buffer[..<size]
      let sent = UInt16(frame[size - 1]) << 8 | UInt16(frame[size - 2])
      guard RTUFrame.crc(frame.dropLast(2)) == sent else { return drop(.badChecksum) }
      buffer = Array(buffer[size...])
      return .frame(unit: frame[0], pdu: frame[1..<size - 2])
    }
  }

  public mutating func reset() { buffer.removeAll(keepingCapacity: true) }

  private mutating func drop(_ cause: DropCause) -> Step {
    reset()
    return .dropped(cause)
  }
}
