/// A frame of Modbus TCP: the MBAP header's fields and the protocol data unit (Modbus Messaging on TCP/IP V1.0b, 3.1.3).
public struct MBAPFrame: Sendable, Hashable {
  public var transaction: UInt16
  public var unit: UInt8
  public var pdu: ArraySlice<UInt8>
  public init(transaction: UInt16, unit: UInt8, pdu: ArraySlice<UInt8>) {
    self.transaction = transaction
    self.unit = unit
    self.pdu = pdu
  }

  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(7 + pdu.count)
    bytes.append(bigEndian: transaction)
    bytes.append(bigEndian: 0)
    bytes.append(bigEndian: UInt16(pdu.count + 1))
    bytes.append(unit)
    bytes += pdu
    return bytes
  }
}

/// Why a byte stream cannot be Modbus TCP; there is no way to find the next frame.
public struct MBAPError: Error, Sendable, Hashable, CustomStringConvertible {
  public var description: String
}

/// Cuts a byte stream into frames, whatever the pieces in which it arrives. Holds at most one frame and one piece.
///
/// Modbus TCP has no checksum. A frame that breaks off, as gateways to serial lines send it, takes the first bytes of the
/// next one for its last; then what follows is no header. A wary parser looks there before it gives a frame out.
public struct MBAPFrameParser: Sendable {
  private var buffer: [UInt8] = []
  private var start = 0
  private let isWary: Bool

  public init(isWary: Bool = false) { self.isWary = isWary }

  public mutating func append(_ bytes: some Collection<UInt8>) {
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: true)
      start = 0
    } else if start > 4096 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame; nil until it is there, and, to the wary, what is there of the next one's header is whole. Throws
  /// where protocol ID is not 0 or the length is not 2 to 254.
  public mutating func next() throws(MBAPError) -> MBAPFrame? {
    guard let length = try length(at: start) else { return nil }
    guard buffer.count - start >= 6 + length else { return nil }
    let end = start + 6 + length
    if isWary, end < buffer.count, try self.length(at: end) == nil { return nil }
    defer { start = end }
    return MBAPFrame(
      transaction: UInt16(buffer[start]) << 8 | UInt16(buffer[start + 1]), unit: buffer[start + 6],
      pdu: buffer[start + 7..<end])
  }

  /// What the header at an index says of the bytes behind it; nil until it is whole.
  private func length(at index: Int) throws(MBAPError) -> Int? {
    guard buffer.count - index >= 6 else { return nil }
    let protocolID = UInt16(buffer[index + 2]) << 8 | UInt16(buffer[index + 3])
    guard protocolID == 0 else { throw MBAPError(description: "protocol ID \(protocolID) instead of 0") }
    let length = Int(buffer[index + 4]) << 8 | Int(buffer[index + 5])
    guard (2...254).contains(length) else { throw MBAPError(description: "a frame that claims \(length) bytes") }
    return length
  }

  /// Whether a frame has begun that is not whole yet.
  public var isInsideFrame: Bool { start < buffer.count }

  /// Forgets what is left over from an ended connection.
  public mutating func reset() {
    buffer.removeAll(keepingCapacity: true)
    start = 0
  }
}
